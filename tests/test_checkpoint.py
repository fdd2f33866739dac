"""Checkpoints: a run cut off anywhere and resumed has the bits of one that was not; what does not fit is named."""

import copy
import os
import signal
import threading

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.files import format as files
from fastnn.files.values import Values
from fastnn.testing.measure import assert_same_bits
from fastnn.training.checkpoint import _state
from support.resumable import EPOCHS, ROWS, Momentary, bits, data, make_trainer
from support.runs import interruptible
from test_model import Scale


class CutOff(fastnn.Callback):
    """Ends the run as a signal would, at its moment number `count`."""

    in_checkpoints = False

    def __init__(self, count, error=KeyboardInterrupt):
        self.count, self.error = count, error

    def on_batch_end(self, run):
        self.count -= 1
        if self.count == 0:
            raise self.error("cut off")

    on_epoch_begin = on_epoch_end = on_train_begin = on_train_end = on_batch_end


def fit(trainer, dtype="float32", **keywords):
    x, y, weight = data(dtype)
    keywords = {"epochs": EPOCHS, "batch_size": 16, "validation_split": 0.2, "sample_weight": weight} | keywords
    return interruptible(trainer, x, y, **keywords)


# Exact resume


@pytest.mark.parametrize("every", [1, 3, 1000, 0.0])
def test_a_run_cut_off_again_and_again_ends_with_the_same_bits(every, dtype, path, backend):
    """Before, between and after batches and epochs; each attempt is a process of its own as far as it can tell."""
    whole = make_trainer(dtype)
    history = fit(whole, dtype, callbacks=[Momentary()])
    attempts = 0
    for count in range(1, 400):
        trainer, own = make_trainer(dtype), Momentary()
        callbacks = [own, CutOff(count if every != 1000 else 3 * count)]
        seen = fit(trainer, dtype, callbacks=callbacks, checkpoint=path, checkpoint_every=every, resume=True)
        attempts = count
        if not seen.interrupted:
            break
    assert attempts > 3
    assert bits(trainer) == bits(whole)
    assert [without_seconds(row) for row in seen.rows] == [without_seconds(row) for row in history.rows]
    assert own.seen == whole.history.epochs


def without_seconds(row):
    return {name: value for name, value in row.items() if name != "seconds"}


def test_callbacks_and_schedules_are_part_of_a_checkpoint(path):
    """EarlyStopping ends the resumed run at the same epoch, with the same best parameters."""

    def make():
        trainer = make_trainer()
        trainer.scheduler = optim.lr_scheduler.CosineAnnealingLR(trainer.optimizer, T_max=100, by="batch")
        return trainer, [fastnn.callbacks.EarlyStopping(patience=2, min_delta=0.02)]

    whole, callbacks = make()
    expected = fit(whole, epochs=50, callbacks=callbacks)
    assert expected.stopped and expected.epochs < 50
    for count in range(3, 60, 4):
        trainer, callbacks = make()
        history = fit(
            trainer, epochs=50, callbacks=[*callbacks, CutOff(count)], checkpoint=path, checkpoint_every=2, resume=True
        )
        if not history.interrupted:
            break
    assert (bits(trainer), history.stopped) == (bits(whole), expected.stopped)
    trainer, callbacks = make()
    assert fit(trainer, epochs=50, callbacks=callbacks, checkpoint=path, resume=True).stopped == expected.stopped
    assert bits(trainer) == bits(whole)


def test_ctrl_c_leaves_a_checkpoint_of_the_last_batch(path):
    """However late the signal comes: there are epochs without end, and the whole run has a few more than were done."""
    whole, trainer, twin = make_trainer(), make_trainer(), make_trainer()
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    history = fit(trainer, epochs=10**9, batch_size=1, checkpoint=path)
    assert history.interrupted
    timer.join()
    twin.load_checkpoint(path)
    assert_same_bits(twin.net.parameters().data, trainer.net.parameters().data)
    epochs = history.epochs + 5
    assert not fit(twin, epochs=epochs, batch_size=1, resume=True).interrupted
    fit(whole, epochs=epochs, batch_size=1)
    assert bits(twin) == bits(whole)


