"""The life of a trainer, as Hypothesis thinks of it, beside a twin to which nothing happens: both have the same bits.

Steps and runs are for both. Only one is stopped by Ctrl-C and goes on, is killed and made anew from its checkpoint,
written to a file and read, copied, given wrong arguments, or computes with other threads and instruction sets.
"""

import copy
import os
import pickle
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import fastnn
from fastnn import nn, optim
from fastnn._core import threads as core_threads
from support.resumable import bits

ROWS, WIDTH, CLASSES = 23, 5, 3
# Those with the bits of the one in use: sse2 has no FMA, and bits of its own.
SAME_BITS = [isa for isa in fastnn.available_isas() if (isa == "sse2") == (fastnn.get_isa() == "sse2")]
RULES = {
    "sgd": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.02, amsgrad=True, max_grad_norm=1.0),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
    "rprop": optim.Rprop,
}
SCHEDULES = {
    None: lambda optimizer: None,
    "batch": lambda optimizer: optim.lr_scheduler.CosineAnnealingLR(optimizer, 7, by="batch"),
    "epoch": lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 2, 0.5),
    "plateau": lambda optimizer: optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
}
RUNS = st.fixed_dictionaries(
    {
        "epochs": st.integers(1, 3),
        "batch_size": st.sampled_from([4, 7, 32]),
        "accumulate": st.integers(1, 3),
        "shuffle": st.booleans(),
        "seed": st.sampled_from([None, 5]),
        "validation_split": st.sampled_from([0.0, 0.3]),
    }
)
WRONG = {
    "a label": lambda x, y: (x, np.where(np.arange(len(y)) == len(y) - 1, CLASSES, y)),
    "a width": lambda x, y: (x[:, 1:], y),
    "rows": lambda x, y: (x, y[1:]),
    "nan": lambda x, y: (np.where(np.arange(len(x))[:, None] == 0, np.nan, x).astype(x.dtype), y),
    "text": lambda x, y: (x, ["a"] * len(y)),
    "nothing": lambda x, y: (None, y),
}


class End(fastnn.Callback):
    """Raises after so many batches (0: never); the file is kept as it is then, which is what a kill would leave."""

    def __init__(self, batches=0, error=None, path=None):
        self.left, self.error, self.path = batches, error, path

    def on_batch_end(self, run):
        self.left -= 1
        if self.left == 0:
            shutil.copy(self.path, f"{self.path}.kept")
            raise self.error


class Killed(Exception):
    pass


