"""The n-th allocation of a call fails, for every n: the call raises MemoryError or does without, and nothing is torn.

    LD_PRELOAD=build/failmalloc.so PYTHONPATH=tests python -m support.failing_allocations [--every 1] [--scenario NAME]

After a failure everything is as it was before the call or after it (for `fit`: after one of its batches), the same call
then works, and gives what it gives when nothing fails. With pymalloc, Python's default, these are the allocations of
NumPy, of the compiled core and of larger objects; with PYTHONMALLOC=malloc every small object counts, too (then only
once: Python itself gives up where it cannot even make a MemoryError).
"""

import argparse
import ctypes
import faulthandler
import os
import re
import sys
import tempfile
from typing import ClassVar

import numpy as np

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support.random_arguments import SPECIAL

LIMIT = 100_000  # allocations of one call
allocator = ctypes.CDLL(None)
x = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
y = np.random.default_rng(1).integers(0, 3, 40)


def make(rule=optim.Adam):
    net = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), rule(net.parameters()), metrics=["f1"])


def bits(trainer):
    """All that a call may change."""
    arrays = (*trainer.net.state_dict().values(), *trainer.optimizer.states.values())
    return int(trainer.net._tick[0]), int(trainer.optimizer.step_count[0]), *(array.tobytes() for array in arrays)


class Bits(fastnn.Callback):
    def __init__(self, seen):
        self.seen = seen

    def on_batch_end(self, run):
        self.seen.add(bits(run.trainer))


class Scenario:
    """`prepare()` gives the object that `call(object)` is about; `state` of it tells what has changed."""

    def prepare(self):
        return make()

    def state(self, subject):
        return bits(subject)

    def allowed(self):
        """The states in which a failure may leave the object, beside that before the call and that after it."""
        return set()


class Build(Scenario):
    def prepare(self):
        return None

    def state(self, subject):
        return None

    def call(self, subject):
        return bits(make())


class Step(Scenario):
    def call(self, trainer):
        return trainer.step(x, y)


class LaterStep(Step):
    def prepare(self):
        trainer = make()
        trainer.step(x, y)
        return trainer


class Fit(Scenario):
    keywords: ClassVar = {"epochs": 2, "batch_size": 8, "seed": 0, "progress": False}

    def call(self, trainer):
        return trainer.fit(x, y, **self.keywords)["loss"]

    def allowed(self):
        trainer, seen = self.prepare(), set()
        trainer.fit(x, y, callbacks=[Bits(seen)], **self.keywords)
        return seen


class FitByGroups(Fit):
    keywords: ClassVar = Fit.keywords | {"accumulate": 2, "validation_data": (x, y)}


class Predict(Scenario):
    def call(self, trainer):
        return trainer.net.predict(x).tobytes()


class Evaluate(Scenario):
    def call(self, trainer):
        return trainer.evaluate(x, y)


class ForwardBackward(Scenario):
    def call(self, trainer):
        trainer.net.zero_grad()
        return trainer.net.backward(np.ones_like(trainer.net(x))).tobytes()

    def allowed(self):
        trainer = self.prepare()
        trainer.net(x)
        return {bits(trainer)}


class Files(Scenario):
    """Something is written over an older file, which stays whole."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, "file")

    def prepare(self):
        trainer = make()
        trainer.step(x, y)
        self.write(make())
        return trainer

    def state(self, trainer):
        with open(self.path, "rb") as file:
            return bits(trainer), file.read(), os.listdir(self.folder)

    def call(self, trainer):
        self.write(trainer)


class Save(Files):
    def write(self, trainer):
        trainer.net.save(self.path)


class Checkpoint(Files):
    def write(self, trainer):
        trainer.save_checkpoint(self.path)


class Load(Save):
    def call(self, trainer):
        return fastnn.load(self.path).predict(x).tobytes()


class LoadCheckpoint(Checkpoint):
    def call(self, trainer):
        trainer.load_checkpoint(self.path)
        return bits(trainer)


class Functions(Scenario):
    """Single operations, which must leave their arguments alone."""

    def prepare(self):
        return [x.copy(), np.asarray(SPECIAL, "float32")]

    def state(self, arrays):
        return [a.tobytes() for a in arrays]

    def call(self, arrays):
        weight = np.ones((6, 300), "float32")
        y_pred = F.linear(x, weight)
        results = [F.relu(x), F.softmax(x, axis=0), y_pred, *F.linear_backward(y_pred, x, weight),
                   F.layer_norm(x, np.ones(6, "f"), np.zeros(6, "f")), F.gelu(arrays[1]), F.dropout(x, 0.5, seed=1),
                   np.float64(F.cross_entropy(x, y)), F.embedding(y, weight), F.sigmoid(x[:, ::2])]  # fmt: skip
        return [r.tobytes() for r in results]


class Updates(Scenario):
    """Updates in place: of all of the arrays, or of none."""

    def prepare(self):
        return [np.linspace(0, 1, 400), *np.zeros((3, 400))]

    def state(self, arrays):
        return [a.tobytes() for a in arrays]

    def call(self, arrays):
        param, grad, average, square = arrays
        optim.functional.adam_step(param, np.ones_like(grad), average, square, step=1)


class Minimize(Scenario):
    def prepare(self):
        return make(optim.LBFGS)

    def call(self, trainer):
        return trainer.fit(x, y, epochs=2, batch_size=None, progress=False)["loss"]

    def allowed(self):
        trainer = self.prepare()
        trainer.fit(x, y, epochs=1, batch_size=None, progress=False)
        return {bits(trainer)}


SCENARIOS = {cls.__name__: cls for cls in (
    Build, Step, LaterStep, Fit, FitByGroups, Predict, Evaluate, ForwardBackward,
    Save, Checkpoint, Load, LoadCheckpoint, Functions, Updates, Minimize,
)}  # fmt: skip


def by_numpy(error):
    """NumPy forgets here and there to set MemoryError: Python then raises SystemError with the function's name."""
    return isinstance(error, SystemError) and not re.search("fastnn|cyfunction", str(error))


