"""The range test: its curve is that of a loop, it finds a good rate, and it leaves no trace."""

import math
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import fastnn
from fastnn import LRFinder, nn, optim
from fastnn.optim import lr_scheduler as schedulers


def make(dtype="float64", optimizer=optim.SGD, layers=(), **keywords):
    net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), *layers, nn.Linear(16, 1), seed=0, dtype=dtype)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer(net.parameters(), **keywords))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 4)).astype(dtype)
    return trainer, x, x @ np.array([[1.0], [-2.0], [0.5], [3.0]], dtype) + 0.1


def everything(trainer):
    """All that could be touched, as bytes."""
    trainer.history = None
    return pickle.dumps((trainer, trainer.scheduler and trainer.scheduler.state_dict(), trainer.net._tick))


def test_the_curve_is_that_of_a_loop(dtype, backend):
    trainer, x, y = make(dtype, optim.Adam)
    result = trainer.find_lr(x, y, start=1e-5, stop=1e-1, steps=20, batch_size=16, seed=3)
    np.testing.assert_allclose(result.lrs, np.geomspace(1e-5, 1e-1, 20), rtol=1e-12)
    losses = []
    for epoch in range(4):
        order = fastnn._core.random.permutation(3, epoch, 100)
        for i in range(0, 96, 16):
            if len(losses) < 20:
                trainer.optimizer.lr = result.lrs[len(losses)]
                losses.append(trainer.step(x[order[i : i + 16]], y[order[i : i + 16]]))
    assert result.losses.tolist() == losses and not result.diverged
    weights = [0.9 ** np.arange(i, -1, -1.0) for i in range(20)]
    smoothed = [(w * losses[: i + 1]).sum() / w.sum() for i, w in enumerate(weights)]
    np.testing.assert_allclose(result.smoothed, smoothed, rtol=1e-12)


@pytest.mark.parametrize("end", ["plain", "diverges", "error"])
def test_nothing_is_touched(end, backend):
    trainer, x, y = make("float32", optim.Adam, [nn.Dropout(0.3)], lr=0.01)
    trainer.scheduler = schedulers.OneCycleLR(trainer.optimizer, 0.1, 1000)
    trainer.fit(x, y, epochs=2)
    twin = pickle.loads(pickle.dumps(trainer))
    before = everything(trainer)
    if end == "error":
        with pytest.raises(ValueError, match="is nan"):
            trainer.find_lr(x, np.full_like(y, np.nan))
    else:
        assert trainer.find_lr(x, y, stop=1e6 if end == "diverges" else 0.1).diverged == (end == "diverges")
    assert everything(trainer) == before
    for t in (trainer, twin):
        t.fit(x, y, epochs=1)
    assert trainer.net.parameters().data.tobytes() == twin.net.parameters().data.tobytes()


def test_the_suggestion_trains():
    """Faster than a tenth of it, and without diverging."""
    trainer, x, y = make()
    result = trainer.find_lr(x, y, stop=100, seed=0)
    assert result.diverged and 1e-3 < result.suggestion() < 1
    losses = []
    for rate in (result.suggestion(), result.suggestion() / 10):
        trainer, *_ = make(lr=rate)
        losses.append(trainer.fit(x, y, epochs=5, batch_size=32)["loss"][-1])
    assert losses[0] < losses[1] and losses[0] < result.losses[0] / 2


def test_the_test_ends_where_the_loss_diverges(backend):
    trainer, x, y = make()
    trainer.net["2.weight"][...] *= 0  # the loss begins at that of the mean
    result = trainer.find_lr(x, y, start=1e-4, stop=1e4, steps=200, diverge=2.0)
    assert result.diverged and 5 < len(result.lrs) < 200
    assert len(result.lrs) == len(result.losses) == len(result.smoothed)
    best = np.minimum.accumulate(result.smoothed)
    assert (result.smoothed[:-1] <= 2 * best[:-1]).all() and result.smoothed[-1] > 2 * best[-1]


