"""The Kullback-Leibler divergence and the Gaussian likelihood."""

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
