"""The Kullback-Leibler divergence, the Gaussian likelihood, and deviances."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support.losses import ROWS, make_trainer


def test_the_divergence_is_the_mean_of_rows(backend, rng):
    log_p, q, each = F.log_softmax(rng.normal(size=(6, 4))), rng.dirichlet(np.ones(4), 6), rng.uniform(size=6)
    rows = (q * (np.log(q) - log_p)).sum(axis=1)
    assert F.kl_div(log_p, q, "batchmean") == pytest.approx(rows.mean())
    assert F.kl_div(log_p, q, "batchmean", each) == pytest.approx(np.average(rows, weights=each))
    assert np.isnan(F.kl_div(log_p, -q))
    np.testing.assert_allclose(F.kl_div_backward(1.0, log_p, q, "batchmean"), -q / 6)
    net = nn.Sequential(nn.Linear(3, 4), nn.LogSoftmax(), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.KLDivLoss("batchmean"), optim.SGD(net.parameters(), lr=0.0))
    x = rng.normal(size=(6, 3))
    expected = F.kl_div(net.predict(x), q, "batchmean", each)
    for batch_size in (4, 6):  # exact over uneven batches
        history = trainer.fit(x, q, sample_weight=each, batch_size=batch_size)
        assert history["loss"][0] == pytest.approx(expected)


def test_means_and_variances(x, rng, backend):
    """The network's second half becomes variances by softplus; the gradient is that of the whole."""
    loss, target = nn.GaussianNLLLoss(full=True), rng.normal(size=(ROWS, 2))
    outputs = rng.normal(size=(ROWS, 4))
    value, grad = loss(outputs, target)
    mean, raw = outputs[:, :2], outputs[:, 2:]
    variance = np.log1p(np.exp(raw))
    expected = 0.5 * (np.log(2 * np.pi * variance) + (mean - target) ** 2 / variance)
    assert value == pytest.approx(expected.mean())
    for index in ((0, 0), (3, 1), (5, 2), (7, 3)):
        moved = [outputs.copy() for _ in range(2)]
        moved[0][index] += 1e-6
        moved[1][index] -= 1e-6
        assert grad[index] == pytest.approx((loss(moved[0], target)[0] - loss(moved[1], target)[0]) / 2e-6, rel=1e-4)
    trainer = make_trainer(loss)
    before = trainer.evaluate(x, target)["loss"]
    assert before == pytest.approx(loss(trainer.net.predict(x), target)[0])
    assert trainer.fit(x, target, epochs=50)["loss"][-1] < before
    with pytest.raises(ValueError, match=r"y must have shape \(24, 2\) for 24 samples and 2 outputs"):
        trainer.step(x, np.zeros((ROWS, 4)))


def sklearn_deviance(y_true, y_pred, power):
    """mean_tweedie_deviance of scikit-learn before its mean, line by line."""
    p = power
    if p < 0:
        return 2 * (
            np.maximum(y_true, 0) ** (2 - p) / ((1 - p) * (2 - p))
            - y_true * y_pred ** (1 - p) / (1 - p)
            + y_pred ** (2 - p) / (2 - p)
        )
    if p == 0:
        return (y_true - y_pred) ** 2
    if p == 1:
        xlogy = np.where(y_true == 0, 0, y_true * np.log(np.maximum(y_true, 1e-300) / y_pred))
        return 2 * (xlogy - y_true + y_pred)
    if p == 2:
        return 2 * (np.log(y_pred / y_true) + y_true / y_pred - 1)
    return 2 * (
        y_true ** (2 - p) / ((1 - p) * (2 - p)) - y_true * y_pred ** (1 - p) / (1 - p) + y_pred ** (2 - p) / (2 - p)
    )