class Life(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.before = fastnn.get_isa(), fastnn.get_num_threads()
        self.native()
        rng = np.random.default_rng(0)
        self.x, self.y = rng.normal(size=(ROWS, WIDTH)), rng.integers(0, CLASSES, ROWS)

    def teardown(self):
        self.native()
        core_threads.set_worth()
        fastnn.use_backend("native")
        shutil.rmtree(self.folder)

    def native(self):
        """As the twin computes."""
        fastnn.set_isa(self.before[0])
        fastnn.set_num_threads(self.before[1])

    @initialize(
        rule=st.sampled_from(sorted(RULES)), schedule=st.sampled_from(list(SCHEDULES)), average=st.booleans(),
        dtype=st.sampled_from(["float32", "float64"]),
    )  # fmt: skip
    def build(self, rule, schedule, average, dtype):
        def made():
            body = nn.Residual(nn.Linear(8, 8), nn.Tanh(), nn.Dropout(0.3))
            net = nn.Sequential(
                nn.Linear(WIDTH, 8), nn.BatchNorm1d(8), body, nn.Linear(8, CLASSES), seed=1, dtype=dtype
            )
            optimizer = RULES[rule](net.parameters())
            return fastnn.Trainer(
                net, nn.CrossEntropyLoss(), optimizer, SCHEDULES[schedule](optimizer), metrics=["f1"], l2=1e-3,
                average=optim.ExponentialMovingAverage(net.parameters(), 0.9) if average else None,
            )  # fmt: skip

        self.x = self.x.astype(dtype)
        self.make, self.settings = made, (self.before[0], 1, 1e9)
        self.one, self.twin = made(), made()

    def disturbed(self):
        """As the one that things happen to computes."""
        isa, threads, worth = self.settings
        fastnn.set_isa(isa)
        fastnn.set_num_threads(threads)
        core_threads.set_worth(worth)

    def both(self, action):
        """What the action gives with the twin; it must give the same with the other."""
        self.native()
        expected = action(self.twin)
        self.disturbed()
        assert action(self.one) == expected
        return expected

    # -- for both ------------------------------------------------------------------------------------------------------

    @rule(rows=st.integers(2, ROWS), weighted=st.booleans())
    def step(self, rows, weighted):
        weight = np.linspace(0.5, 2, rows) if weighted else None
        self.both(lambda trainer: trainer.step(self.x[:rows], self.y[:rows], weight))

    @rule(keywords=RUNS)
    def fit(self, keywords):
        self.both(lambda trainer: trainer.fit(self.x, self.y, progress=False, **keywords).epochs)

    @rule(rows=st.integers(0, ROWS))
    def predict_and_evaluate(self, rows):
        self.both(lambda trainer: trainer.net.predict(self.x[:rows]).tobytes())
        self.both(lambda trainer: trainer.evaluate(self.x, self.y))

    @rule(name=st.sampled_from(["native", "native", "reference"]))
    def change_backend(self, name):
        fastnn.use_backend(name)

    # -- for one alone -------------------------------------------------------------------------------------------------

    @rule(isa=st.sampled_from(SAME_BITS), threads=st.integers(1, 5), worth=st.sampled_from([0, 1e9]))
    def change_threads_and_instruction_set(self, isa, threads, worth):
        self.settings = isa, threads, worth

    @rule(keywords=RUNS, batches=st.integers(1, 30), every=st.integers(1, 4), killed=st.booleans())
    def end_a_run_and_go_on(self, keywords, batches, every, killed):
        """By Ctrl-C, or killed: then it is made anew, and knows only what the file says."""
        self.native()
        self.twin.fit(self.x, self.y, callbacks=[End()], progress=False, **keywords)
        self.disturbed()
        path = self.folder / "run"
        path.unlink(missing_ok=True)
        keywords = keywords | {"checkpoint": path, "checkpoint_every": every, "progress": False}
        end = End(batches, Killed() if killed else KeyboardInterrupt(), path)
        try:
            self.one.fit(self.x, self.y, callbacks=[end], **keywords)
        except KeyboardInterrupt:
            pass
        except Killed:
            shutil.copy(f"{path}.kept", path)
            self.one = self.make()
        self.one.fit(self.x, self.y, callbacks=[End()], resume=True, **keywords)

    @rule()
    def load_a_checkpoint(self):
        self.one.save_checkpoint(self.folder / "checkpoint")
        self.one, history = self.make(), self.one.history
        self.one.load_checkpoint(self.folder / "checkpoint")
        self.one.history = history

    @rule()
    def load_the_network(self):
        self.one.net.save(self.folder / "net")
        loaded = fastnn.load(self.folder / "net")
        assert loaded.predict(self.x).tobytes() == self.one.net.predict(self.x).tobytes()

    @rule(clone=st.sampled_from([copy.deepcopy, lambda trainer: pickle.loads(pickle.dumps(trainer))]))
    def copy(self, clone):
        self.one = clone(self.one)

    @rule(what=st.sampled_from(sorted(WRONG)), call=st.sampled_from(["step", "fit", "evaluate"]))
    def give_wrong_arguments(self, what, call):
        arguments = WRONG[what](self.x, self.y)
        if call == "fit" and what == "nan":  # the batches before it are trained
            return
        history = self.one.history
        if what == "nan" and call == "evaluate":
            assert np.isnan(self.one.evaluate(*arguments)["loss"])
        else:
            with pytest.raises((ValueError, TypeError)):
                getattr(self.one, call)(*arguments)
        self.one.history = history

    # -- always --------------------------------------------------------------------------------------------------------

    @invariant()
    def has_the_bits_of_its_twin(self):
        if hasattr(self, "one"):
            assert bits(self.one) == bits(self.twin)

    @invariant()
    def its_history_is_consistent(self):
        if hasattr(self, "one"):
            history = self.one.history
            assert {name: len(record) for name, record in history.records.items()} == dict.fromkeys(
                history, history.epochs
            )


Life.TestCase.settings = settings(
    max_examples=int(os.environ.get("FASTNN_TESTS_LIVES", "25")),
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLife = Life.TestCase
