"""Weights of single elements, and targets that are missing: in losses, gradients and metrics of both backends."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits

ROWS, OUTPUTS = 23, 3
LOSSES = {
    "mse": nn.MSELoss,
    "mse_sum": lambda: nn.MSELoss(reduction="sum"),
    "l1": nn.L1Loss,
    "huber": nn.HuberLoss,
    "rmse": nn.RMSELoss,
    "quantile": lambda: nn.QuantileLoss(q=[0.25, 0.5, 0.75]),
    "bce": nn.BCEWithLogitsLoss,
    "poisson": nn.PoissonNLLLoss,
}
EVERY_LOSS = pytest.mark.parametrize("name", LOSSES)


def samples(name="mse", dtype="float64", missing=True):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, 4)).astype(dtype)
    y = rng.standard_normal((ROWS, OUTPUTS)).astype(dtype)
    if name == "bce":
        y = (y > 0).astype(dtype)
    elif name == "poisson":
        y = np.floor(abs(2 * y))
    weight = rng.uniform(0.5, 2, (ROWS, OUTPUTS)).astype(dtype)
    weight[rng.random((ROWS, OUTPUTS)) < 0.2] = 0
    if missing:
        y[rng.random((ROWS, OUTPUTS)) < 0.3] = np.nan
    return x, y, weight


def make(name="mse", dtype="float64", **keywords):
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, OUTPUTS), seed=0, dtype=dtype)
    return fastnn.Trainer(net, LOSSES[name](), optim.SGD(net.parameters(), lr=0.05), **keywords)


def expected(name, net, x, y, weight):
    """The weighted mean over the elements that are there, one after the other, by the function of the loss."""
    loss = LOSSES[name]()
    weight = np.broadcast_to(1.0 if weight is None else weight if weight.ndim > 1 else weight[:, None], y.shape)
    weight = np.where(np.isnan(y), 0, weight)
    value, gradient = loss(net.predict(x), np.where(np.isnan(y), 0.5, y), weight.astype(x.dtype))
    return float(value), gradient


@EVERY_LOSS
@pytest.mark.parametrize("weights", ["none", "rows", "elements"])
@pytest.mark.parametrize("missing", [False, True])
def test_loss_and_gradients(name, weights, missing, backend):
    x, y, weight = samples(name, missing=missing)
    weight = {"none": None, "rows": weight[:, 0], "elements": weight}[weights]
    trainer = make(name, missing="ignore" if missing else "error")
    net = trainer.net
    value, gradient = expected(name, net, x, y, weight)
    assert trainer.evaluate(x, y, sample_weight=weight)["loss"] == pytest.approx(value, rel=1e-12)
    twin = nn.Sequential(*[nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, OUTPUTS)], dtype="float64")
    twin.load_state_dict(net.state_dict())
    twin(x)
    twin.zero_grad()
    twin.backward(gradient)
    assert trainer.step(x, y, sample_weight=weight) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(net.parameters().grad, twin.parameters().grad, rtol=1e-10, atol=1e-14)


@EVERY_LOSS
def test_gradients_by_central_differences(name, backend):
    x, y, weight = samples(name)
    trainer = make(name, missing="ignore")
    trainer.optimizer.lr = 0.0
    trainer.step(x, y, sample_weight=weight)
    values, h = trainer.net.parameters().data, 1e-6
    for i in (0, 5, 24, 30):
        at, gradient = values[i], trainer.net.parameters().grad[i]
        losses = []
        for values[i] in (at + h, at - h):
            losses.append(trainer.evaluate(x, y, sample_weight=weight)["loss"])
        values[i] = at
        assert gradient == pytest.approx((losses[0] - losses[1]) / (2 * h), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["weights", "missing", "both"])
def test_fit_of_both_backends(kind, dtype):
    """Batches of any size minimize the mean over all elements that are there."""
    x, y, weight = samples(dtype=dtype, missing=kind != "weights")
    keywords = {} if kind == "missing" else {"sample_weight": weight}
    ends = []
    for backend in ("native", "reference"):
        with fastnn.use_backend(backend):
            trainer = make(dtype=dtype, missing="error" if kind == "weights" else "ignore", metrics=["mae", "mse"])
            history = trainer.fit(x, y, epochs=3, batch_size=5, seed=1, validation_data=(x, y), **keywords)
        np.testing.assert_allclose(history["loss"], history["mse"], rtol=1e-5)
        ends.append([trainer.net.parameters().data, history["val_loss"], history["loss"], history["mae"]])
    for native, reference in zip(*ends, strict=True):
        np.testing.assert_allclose(native, reference, rtol=2e-4 if dtype == "float32" else 1e-10, atol=1e-6)


@pytest.mark.parametrize("accumulate", [1, 100])
def test_the_gradient_of_an_epoch_is_that_of_all_samples(accumulate, backend):
    x, y, weight = samples()
    whole, pieces = make(missing="ignore"), make(missing="ignore")
    whole.fit(x, y, batch_size=None, sample_weight=weight, shuffle=False)
    pieces.fit(x, y, batch_size=4, accumulate=6, sample_weight=weight, shuffle=False)
    np.testing.assert_allclose(whole.net.parameters().data, pieces.net.parameters().data, rtol=1e-12)


def test_a_mask_is_a_weight(backend):
    x, y, _ = samples()
    masked, ignoring = make(), make(missing="ignore")
    for trainer, target, more in ((masked, np.nan_to_num(y), {"sample_weight": ~np.isnan(y)}), (ignoring, y, {})):
        trainer.fit(x, target, epochs=2, batch_size=5, seed=3, **more)
    np.testing.assert_allclose(masked.net.parameters().data, ignoring.net.parameters().data, rtol=1e-12)


def test_metrics_are_of_the_elements_that_are_there(backend):
    x, y, weight = samples()
    trainer = make(missing="ignore", metrics=["mae", "mse", "rmse", "r2"])
    scores = trainer.evaluate(x, y, sample_weight=weight, batch_size=5)
    weight = np.where(np.isnan(y), 0, weight)
    error = np.nan_to_num(trainer.net.predict(x) - y)
    each = (weight * error**2).sum(0) / weight.sum(0)
    mean = (weight * np.nan_to_num(y)).sum(0) / weight.sum(0)
    spread = (weight * (np.nan_to_num(y) - mean) ** 2).sum(0) / weight.sum(0)
    assert scores["mse"] == pytest.approx(scores["loss"])
    assert scores["mae"] == pytest.approx((weight * abs(error)).sum() / weight.sum())
    assert scores["rmse"] == pytest.approx(np.sqrt(each).mean())
    assert scores["r2"] == pytest.approx((1 - each / spread).mean())


def test_accuracy_of_labels_that_are_there(backend):
    x, y, weight = samples("bce")
    trainer = make("bce", missing="ignore", metrics=["precision"])
    scores = trainer.evaluate(x, y, sample_weight=weight)
    weight, called = np.where(np.isnan(y), 0, weight), trainer.net.predict(x) > 0
    assert scores["accuracy"] == pytest.approx((weight * (called == (y > 0.5))).sum() / weight.sum())
    right, all_called = (weight * (called & (y > 0.5))).sum(0), (weight * called).sum(0)
    each = np.divide(right, all_called, out=np.zeros(OUTPUTS), where=all_called > 0)
    assert scores["precision"] == pytest.approx(each.mean())


def test_a_batch_without_targets_changes_nothing(backend):
    x, y, _ = samples()
    y[:10] = np.nan
    trainer = make(missing="ignore")
    before = trainer.net.parameters().data.copy()
    assert np.isnan(trainer.step(x[:10], y[:10]))
    assert_same_bits(trainer.net.parameters().data, before)
    assert np.isfinite(trainer.fit(x, y, epochs=2, batch_size=5, shuffle=False)["loss"]).all()
    with pytest.warns(RuntimeWarning, match="is 0 for all samples"):
        trainer.fit(x[:10], y[:10])


def test_streams_and_splits():
    x, y, weight = samples()
    whole, batches = make(missing="ignore"), make(missing="ignore")
    whole.fit(x, y, batch_size=None, sample_weight=weight, shuffle=False)
    batches.fit([(x, y, weight)])
    np.testing.assert_allclose(whole.net.parameters().data, batches.net.parameters().data, rtol=1e-12)
    history = whole.fit(x, y, sample_weight=weight, validation_split=0.25, batch_size=4, epochs=2)
    assert np.isfinite(history["val_loss"]).all()


def test_what_is_refused():
    x, y, weight = samples()
    with pytest.raises(ValueError, match=r"y\[\d+, \d\] is nan: y must be finite"):
        make().fit(x, y)
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(23,\).*one a target"):
        make().fit(x, np.nan_to_num(y), sample_weight=weight[:, :2])
    with pytest.raises(ValueError, match="missing must be"):
        make(missing="drop")
    with pytest.raises(ValueError, match="metrics: median_absolute_error is computed of whole samples"):
        make(missing="ignore", metrics=["median_absolute_error"]).evaluate(x, y)
    y[3, 1] = np.inf
    with pytest.raises(ValueError, match=r"y\[3, 1\] is inf"):
        make(missing="ignore").fit(x, y)
    net = nn.Sequential(nn.Linear(4, 3), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), missing="ignore")
    with pytest.raises(TypeError, match="missing='ignore' needs a loss of elements"):
        trainer.fit(x, np.zeros(ROWS, int))
    trainer.missing = "error"
    with pytest.raises(ValueError, match="sample_weight must have shape"):
        trainer.fit(x, np.zeros(ROWS, int), sample_weight=weight)
    assert trainer.missing == "error"


def test_a_single_output_takes_a_column_of_weights(backend):
    x, y, weight = samples(missing=False)
    net = nn.Sequential(nn.Linear(4, 1), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
    scores = [trainer.evaluate(x, y[:, 0], sample_weight=w)["loss"] for w in (weight[:, 0], weight[:, :1])]
    assert scores[0] == scores[1]