@pytest.mark.parametrize("moment", ["between batches", "between epochs", "between fits"])
def test_save_and_load_by_hand(moment, path, dtype):
    whole = make_trainer(dtype)
    fit(whole, dtype)
    fit(whole, dtype, epochs=2)
    saver = Saver(path, moment)
    trainer = make_trainer(dtype)
    fit(trainer, dtype, callbacks=[saver])
    if moment == "between fits":
        trainer.save_checkpoint(path)
    trainer.net.parameters().data[...] = 0
    other = make_trainer(dtype, seed=99)
    other.load_checkpoint(path)
    assert other.net.seed == trainer.net.seed
    if moment != "between fits":
        history = fit(other, dtype, resume=True)
        assert history.epochs == EPOCHS
    fit(other, dtype, epochs=2)
    assert bits(other) == bits(whole)


class Saver(fastnn.Callback):
    in_checkpoints = False

    def __init__(self, path, moment):
        self.path, self.moment = path, moment

    def on_batch_end(self, run):
        if self.moment == "between batches" and (run.epoch, run.batch) == (2, 2):
            run.trainer.save_checkpoint(self.path)

    def on_epoch_end(self, run):
        if self.moment == "between epochs" and run.epoch == 2:
            run.trainer.save_checkpoint(self.path)


def test_a_finished_run_goes_on_if_more_epochs_are_asked_for(path):
    whole = make_trainer()
    fit(whole, epochs=7)
    fit(make_trainer(), epochs=4, checkpoint=path)
    again = make_trainer()
    assert fit(again, epochs=4, checkpoint=path, resume=True).epochs == 4
    before = bits(again)
    assert fit(again, epochs=4, checkpoint=path, resume=True).epochs == 4
    assert bits(again) == before
    more = make_trainer()
    assert fit(more, epochs=7, checkpoint=path, resume=True).epochs == 7
    assert bits(more) == bits(whole)


class Stop(fastnn.Callback):
    def __init__(self, pause):
        self.pause = pause

    def on_batch_end(self, run):
        if (run.epoch, run.batch) == (1, 2):
            run.stop("enough", pause=self.pause)


@pytest.mark.parametrize("pause", [True, False])
def test_a_stopped_run_stays_stopped_and_a_paused_one_goes_on(pause, path):
    history = fit(make_trainer(), callbacks=[Stop(pause)], checkpoint=path)
    assert (history.epochs, history.stopped) == (1, "enough")
    again = fit(make_trainer(), callbacks=[Stop(pause)], checkpoint=path, resume=True)
    assert (again.epochs, again.stopped) == ((EPOCHS, None) if pause else (1, "enough"))


def test_without_a_checkpoint_resume_begins(path):
    whole, trainer = make_trainer(), make_trainer()
    fit(whole)
    fit(trainer, checkpoint=path, resume=True)
    assert bits(trainer) == bits(whole)
    with pytest.raises(ValueError, match=r"resume=True needs checkpoint=path, or trainer\.load_checkpoint"):
        fit(trainer, resume=True)
    with pytest.raises(TypeError, match="resume must be True or False, got 'yes'"):
        fit(trainer, resume="yes")
    with pytest.raises(ValueError, match="checkpoint_every needs checkpoint=path"):
        fit(trainer, checkpoint_every=3)
    for every, error in ((0, ValueError), (-1.0, ValueError), ("x", TypeError), (True, TypeError)):
        with pytest.raises(error, match="checkpoint_every must be"):
            fit(trainer, checkpoint=path, checkpoint_every=every)
    with pytest.raises(FileNotFoundError):
        fit(trainer, checkpoint=path.parent / "no" / "folder")
    assert bits(trainer)[0] == bits(whole)[0]


def test_an_error_in_a_callback_leaves_the_checkpoint_before_it(path):
    """That moment is then lived through again, for all callbacks."""
    whole = make_trainer()
    fit(whole, callbacks=[Momentary()])
    with pytest.raises(RuntimeError, match="cut off"):
        fit(make_trainer(), callbacks=[Momentary(), CutOff(9, RuntimeError)], checkpoint=path, checkpoint_every=2)
    trainer, own = make_trainer(), Momentary()
    fit(trainer, callbacks=[own], checkpoint=path, resume=True)
    assert (bits(trainer), own.seen) == (bits(whole), EPOCHS)


def test_the_records_of_an_epoch_may_differ(path):
    class Remark(fastnn.Callback):
        def on_epoch_end(self, run):
            if run.epoch % 2:
                run.logs["odd"] = float(run.epoch)

    fit(make_trainer(), callbacks=[Remark()], checkpoint=path)
    history = fit(make_trainer(), callbacks=[Remark()], checkpoint=path, resume=True)
    assert [row.get("odd") for row in history.rows] == [1.0, None, 3.0, None, 5.0][:EPOCHS]


