"""Callbacks that end a run, and what is said about numbers that are not finite."""

import math
import re
import time

import numpy as np
import pytest

import fastnn
from fastnn import Callback, callbacks, nn, optim
from fastnn._directions import direction
from support.runs import BATCH, BATCHES, At, N, bits, make

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


@pytest.mark.parametrize(
    ("name", "larger"),
    [("val_loss", False), ("val_accuracy", True), ("f1_macro", True), ("val_top_3_accuracy", True), ("roc_auc", True),
     ("r2", True), ("val_mae", False), ("rmse", False), ("seconds", False), ("val_mcc", True), ("val_kappa", True),
     ("val_iou", True), ("val_mIoU", True), ("val_R2", True), ("val_AUC", True), ("policy_loss", False),
     ("policy_accuracy", True), ("val_policy_F1_weighted", True), ("accuracy_loss", False), ("val_log_loss", False),
     ("neg_mean_squared_error", True), ("MeanSquaredError", False), ("balanced_accuracy_score", True), ("Acc@1", True),
     ("error_rate", False), ("val_d2_absolute_error_score", True), ("average_precision", True), ("precision@5", True),
     ("val_brier_score", False), ("false_positive_rate", False), ("top_5_accuracy", True), ("val_perplexity", False)],
)  # fmt: skip
def test_the_mode_is_known_by_the_name(name, larger):
    assert callbacks.EarlyStopping(name).monitor.larger == larger
    assert not callbacks.EarlyStopping(name, mode="min").monitor.larger


@pytest.mark.parametrize("name", ["val_spread", "score", "lr", "accuracy_gap", "grad_norm", "val_", "", "los", "f1ne"])
def test_a_name_that_is_not_known_asks_for_the_mode(name):
    for make_one in (callbacks.EarlyStopping, lambda name, **kw: callbacks.ModelCheckpoint("a", name, **kw)):
        with pytest.raises(ValueError, match=f"mode must be 'min' or 'max' for '{name}'"):
            make_one(name)
        assert [make_one(name, mode=mode).monitor.larger for mode in ("min", "max")] == [False, True]


def test_all_metrics_of_this_package_are_known():
    for name in fastnn.metrics.__all__:
        if name[0].islower() and name not in ("classification_report", "confusion_matrix"):
            direction(name)


def test_early_stopping_restores_after_ctrl_c_and_begins_anew():
    trainer, x, y = make()
    script, stopping = Script(1, 2, 3), callbacks.EarlyStopping()

    def interrupt(run):
        if run.epoch == 2:
            raise KeyboardInterrupt

    history = trainer.fit(x, y, epochs=3, callbacks=[script, stopping, At("on_epoch_end", interrupt)])
    assert history.interrupted
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


# -- numbers that are not finite ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("what", ["x", "y"])
def test_data_that_are_not_finite_are_named_and_teach_nothing(bad, shuffle, what, dtype):
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), seed=0, dtype=dtype)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters()))
    rng = np.random.default_rng(0)
    data = {"x": rng.standard_normal((N, 3)).astype(dtype), "y": rng.standard_normal((N, 2)).astype(dtype)}
    data[what][17, 1] = bad
    with pytest.raises(ValueError, match=rf"^{what}\[17, 1\] is {bad}: {what} must be finite$"):
        trainer.fit(**data, batch_size=BATCH, shuffle=shuffle, epochs=3)
    assert trainer.history.epochs == 0
    assert trainer.optimizer.step_count[0] == net._tick[0] < BATCHES
    assert np.isfinite(net.parameters().data).all()
    before = bits(trainer)
    for _ in range(2):
        with pytest.raises(ValueError, match=rf"^{what}\[17, 1\] is {bad}"):
            trainer.step(data["x"], data["y"])
        assert bits(trainer) == before
        trainer.step(data["x"][:5], data["y"][:5])
        before = bits(trainer)