@pytest.mark.parametrize("power", [-2.0, -0.5, 0.0, 1.0, 1.25, 1.5, 1.9, 2.0, 2.5, 3.0])
def test_deviances_are_those_of_scikit_learn(power, rng, backend):
    y, mean, w = rng.gamma(1.5, size=50), rng.gamma(2.0, size=50) + 0.1, rng.uniform(size=50)
    if power < 2:
        y[::5] = 0.0
    if power <= 0:
        y[1::5] *= -1
    each = sklearn_deviance(y, mean, power)
    for x, log_input in ((mean, False), (np.log(mean), True)):
        np.testing.assert_allclose(F.tweedie_loss(x, y, "none", None, power, log_input), each, rtol=1e-9, atol=1e-12)
        value = F.tweedie_loss(x, y, sample_weight=w, power=power, log_input=log_input)
        assert value == pytest.approx(np.average(each, weights=w))
        if power == 2:
            assert F.gamma_loss(x, y, sample_weight=w, log_input=log_input) == value


def test_deviances_at_the_ends(dtype, isa, backend):
    """The mean 0 or infinity costs infinitely much, unless nothing was expected; no NaN on the way there."""
    zero_and_more = np.array([0.0, 0.0, 2.0, 2.0], dtype)
    ends = np.array([0.0, np.inf, 0.0, np.inf], dtype)
    for power in (1.0, 1.5):
        loss = F.tweedie_loss(ends, zero_and_more, "none", power=power)
        np.testing.assert_array_equal(loss, [0, np.inf, np.inf, np.inf])
    np.testing.assert_array_equal(F.gamma_loss(ends[2:], zero_and_more[2:], "none"), [np.inf, np.inf])
    large = np.array([-1000.0, 1000.0], dtype)
    np.testing.assert_allclose(F.gamma_loss(large, np.ones(2, dtype), "none", log_input=True)[1], 1998)
    assert np.isfinite(F.gamma_loss_backward(1.0, large[1:], np.ones(1, dtype), log_input=True)).all()


@pytest.mark.parametrize(
    ("loss", "bad", "expected"),
    [
        (nn.TweedieLoss(), -1.0, "0 or more"),
        (nn.TweedieLoss(power=1), -1.0, "0 or more"),
        (nn.TweedieLoss(power=3), 0.0, "above 0"),
        (nn.GammaLoss(), 0.0, "above 0"),
        (nn.GammaLoss(log_input=True), -0.5, "above 0"),
    ],
    ids=repr,
)
def test_deviances_refuse_targets_that_do_not_exist(loss, bad, expected, rng, backend):
    y = rng.gamma(2.0, size=(ROWS, 4))
    y[5, 2] = bad
    with pytest.raises(ValueError, match=rf"target\[5, 2\] is {bad:g}: targets must be {expected}"):
        loss(np.ones((ROWS, 4)), y)
    trainer = make_trainer(loss)
    with pytest.raises(ValueError, match=rf"y\[5, 2\] is {bad:g}: targets must be {expected}"):
        trainer.step(rng.normal(size=(ROWS, 3)), y)
    assert nn.TweedieLoss(power=0)(np.ones((ROWS, 4)), -y)[0] > 0


def test_powers_that_are_no_distribution(backend):
    with pytest.raises(ValueError, match=r"power must be 0 or below, or 1 or above, got 0\.5"):
        nn.TweedieLoss(power=0.5)
    with pytest.raises(ValueError, match="power must be"):
        F.tweedie_loss(np.ones(2), np.ones(2), power=np.nan)


def test_a_mean_by_the_gamma_deviance(rng, backend):
    """A bias alone, the logarithm of the mean, ends at the mean of the targets, in training too."""
    y = rng.gamma(2.0, size=(200, 1))
    net = nn.Sequential(nn.Linear(1, 1), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.GammaLoss(log_input=True), optim.SGD(net.parameters(), lr=0.3))
    trainer.fit(np.zeros((200, 1)), y, epochs=100, batch_size=None)
    assert np.exp(net.predict(np.zeros((1, 1))))[0, 0] == pytest.approx(y.mean(), rel=1e-6)