def test_losses_that_are_not_finite_end_it(backend):
    trainer, x, _ = make()
    trainer.loss = lambda y_pred, y: (math.nan if trainer_ticks(y_pred) else 1.0, np.ones_like(y_pred))
    seen = []

    def trainer_ticks(y_pred):
        seen.append(len(y_pred))
        return len(seen) == 12

    result = trainer.find_lr(x, np.zeros((100, 1)), steps=50)
    assert result.diverged and result.losses.tolist() == [1.0] * 11
    with pytest.raises(ValueError, match=r"the loss does not fall by more than its noise between .* and"):
        result.suggestion()


def test_a_few_rows_are_one_batch_again_and_again():
    trainer, x, y = make()
    result = trainer.find_lr(x[:5], y[:5], steps=12, mode="linear", start=0.001, stop=0.012)
    np.testing.assert_allclose(result.lrs, np.linspace(0.001, 0.012, 12), rtol=1e-12)
    assert len(result.losses) == 12 and result.losses[-1] < result.losses[0]
    assert result.suggestion() in result.lrs


def test_metrics_do_not_matter(backend):
    trainer, x, y = make()
    counting = fastnn.Trainer(trainer.net, trainer.loss, trainer.optimizer, metrics=["mae", "r2"])
    assert np.array_equal(counting.find_lr(x, y).losses, trainer.find_lr(x, y).losses)


def test_negative_losses_do_not_end_it():
    trainer, x, _ = make()
    trainer.loss = lambda y_pred, y: (-1.0, np.zeros_like(y_pred))
    assert not trainer.find_lr(x, np.zeros((100, 1)), steps=10).diverged


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 0.0}, "start must be greater than 0"),
        ({"start": 1.0, "stop": 0.1}, "stop must be greater than 1.0"),
        ({"stop": math.inf}, "stop must be .* less than inf"),
        ({"steps": 1}, "steps must be at least 2, got 1"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"mode": "log"}, "mode must be one of 'exponential', 'linear', got 'log'"),
        ({"smoothing": 1.0}, "smoothing must be .* less than 1.0"),
        ({"diverge": 1.0}, "diverge must be greater than 1.0"),
        ({"sample_weight": np.ones(3)}, r"sample_weight must have shape \(100,\)"),
    ],
)
def test_bad_arguments_are_named(options, message):
    trainer, x, y = make()
    with pytest.raises(ValueError, match=message):
        trainer.find_lr(x, y, **options)


def test_few_points_suggest_nothing():
    result = LRFinder(np.array([1.0, 2.0]), np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="only 2 batches were finite"):
        result.suggestion()
    assert repr(result) == "LRFinder(2 batches, lr 1 to 2)"
    assert repr(LRFinder(*[np.empty(0)] * 3)) == "LRFinder(no batches)"


def test_no_rows_are_refused():
    trainer, x, y = make()
    with pytest.raises(ValueError, match="x must have at least one row"):
        trainer.find_lr(x[:0], y[:0])


class Axes:
    """Writes down what is drawn."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *args, **keywords: self.calls.append((name, args, keywords))


def test_the_curve_can_be_plotted(monkeypatch):
    trainer, x, y = make()
    result = trainer.find_lr(x, y)
    axes = Axes()
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", SimpleNamespace(subplots=lambda: (None, axes)))
    assert result.plot() is axes
    assert [name for name, *_ in axes.calls[:3]] == ["plot", "plot", "axvline"]
    assert axes.calls[0][1] == (result.lrs, result.losses) and axes.calls[3][1] == ("log",)
    flat = LRFinder(np.linspace(1, 2, 6), np.ones(6), np.ones(6), "linear")
    given = Axes()
    assert flat.plot(given) is given and given.calls[2][1] == ("linear",)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="plot needs matplotlib: pip install matplotlib"):
        result.plot()
