"""Losses as metrics: counted in the compiled loop, on both backends."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.metrics.metric import LossMetric
from fastnn.testing.measure import assert_same_bits

ROWS = 37


def samples(outputs=2, dtype="float64"):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, 3)).astype(dtype)
    return x, rng.standard_normal((ROWS, outputs)).astype(dtype), rng.uniform(0.5, 2, ROWS).astype(dtype)


def make(loss, outputs=2, dtype="float64", **keywords):
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, outputs), seed=0, dtype=dtype)
    return fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.05), **keywords)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "loss", [nn.L1Loss(), nn.HuberLoss(), nn.RMSELoss(), nn.MSELoss(reduction="sum"), nn.CosineSimilarityLoss()]
)
def test_the_value_is_that_of_the_loss(loss, weighted, backend):
    x, y, weight = samples()
    weight = weight if weighted else None
    trainer = make(nn.MSELoss(), metrics=[loss])
    expected = float(loss(trainer.net.predict(x), y, weight)[0])
    scores = trainer.evaluate(x, y, sample_weight=weight, batch_size=10)
    assert scores[loss.name] == pytest.approx(expected, rel=1e-12)
    trainer.optimizer.lr = 0.0
    history = trainer.fit(x, y, batch_size=10, sample_weight=weight, validation_data=(x, y))
    assert history[loss.name][0] == pytest.approx(expected, rel=1e-12)
    assert list(history) == ["loss", loss.name, "seconds", "val_loss", f"val_{loss.name}"]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_training_does_not_depend_on_it(accumulate, backend):
    x, y, weight = samples()
    plain, counted = make(nn.MSELoss()), make(nn.MSELoss(), metrics=["mae", nn.L1Loss(), nn.HuberLoss()])
    ends = [t.fit(x, y, epochs=3, batch_size=5, sample_weight=weight, accumulate=accumulate) for t in (plain, counted)]
    assert_same_bits(plain.net.parameters().data, counted.net.parameters().data)
    assert ends[0]["loss"] == ends[1]["loss"]
    np.testing.assert_allclose(ends[1]["mae"], ends[1]["l1_loss"], rtol=1e-12)
    assert counted.step(x, y) == plain.step(x, y)
    assert counted.step(x, y) == plain.step(x, y)  # by the quick path


def test_of_class_indices(backend):
    x, _, weight = samples()
    y = np.arange(ROWS) % 3
    y[4] = -100
    focal = nn.SoftmaxFocalLoss()
    trainer = make(nn.CrossEntropyLoss(label_smoothing=0.1), 3, metrics=[nn.CrossEntropyLoss(), focal])
    scores = trainer.evaluate(x, y, sample_weight=weight, batch_size=7)
    for loss in (nn.CrossEntropyLoss(), focal):
        value, _ = loss(trainer.net.predict(x), y, weight)
        assert scores[loss.name] == pytest.approx(float(value), rel=1e-12)
    assert scores["loss"] > 0 and 0 <= scores["accuracy"] <= 1


def test_of_targets_that_are_missing(backend):
    x, y, _ = samples()
    y[np.random.default_rng(1).random(y.shape) < 0.3] = np.nan
    trainer = make(nn.MSELoss(), metrics=[nn.L1Loss()], missing="ignore")
    assert trainer.evaluate(x, y, batch_size=9)["l1_loss"] == pytest.approx(np.nanmean(abs(trainer.net.predict(x) - y)))


def test_names_and_errors():
    x, y, _ = samples()
    named = LossMetric(nn.L1Loss(), name="median_loss")
    assert "median_loss" in make(nn.MSELoss(), metrics=[named]).evaluate(x, y)
    stopping = fastnn.callbacks.EarlyStopping("val_l1_loss", patience=1)
    make(nn.MSELoss(), metrics=[nn.L1Loss()]).fit(x, y, epochs=2, validation_data=(x, y), callbacks=[stopping])
    with pytest.raises(ValueError, match="a record named 'l1_loss' already"):
        make(nn.MSELoss(), metrics=[nn.L1Loss(), nn.L1Loss()])
    with pytest.raises(ValueError, match=r"metrics: L1Loss.* takes no class indices"):
        make(nn.CrossEntropyLoss(), metrics=[nn.L1Loss()]).evaluate(x, np.zeros(ROWS, int))
    with pytest.raises(ValueError, match='reduction "mean" or "sum", got "none"'):
        make(nn.MSELoss(), metrics=[nn.L1Loss(reduction="none")])
    with pytest.raises(TypeError, match=r"a metric can be a loss of fastnn\.nn for one output array"):
        make(nn.MSELoss(), metrics=[nn.python_loss.PythonLoss(lambda a, b: (0.0, a))])