# What does not fit


def other_net(*layers, **keywords):
    def make():
        return make_trainer(layers=[layer() for layer in layers], **keywords)

    return make


LINEAR, OUT = (lambda: nn.Linear(6, 8)), (lambda: nn.Linear(8, 3))
MISFITS = {
    "wider": (other_net(lambda: nn.Linear(6, 9), nn.ReLU, lambda: nn.Linear(9, 3)),
              r"checkpoint has '0\.weight' of shape \(6, 8\), this network \(6, 9\)"),
    "deeper": (other_net(LINEAR, nn.ReLU, nn.Dropout, OUT, lambda: nn.Linear(3, 3)),
               r"checkpoint has no '4\.weight', this network has"),
    "no bias": (other_net(lambda: nn.Linear(6, 8, bias=False), nn.ReLU, nn.Dropout, OUT),
                r"checkpoint has '0\.bias', this network has not"),
    "activation": (other_net(LINEAR, nn.Tanh, nn.Dropout, OUT),
                   r"checkpoint has 'ReLU' as net\.layers\[1\]\.layer, this network 'Tanh'"),
    "argument": (other_net(LINEAR, nn.ReLU, lambda: nn.Dropout(0.25), OUT),
                 r"checkpoint has 0\.5 as net\.layers\[2\]\.p, this network 0\.25"),
    "dtype": (lambda: make_trainer("float64"), r"checkpoint has '0\.weight' in float32, this network in float64"),
    "loss": (lambda: make_trainer(loss=nn.CrossEntropyLoss(label_smoothing=0.1)), "checkpoint has the loss Cross"),
    "optimizer": (lambda: make_trainer(optimizer=optim.SGD), "checkpoint has the optimizer Adam, this trainer SGD"),
    "states": (lambda: make_trainer(optimizer=lambda p: optim.Adam(p, amsgrad=True)), "states must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_a_checkpoint_of_something_else_is_refused_and_changes_nothing(name, path):
    make, message = MISFITS[name]
    fit(make_trainer(), checkpoint=path)
    trainer = make()
    before = copy.deepcopy(_state(trainer))
    with pytest.raises(ValueError, match=f"{path} does not fit: .*{message}"):
        trainer.load_checkpoint(path)
    with pytest.raises(ValueError, match=message):
        fit(trainer, trainer.net.dtype, checkpoint=path, resume=True)
    assert_same_state(_state(trainer), before)


def assert_same_state(state, expected):
    if isinstance(expected, dict):
        assert list(state) == list(expected)
        for key, value in expected.items():
            assert_same_state(state[key], value)
    elif isinstance(expected, np.ndarray):
        assert_same_bits(state, expected)
    else:
        assert state == expected


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"rows": ROWS - 5}, "samples must be 96 as in the run to go on with, got 92"),
        ({"batch_size": 17}, "batch_size must be 16 as in the run to go on with, got 17"),
        ({"seed": 4}, "seed must be 1 as in the run to go on with, got 4"),
        ({"shuffle": False}, "shuffle must be True as in the run"),
        ({"callbacks": [Momentary()]}, r"callbacks must be \[\] as in the run to go on with, got \['0.Momentary'\]"),
        ({"epochs": -1}, "epochs must be at least 0"),
    ],
)
def test_a_run_with_other_settings_is_refused_and_changes_nothing(keywords, message, path):
    fit(make_trainer(), callbacks=[Stop(True)][:0], checkpoint=path)
    trainer = make_trainer(seed=5)
    before = copy.deepcopy(_state(trainer))
    rows = keywords.pop("rows", ROWS)
    x, y, weight = (array[:rows] for array in data())
    settings = {"epochs": EPOCHS, "batch_size": 16, "validation_split": 0.2, "sample_weight": weight}
    with pytest.raises(ValueError, match=message):
        trainer.fit(x, y, checkpoint=path, resume=True, **settings | keywords)
    assert_same_state(_state(trainer), before)


def test_files_of_another_kind_are_refused(path):
    trainer = make_trainer()
    trainer.net.save(path)
    with pytest.raises(fastnn.FileFormatError, match=r"is a 'model', not a 'checkpoint': read it by fastnn\.load"):
        trainer.load_checkpoint(path)
    trainer.save_checkpoint(path)
    with pytest.raises(fastnn.FileFormatError, match=r"is a 'checkpoint', not a 'model'"):
        fastnn.load(path)
    for content in ({}, {"state": 3}, {"state": {"dict": []}}, {"state": {"array": "x"}}):
        files.write(path, "checkpoint", {}, content)
        with pytest.raises(fastnn.FileFormatError, match=r"nothing that fastnn writes|not as fastnn writes"):
            trainer.load_checkpoint(path)
    with pytest.raises(FileNotFoundError):
        trainer.load_checkpoint(path.parent / "nothing")