def test_targets_of_one_column_are_named_as_they_were_given():
    net = nn.Sequential(nn.Linear(3, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
    y = np.zeros(9, "f")
    y[4] = np.nan
    with pytest.raises(ValueError, match=r"^y\[4\] is nan"):
        trainer.fit(np.zeros((9, 3), "f"), y)
    validation = (np.full((2, 3), np.nan, "f"), np.zeros(2, "f"))
    with pytest.raises(ValueError, match=r"^validation x\[0, 0\] is nan"):
        trainer.fit(np.zeros((9, 3), "f"), np.zeros(9, "f"), validation_data=validation)


def test_rows_of_weight_zero_do_not_excuse_numbers_that_are_not_finite():
    """0 * nan is nan: to leave a sample out, leave it out."""
    trainer, x, y = make()
    x[3] = np.nan
    with pytest.raises(ValueError, match=r"x\[3, 0\] is nan"):
        trainer.fit(x, y, sample_weight=np.arange(N) != 3)


def test_a_batch_of_weight_zero_is_not_taken_for_one_that_is_not_finite():
    trainer, x, y = make()
    history = trainer.fit(
        x, y, batch_size=BATCH, shuffle=False, sample_weight=np.arange(N) >= 5, callbacks=[callbacks.TerminateOnNaN()]
    )
    assert history.stopped is None
    assert math.isfinite(history["loss"][0])


def overflow(trainer):
    """Finite parameters with which the second product overflows."""
    trainer.net["3.weight"][...] = np.finfo(trainer.net.dtype).max
    without_fma = fastnn.get_isa() == "sse2" or fastnn.get_backend() == "reference"  # inf - inf within a sum
    return rf"the output of 3 Linear is {'(-?inf|nan)' if without_fma else '-?inf'} for a row of the batch"


def lost(trainer):
    trainer.net["0.bias"][2] = np.nan
    return r"parameter 0.bias\[2\] is nan \(its last gradient is finite\)"


@pytest.mark.parametrize("cause", [overflow, lost])
def test_terminate_on_nan_names_the_first_layer(cause, dtype):
    trainer, x, y = make(dtype)
    trainer.fit(x, y, batch_size=BATCH)
    sentence = []
    at = At("on_epoch_begin", lambda run: sentence.append(cause(run.trainer)))
    before = trainer.optimizer.step_count[0]
    history = trainer.fit(x, y, batch_size=BATCH, epochs=3, callbacks=[at, callbacks.TerminateOnNaN()])
    assert history.epochs == 0
    assert trainer.optimizer.step_count[0] == before
    head = "the loss of batch 1 of epoch 1 is not finite: "
    assert history.stopped.startswith(head)
    assert re.fullmatch(sentence[0], history.stopped.removeprefix(head))


def test_without_it_training_goes_on_as_it_would(dtype):
    trainer, x, y = make(dtype)
    overflow(trainer)
    with pytest.warns(RuntimeWarning, match=r"^the loss of batch 1 of epoch 1 is not finite: ") as warned:
        history = trainer.fit(x, y, batch_size=BATCH, epochs=2)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert history.stopped is None
    assert history.epochs == 2
    assert not math.isfinite(history["loss"][0])
    assert trainer.optimizer.step_count[0] == 2 * BATCHES
    assert not math.isfinite(trainer.step(x, y))
    assert trainer.optimizer.step_count[0] == 2 * BATCHES + 1


def test_a_training_that_diverges_is_stopped():
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=1e3))
    _, x, _ = make()
    history = trainer.fit(x, x.sum(1), batch_size=BATCH, epochs=50, callbacks=[callbacks.TerminateOnNaN()])
    assert "is not finite: " in history.stopped
    assert all(math.isfinite(row["loss"]) for row in history.rows)


def test_validation_that_is_not_finite_ends_the_run_too():
    net = nn.Sequential(nn.Linear(3, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
    _, x, _ = make()
    far = np.full((2, 3), np.finfo("float32").max), np.zeros(2)
    far = tuple(array.astype("float32") for array in far)
    history = trainer.fit(x, x.sum(1), epochs=3, validation_data=far, callbacks=[callbacks.TerminateOnNaN()])
    assert history.stopped == "val_loss of epoch 1 is inf: all parameters are finite"
