"""The protocol of callbacks, and the run that they see: when they are called, what they may do, what it costs."""

import math

import numpy as np
import pytest
from runs import BATCH, BATCHES, At, BatchDiary, Diary, N, bits, make

from fastnn import Callback
from fastnn.training.engine import Engine

pytestmark = pytest.mark.usefixtures("backend")


@pytest.fixture
def runs(monkeypatch):
    """How often the compiled loop is entered, by mode."""
    counts = {"step": 0, "evaluate": 0}
    run = Engine.run

    def counted(self, mode, *args):
        counts[mode] += 1
        return run(self, mode, *args)

    monkeypatch.setattr(Engine, "run", counted)
    return counts


def test_callbacks_are_told_in_order():
    trainer, x, y = make()
    diary, batches = Diary(), BatchDiary(every=3)
    trainer.fit(x, y, epochs=2, batch_size=BATCH, callbacks=[diary, batches])
    assert diary.entries == [
        ("train_begin", 0, 0), ("epoch_begin", 0, 0), ("epoch_end", 1, 0), ("epoch_begin", 1, 0), ("epoch_end", 2, 0),
        ("train_end", 2, 0),
    ]  # fmt: skip
    assert batches.entries == [
        ("train_begin", 0, 0), ("epoch_begin", 0, 0), ("batch_end", 0, 3), ("batch_end", 0, 6), ("epoch_end", 1, 0),
        ("epoch_begin", 1, 0), ("batch_end", 1, 3), ("batch_end", 1, 6), ("epoch_end", 2, 0), ("train_end", 2, 0),
    ]  # fmt: skip


def test_an_epoch_is_one_compiled_loop_unless_somebody_wants_to_see_it(runs):
    trainer, x, y = make()
    trainer.fit(x, y, epochs=3, batch_size=BATCH, callbacks=[Diary()], validation_data=(x, y))
    assert runs == {"step": 3, "evaluate": 3}
    trainer.fit(x, y, epochs=1, batch_size=BATCH, callbacks=[BatchDiary(every=3)])
    assert runs["step"] == 3 + 3
    trainer.fit(x, y, epochs=1, batch_size=BATCH, callbacks=[BatchDiary(every=3), BatchDiary(every=2)])
    assert runs["step"] == 6 + 5  # up at 2, 3, 4, 6, 8


@pytest.mark.parametrize("every", [1, 3, None])
def test_looking_changes_nothing(every, dtype):
    trainer, x, y = make(dtype)
    twin, *_ = make(dtype)
    seen = trainer.fit(x, y, epochs=3, batch_size=BATCH, callbacks=[BatchDiary(every)], validation_split=0.2)
    unseen = twin.fit(x, y, epochs=3, batch_size=BATCH, validation_split=0.2)
    assert bits(trainer) == bits(twin)
    assert seen["loss"] == unseen["loss"]
    assert seen["val_accuracy"] == unseen["val_accuracy"]


def test_a_run_tells_what_goes_on():
    trainer, x, y = make()
    seen = []

    def look(run):
        assert (run.trainer, run.net, run.optimizer) == (trainer, trainer.net, trainer.optimizer)
        assert trainer.run is run
        assert (run.epochs, run.samples, run.batch_size, run.position) == (2, N, N, N)
        seen.append((run.loss, run.logs["loss"], run.history.epochs))

    history = trainer.fit(x, y, epochs=2, batch_size=None, callbacks=[At("on_batch_end", look)])
    assert trainer.run is None
    assert trainer.history is history
    for (loss, mean, epochs), expected, epoch in zip(seen, history["loss"], range(2), strict=True):
        assert loss == pytest.approx(expected, rel=1e-6)
        assert mean == expected
        assert epochs == epoch


def test_what_is_added_to_the_logs_is_recorded():
    trainer, x, y = make()

    def add(run):
        if run.epoch == 2:
            run.logs["late"] = run.logs["loss"] * 2

    history = trainer.fit(x, y, epochs=3, callbacks=[At("on_epoch_end", add)])
    assert list(history)[-1] == "late"
    assert math.isnan(history["late"][0])
    assert history["late"][1] == 2 * history["loss"][1]
    assert set(history.records) == set(history)


