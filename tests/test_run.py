"""A run: what it shows to callbacks, and how one ends it."""

import math

import pytest

from fastnn.training.engine import Engine
from support.runs import BATCH, BATCHES, At, BatchDiary, Diary, N, bits, make

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