def test_damage_is_noticed(path, rng):
    trainer = make_trainer()
    trainer.save_checkpoint(path)
    good, before = path.read_bytes(), bits(trainer)
    for place in rng.integers(0, len(good), 300).tolist():
        path.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
        with pytest.raises(fastnn.FileFormatError):
            trainer.load_checkpoint(path)
        path.write_bytes(good[:place])
        with pytest.raises(fastnn.FileFormatError):
            trainer.load_checkpoint(path)
    assert bits(trainer) == before


def test_an_architecture_that_no_file_holds_has_checkpoints_all_the_same(path):
    def make(function):
        layers = [nn.Linear(6, 3), Scale(1.5, pair=function)]
        return make_trainer(layers=layers)

    trainer = make(abs)
    fit(trainer, checkpoint=path)
    twin = make(min)
    twin.load_checkpoint(path)
    assert bits(twin)[0] == bits(trainer)[0]
    with pytest.raises(ValueError, match=r"checkpoint has .* as net\.layers\[1\]\.pair, this network"):
        make((1, 2)).load_checkpoint(path)


def test_a_checkpoint_saved_outside_of_a_run_has_none_to_resume(path):
    x, y, _ = data()
    options = {"batch_size": 16, "seed": 3}
    trainer, twin, whole = make_trainer(), make_trainer(), make_trainer()
    trainer.fit(x, y, epochs=2, **options)
    trainer.save_checkpoint(path)
    twin.load_checkpoint(path)
    message = r"saved outside of a run, so there is none to resume: fit\(\.\.\., initial_epoch=2\) continues"
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            twin.fit(x, y, epochs=4, resume=True, **options)
    twin.fit(x, y, epochs=4, initial_epoch=2, **options)
    whole.fit(x, y, epochs=4, **options)
    assert bits(twin)[0] == bits(whole)[0]
    with pytest.raises(ValueError, match=r"resume=True needs checkpoint=path, or trainer\.load_checkpoint"):
        twin.fit(x, y, epochs=6, resume=True, **options)


def test_a_checkpoint_knows_which_parameters_are_frozen(path):
    first, second = make_trainer(), make_trainer()
    first.net[0].requires_grad_(False)
    first.save_checkpoint(path)
    before = copy.deepcopy(_state(second))
    with pytest.raises(ValueError, match=r"checkpoint has 0\.bias, 0\.weight frozen, this network has not"):
        second.load_checkpoint(path)
    assert_same_state(_state(second), before)
    second.net[0].requires_grad_(False)
    second.load_checkpoint(path)
    second.net[3].requires_grad_(False)
    with pytest.raises(ValueError, match=r"this network has 3\.bias, 3\.weight frozen, checkpoint has not"):
        second.load_checkpoint(path)


def test_a_checkpoint_of_an_earlier_version_does_not_say_what_is_frozen(path):
    trainer, tensors = make_trainer(), {}
    trainer.save_checkpoint(path)
    content, state = files.read(path, "checkpoint")[1], _state(trainer)
    del state["net"]["frozen"]
    content["state"] = Values(tensors).encode(state, "")
    files.write(path, "checkpoint", tensors, content)
    trainer.net[0].requires_grad_(False)
    trainer.load_checkpoint(path)
    assert not trainer.net[0].requires_grad


def test_arguments_that_a_layer_has_since_then_may_have_their_defaults(tmp_path):
    """A checkpoint from before BatchNorm1d had `bias` is one of a layer with bias=True."""
    from fastnn.training.checkpoint import _difference

    now = {"layer": "BatchNorm1d", "arguments": {"num_features": 4, "bias": True, "eps": 1e-5}}
    before = {"layer": "BatchNorm1d", "arguments": {"num_features": 4, "eps": 1e-5}}
    assert _difference([before], [now], "net") is None
    without = {"layer": "BatchNorm1d", "arguments": {"num_features": 4, "bias": False, "eps": 1e-5}}
    assert "BatchNorm1d" in str(before) and _difference([before], [without], "net")
    assert _difference([now], [before], "net")