@pytest.mark.parametrize(
    ("moment", "epochs", "steps"),
    [("on_train_begin", 0, 0), ("on_epoch_begin", 0, 0), ("on_batch_end", 0, 1), ("on_epoch_end", 1, BATCHES)],
)
def test_a_callback_can_stop_the_run(moment, epochs, steps):
    trainer, x, y = make()
    diary = Diary()

    def stop(run):
        run.stop("enough")
        run.stop("more than enough")

    history = trainer.fit(x, y, epochs=5, batch_size=BATCH, callbacks=[diary, At(moment, stop)])
    assert (history.stopped, history.interrupted, history.epochs) == ("enough", False, epochs)
    assert trainer.optimizer.step_count[0] == steps
    assert diary.entries[-1][0] == "train_end"
    assert trainer.fit(x, y, batch_size=BATCH).stopped is None


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("moment", ["on_train_begin", "on_epoch_begin", "on_batch_end", "on_epoch_end"])
def test_an_error_in_a_callback_leaves_everything_usable(moment, error):
    trainer, x, y = make()
    first, last = Diary(), Diary()

    def fail(run):
        raise error("in a callback")

    trouble = At(moment, fail)
    if error is KeyboardInterrupt:
        history = trainer.fit(x, y, batch_size=BATCH, callbacks=[first, trouble, last])
        assert history.interrupted
        assert history.stopped is None
    else:
        with pytest.raises(error, match="in a callback"):
            trainer.fit(x, y, batch_size=BATCH, callbacks=[first, trouble, last])
    begun = moment != "on_train_begin"
    assert first.entries[-1][0] == "train_end"
    assert (trouble.ended, bool(last.entries)) == (begun, begun)
    assert trainer.history.epochs == (moment == "on_epoch_end")
    assert trainer.run is None
    assert np.isfinite(trainer.fit(x, y)["loss"]).all()


def test_an_error_in_one_end_does_not_keep_the_others_from_ending():
    trainer, x, y = make()
    diary = Diary()

    def fail(run):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        trainer.fit(x, y, callbacks=[diary, At("on_train_end", fail)])
    assert diary.entries[-1] == ("train_end", 1, 0)
    assert trainer.history.epochs == 1


@pytest.mark.parametrize(
    ("callbacks", "error", "message"),
    [
        (Diary(), TypeError, "callbacks must be a list of callbacks, got Diary"),
        (3, TypeError, "callbacks must be a list of callbacks, got int"),
        ([Diary], TypeError, r"callbacks\[0\] must be an object, not the class: write Diary\(\)"),
        ([Diary(), print], TypeError, r"callbacks\[1\] must be a fastnn.Callback, got builtin_function"),
        ([BatchDiary(0)], ValueError, r"callbacks\[0\].every must be at least 1, got 0"),
        ([BatchDiary(0.1)], TypeError, r"callbacks\[0\].every must be an integer, got float"),
    ],
)
def test_wrong_callbacks_are_explained(callbacks, error, message):
    trainer, x, y = make()
    before = bits(trainer)
    with pytest.raises(error, match=message):
        trainer.fit(x, y, callbacks=callbacks)
    assert bits(trainer) == before


class Saver(Callback):
    """Keeps the state of everything after some batch of some epoch."""

    def __init__(self, epoch, batch):
        self.at = (epoch, batch)

    def state_dict(self):
        return {"seen": 1}

    def load_state_dict(self, state):
        self.loaded = state["seen"]

    def save(self, run):
        if (run.epoch, run.batch) == self.at:
            trainer = run.trainer
            self.saved = (
                run.state_dict(),
                trainer.net.state_dict(),
                trainer.optimizer.state_dict(),
                trainer.net._tick.copy(),
            )

    on_batch_end = on_epoch_end = save


@pytest.mark.parametrize("at", [(0, 1), (0, 7), (1, 0), (1, 5), (2, 6)])
def test_a_run_goes_on_from_its_state_with_the_same_bits(at, dtype):
    settings = {"epochs": 3, "batch_size": BATCH, "seed": 5, "validation_split": 0.1}
    saver = Saver(*at)
    trainer, x, y = make(dtype)
    history = trainer.fit(x, y, callbacks=[saver], **settings)
    state, weights, optimizer, tick = saver.saved

    class Resumed(Saver):
        def on_train_begin(self, run):
            run.load_state_dict(state)

    Resumed.__name__ = "Saver"
    other, *_ = make(dtype, seed=99)
    other.net.seed = trainer.net.seed
    other.net.load_state_dict(weights)
    other.optimizer.load_state_dict(optimizer)
    other.net._tick[...] = tick
    resumed = Resumed(*at)
    again = other.fit(x, y, callbacks=[resumed], **settings)
    assert bits(other) == bits(trainer)
    for name in ("loss", "accuracy", "val_loss"):
        assert again[name] == history[name]
    assert resumed.loaded == 1


def test_a_state_of_another_run_is_refused():
    trainer, x, y = make()
    saver = Saver(0, 1)
    trainer.fit(x, y, batch_size=BATCH, callbacks=[saver])

    def load(run):
        run.load_state_dict(saver.saved[0])

    for arguments, message in (
        ({"batch_size": 4}, "batch_size must be 5 as in the run to go on with, got 4"),
        ({"batch_size": BATCH, "seed": 3}, "seed must be 0 as in the run to go on with, got 3"),
        (
            {"batch_size": BATCH, "seed": 0},
            r"callbacks must be \['0.Saver'\] as in the run to go on with, got \['0.At'",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            trainer.fit(x, y, callbacks=[At("on_train_begin", load)], **arguments)
        assert trainer.history.epochs == 0
