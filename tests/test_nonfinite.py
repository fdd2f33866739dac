"""Losses that are not finite: where they come from is said, in data, parameters or the output of a layer."""

import math
import re

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, nn, optim
from support.runs import BATCH, BATCHES, At, N, bits, make

pytestmark = pytest.mark.usefixtures("backend")


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


@pytest.mark.parametrize("seed", range(4))
def test_bad_data_beside_a_validation_split_is_named_by_its_row(seed):
    x, y = np.ones((20, 2), "float32"), np.zeros((20, 1), "float32")
    x[[11, 17], 1] = np.nan
    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
    with pytest.raises(ValueError, match=r"^x\[(11|17), 1\] is nan: x must be finite$"):
        trainer.fit(x, y, validation_split=0.25, batch_size=4, seed=seed)


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


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("bad", [0, 4, 6, 7])
@pytest.mark.parametrize("progress", [False, True])
def test_the_batch_of_the_rows_is_named_also_within_a_group(bad, accumulate, progress, capsys):
    """A group of batches is undone as a whole, but the batch that is named is the one whose loss overflows."""
    x, y = np.ones((16, 1), "float32"), np.zeros((16, 1), "float32")
    x[2 * bad] = 1e30
    numbers = []
    see = At("on_nonfinite", lambda run: numbers.append((run.nonfinite_batch, run.batch)))
    for stop in (True, False):
        net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0), seed=0)
        trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
        options = {"batch_size": 2, "accumulate": accumulate, "shuffle": False, "progress": progress}
        message = f"the loss of batch {bad + 1} of epoch 1 is not finite: parameters and outputs are finite"
        if stop:
            history = trainer.fit(x, y, callbacks=[see, callbacks.TerminateOnNaN()], **options)
            assert history.stopped.startswith(message)
            assert trainer.run is None
        else:
            with pytest.warns(RuntimeWarning, match=message):
                trainer.fit(x, y, callbacks=[see], **options)
    assert numbers == [(bad + 1, bad - bad % accumulate)] * 2
