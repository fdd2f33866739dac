"""Callbacks that end a run: EarlyStopping and TimeLimit."""

import math
import time

import numpy as np
import pytest

from fastnn import Callback, callbacks
from support.runs import At, bits, interrupted, make

pytestmark = pytest.mark.usefixtures("backend")


class Script(Callback):
    """Records given values, one an epoch, and keeps the parameters of each."""

    def __init__(self, *values, name="val_loss"):
        self.values, self.name, self.kept = values, name, [None]

    def on_epoch_end(self, run):
        run.logs[self.name] = self.values[run.epoch - 1]
        self.kept.append(bits(run.trainer))


STORIES = {
    # values, arguments, epochs that are run, best epoch
    "patience": ((3, 2, 1, 2, 2, 2, 0), {"patience": 3}, 6, 3),
    "one": ((3, 3, 1), {"patience": 1}, 2, 1),
    "none_needed": ((3, 2, 1), {"patience": 1}, 3, 3),
    "starts_again": ((3, 4, 2, 4, 1, 9), {"patience": 2}, 6, 5),
    "min_delta": ((3, 2.95, 2.91, 2), {"patience": 2, "min_delta": 0.1}, 3, 1),
    "relative": ((100, 95, 89, 88, 85, 80), {"patience": 2, "min_delta": 0.1, "relative": True}, 5, 3),
    "relative_max": ((1, 1.05, 1.2, 1.3), {"patience": 2, "min_delta": 0.1, "relative": True, "mode": "max"}, 4, 3),
    "relative_negative": ((-10, -10.5, -12), {"patience": 2, "min_delta": 0.1, "relative": True}, 3, 3),
    "max": ((1, 2, 1, 1), {"patience": 2, "mode": "max"}, 4, 2),
    "nan": ((math.nan, math.nan, 1), {"patience": 2}, 2, 0),
    "nan_later": ((1, math.nan, math.nan, 0), {"patience": 2}, 3, 1),
    "infinite": ((math.inf, math.inf, 1), {"patience": 2}, 2, 0),
    "baseline": ((3, 2, 1), {"patience": 2, "baseline": 1.5}, 2, 0),
    "baseline_reached": ((3, 1, 2, 2), {"patience": 2, "baseline": 1.5}, 4, 2),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("restore_best", [True, False])
def test_early_stopping(story, restore_best):
    values, arguments, epochs, best = STORIES[story]
    trainer, x, y = make()
    script, stopping = Script(*values), callbacks.EarlyStopping(restore_best=restore_best, **arguments)
    history = trainer.fit(x, y, epochs=len(values), callbacks=[script, stopping])
    assert (history.epochs, stopping.best_epoch) == (epochs, best)
    assert bits(trainer) == script.kept[best if best and restore_best else epochs]
    if epochs < len(values) or story in ("patience", "max", "baseline_reached"):
        assert history.stopped.startswith("val_loss has not improved on ")
        assert history.stopped.endswith(f"since epoch {best}" if best else "since the beginning")
    else:
        assert history.stopped is None


def test_early_stopping_restores_after_ctrl_c_and_begins_anew():
    trainer, x, y = make()
    script, stopping = Script(1, 2, 3), callbacks.EarlyStopping()

    def interrupt(run):
        if run.epoch == 2:
            raise KeyboardInterrupt

    interrupted(trainer, x, y, epochs=3, callbacks=[script, stopping, At("on_epoch_end", interrupt)])
    assert bits(trainer) == script.kept[1]
    trainer.fit(x, y, epochs=2, callbacks=[Script(5, 6), stopping])
    assert (stopping.best, stopping.best_epoch, stopping.waited) == (5, 1, 1)


def test_early_stopping_goes_on_from_its_state():
    stopping = callbacks.EarlyStopping(patience=3)
    trainer, x, y = make()
    trainer.fit(x, y, epochs=3, callbacks=[Script(2, 1, 3), stopping])
    other = callbacks.EarlyStopping(patience=3)
    other.load_state_dict(stopping.state_dict())
    assert (other.best, other.best_epoch, other.waited) == (1, 2, 1)
    np.testing.assert_equal(other.state_dict(), stopping.state_dict())


def test_a_record_that_does_not_exist_is_an_error_that_names_those_there_are():
    trainer, x, y = make()
    message = "monitor: there is no 'val_loss', there are loss, accuracy, seconds; give fit validation data"
    with pytest.raises(ValueError, match=message):
        trainer.fit(x, y, callbacks=[callbacks.EarlyStopping()])
    with pytest.raises(ValueError, match=r"there is no 'los', there are loss, accuracy, seconds$"):
        trainer.fit(x, y, callbacks=[callbacks.EarlyStopping("los", mode="min")])


@pytest.mark.parametrize(
    ("make_one", "error", "message"),
    [
        (lambda: callbacks.EarlyStopping(patience=0), ValueError, "patience must be at least 1, got 0"),
        (lambda: callbacks.EarlyStopping(mode="most"), ValueError, "mode must be one of 'auto', 'min', 'max'"),
        (lambda: callbacks.EarlyStopping(min_delta=-1), ValueError, "min_delta must be at least 0.0, got -1"),
        (lambda: callbacks.EarlyStopping(3), TypeError, "monitor must be the name of a record, got int"),
        (lambda: callbacks.EarlyStopping(restore_best=1), TypeError, "restore_best must be True or False, got 1"),
        (lambda: callbacks.EarlyStopping(baseline="x"), TypeError, "baseline must be a number, got str"),
        (lambda: callbacks.TimeLimit(0), ValueError, "seconds must be greater than 0.0, got 0"),
    ],
)
def test_wrong_arguments_are_explained(make_one, error, message):
    with pytest.raises(error, match=message):
        make_one()


def test_a_time_limit_ends_a_run_amid_an_epoch():
    trainer, x, y = make()
    x, y = np.tile(x, (20_000, 1)), np.tile(y, 20_000)
    began = time.monotonic()
    history = trainer.fit(x, y, batch_size=1, epochs=1000, callbacks=[callbacks.TimeLimit(0.2)])
    assert 0.2 <= time.monotonic() - began < 5
    assert history.stopped == "the time limit of 0.2 s is over"
    assert 0 < trainer.optimizer.step_count[0] < len(x)
    assert trainer.fit(x[:9], y[:9], callbacks=[callbacks.TimeLimit(100)]).stopped is None