def run(name, every, for_ever):
    """How many allocations were made to fail, and how many times the call did without."""
    scenario = SCENARIOS[name]()
    subject = scenario.prepare()
    result = scenario.call(subject)
    after = scenario.state(subject)
    allowed = [scenario.state(scenario.prepare()), after, *scenario.allowed()]
    done_without = 0
    for n in range(1, LIMIT, every):
        subject = scenario.prepare()
        raised = None
        try:
            allocator.failmalloc_begin(ctypes.c_long(n), for_ever)
            got = scenario.call(subject)
        except Exception as error:
            raised = error
        finally:
            made = allocator.failmalloc_end()
        where = f"{name}, allocation {n} of {made}, {'for ever' if for_ever else 'once'}"
        if raised is not None and not isinstance(raised, MemoryError) and not by_numpy(raised):
            raised.add_note(where)
            raise raised
        if raised is None:
            assert got == result, f"{where}: another result"
        assert scenario.state(subject) in allowed, f"{where}: half updated"
        if raised is not None:
            untouched = scenario.state(subject) == allowed[0]
            again = scenario.call(subject)
            assert again == result or not untouched, f"{where}: another result afterwards"
            assert scenario.call(scenario.prepare()) == result, f"{where}: others give another result afterwards"
        done_without += raised is None and made >= n
        if made < n:
            return (n - 1) // every, done_without
    raise AssertionError(f"{name} allocates without end")


FORKED = ("Predict", "Evaluate", "Fit")


def run_in_children(name, every):
    """The same of the first call in a forked child, which makes the locks of its programs again; how many failed."""
    scenario = SCENARIOS[name]()
    subject = scenario.prepare()
    scenario.call(subject)
    for n in range(1, LIMIT, every):
        child = os.fork()
        if child == 0:
            os._exit(call_in_child(scenario, subject, n))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, ALL_MADE), f"{name} in a forked child, allocation {n}: status {status}"
        if status == ALL_MADE:
            return (n - 1) // every
    raise AssertionError(f"{name} allocates without end")


ALL_MADE = 3  # the status of a child in which no allocation failed


def call_in_child(scenario, subject, n):
    try:
        allocator.failmalloc_begin(ctypes.c_long(n), 0)
        scenario.call(subject)
    except Exception as error:
        allocator.failmalloc_end()
        if not isinstance(error, MemoryError) and not by_numpy(error):
            return 1
    made = allocator.failmalloc_end()
    scenario.call(subject)
    return ALL_MADE if made < n else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="let only every so many-th allocation fail")
    parser.add_argument("--scenario", choices=SCENARIOS)
    arguments = parser.parse_args()
    faulthandler.enable()
    total = 0
    for name in [arguments.scenario] if arguments.scenario else SCENARIOS:
        for for_ever in (0,) if os.environ.get("PYTHONMALLOC") == "malloc" else (0, 1):
            failures, done_without = run(name, arguments.every, for_ever)
            total += failures
            print(f"{name:16} {'for ever' if for_ever else 'once':8} {failures:6} failures, "
                  f"{done_without} done without", flush=True)  # fmt: skip
    for name in FORKED if arguments.scenario in (None, *FORKED) else ():
        failures = run_in_children(name, arguments.every)
        total += failures
        print(f"{name:16} in children {failures:3} failures", flush=True)
    print(f"{total} failing allocations: MemoryError or success, nothing half updated")


if __name__ == "__main__":
    sys.exit(main())
