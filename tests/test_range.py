"""Squares that are out of the range of their dtype: what is made of them is right wherever it is a number.

Everything here is homogeneous, so that the truth is what comes out for ordinary numbers; factors are powers of two.
"""

import numpy as np
import pytest

import fastnn
import fastnn.functional as F
from fastnn import nn, optim
from fastnn.optim.functional import max_norm_, total_norm

# Squares of such numbers are infinite, or 0.
FACTORS = {"float32": (2.0**84, 2.0**110, 2.0**-90), "float64": (2.0**560, 2.0**1000, 2.0**-600)}
CASES = [(dtype, factor) for dtype, factors in FACTORS.items() for factor in factors]
EVERY_CASE = pytest.mark.parametrize(("dtype", "factor"), CASES)


def near(actual, expected, dtype):
    rtol = 64 * float(np.finfo(dtype).eps)  # longest sum here: 67 numbers
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@EVERY_CASE
def test_normalization_of_rows(dtype, factor, isa, backend, rng):
    x, g = (rng.normal(size=(5, 67)).astype(dtype) for _ in range(2))
    x[0] += 3
    far = x * x.dtype.type(factor)
    for name in ("layer_norm", "rms_norm"):
        forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
        near(forward(far, eps=0.0), forward(x, eps=0.0), dtype)
        expected, actual = (backward(g, values, eps=0.0) for values in (x, far))
        near(actual[0].astype("longdouble") * factor, expected[0], dtype)
        near(actual[1], expected[1], dtype)
        if factor > 1:
            near(forward(far), forward(x, eps=0.0), dtype)


@EVERY_CASE
def test_batch_norm(dtype, factor, isa, backend, rng):
    x, g = (rng.normal(size=(67, 21)).astype(dtype) for _ in range(2))
    factors = np.where(np.arange(21) % 3 == 0, factor, 1).astype(dtype)  # ordinary columns beside the others
    mean, var = np.zeros(21, dtype), np.ones(21, dtype)
    near(
        F.batch_norm(x * factors, mean, var, training=True, eps=0.0),
        F.batch_norm(x, None, None, training=True, eps=0.0),
        dtype,
    )
    near(mean / factors, 0.1 * x.mean(axis=0), dtype)
    near(var[1::3], 0.9 + 0.1 * x.var(axis=0, ddof=1)[1::3], dtype)
    expected, actual = (F.batch_norm_backward(g, v, None, None, training=True, eps=0.0) for v in (x, x * factors))
    near(actual[0].astype("longdouble") * factors, expected[0], dtype)
    near(actual[1], expected[1], dtype)


@EVERY_CASE
def test_cosine_loss(dtype, factor, isa, backend, rng):
    x, t = (rng.normal(size=(6, 37)).astype(dtype) for _ in range(2))
    one = x.dtype.type(factor)
    expected = F.cosine_loss(x, t, "none", eps=1e-30)
    slope = F.cosine_loss_backward(1.0, x, t, "sum", eps=1e-30)
    eps = 1e-300 if dtype == "float64" else 1e-36
    for a, b in ((one, 1), (1, one), (one, one)):
        near(F.cosine_loss(x * a, t * b, "none", eps=eps), expected, dtype)
        near(F.cosine_loss_backward(1.0, x * a, t * b, "sum", eps=eps).astype("longdouble") * a, slope, dtype)


@EVERY_CASE
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rmse_loss(dtype, factor, reduction, weighted, isa, backend, rng):
    x, t = (rng.normal(size=(6, 37)).astype(dtype) for _ in range(2))
    weight = rng.uniform(0.5, 2, 6).astype(dtype) if weighted else None
    one = x.dtype.type(factor)
    near(F.rmse_loss(x * one, t * one, reduction, weight) / one, F.rmse_loss(x, t, reduction, weight), dtype)
    g = rng.normal(size=(6, 37)).astype(dtype) if reduction == "none" else 1.0
    expected = F.rmse_loss_backward(g, x, t, reduction, weight)
    near(F.rmse_loss_backward(g, x * one, t * one, reduction, weight), expected, dtype)


@EVERY_CASE
def test_norms_of_parameters(dtype, factor, isa, backend, rng):
    w = rng.normal(size=(67, 21)).astype(dtype)
    one = w.dtype.type(factor)
    assert total_norm(w * one) / factor == pytest.approx(float(np.sqrt((w.astype("float64") ** 2).sum())), rel=1e-6)
    limited, far = w.copy(), w * one
    max_norm_(limited, 7.0)
    max_norm_(far, 7.0 * factor)
    near(far / one, limited, dtype)
    assert (limited != w).any()
    assert total_norm(np.zeros(5, dtype)) == 0
    assert total_norm(np.array([np.inf, one], dtype)) == np.inf
    assert np.isnan(total_norm(np.array([np.nan, one], dtype)))


@EVERY_CASE
def test_clipping(dtype, factor, backend, rng):
    """By hand and within an update: gradients are scaled to the norm that is allowed."""
    net = nn.Sequential(nn.Linear(5, 3), seed=0, dtype=dtype)
    grad = net.parameters().grad
    grad[...] = rng.normal(size=grad.size).astype(dtype)
    norm = float(np.sqrt((grad.astype("float64") ** 2).sum()))
    direction = grad / norm
    limit = 1.0 if factor > 1 else factor
    grad *= grad.dtype.type(factor)
    before = net.parameters().data.copy()
    optimizer = optim.SGD(net.parameters(), lr=1.0, max_grad_norm=1.0)
    optimizer.step()
    step = before - net.parameters().data
    if factor > 1:
        near(step, direction, dtype)
    assert optimizer.grad_norm == pytest.approx(norm * factor, rel=1e-5)
    assert nn.utils.clip_grad_norm_(net.parameters(), 1.0) == pytest.approx(norm * factor, rel=1e-5)
    near(grad / grad.dtype.type(limit), direction if factor > 1 else direction * norm, dtype)


@pytest.mark.parametrize(("dtype", "factor"), [case for case in CASES if case[1] != 2.0**-600])
def test_programs(dtype, factor, backend, rng):
    """A step of training is the same operations: the gradient of rmse, and a normalized layer of large inputs."""
    x, y = (rng.normal(size=(16, 4)).astype(dtype) for _ in range(2))
    one = x.dtype.type(factor)
    ends = []
    for scale in (1, one):
        net = nn.Sequential(nn.LayerNorm(4, eps=0.0), nn.Linear(4, 4), seed=0, dtype=dtype)
        trainer = fastnn.Trainer(
            net,
            loss=nn.RMSELoss(),
            optimizer=optim.SGD(net.parameters(), lr=0.1),
        )
        loss = trainer.step(x * scale, y)
        ends.append((loss, net.parameters().data.copy()))
    near(np.array(ends[1][0]), np.array(ends[0][0]), dtype)
    near(ends[1][1], ends[0][1], dtype)
    net = nn.Sequential(nn.Linear(4, 4), seed=0, dtype=dtype)
    trainer = fastnn.Trainer(net, loss=nn.RMSELoss(), optimizer=optim.SGD(net.parameters(), lr=0.1))
    target = y * one if factor > 1 else net.predict(x)
    loss = trainer.step(x, target)
    if factor > 1:
        near(np.array(loss / factor), np.sqrt((y.astype("float64") ** 2).mean()), dtype)
    assert np.isfinite(net.parameters().data).all()


def test_normalization_without_eps_of_equal_numbers_is_nan(dtype, backend):
    """0 / 0, as in PyTorch."""
    assert np.isnan(F.layer_norm(np.full((2, 5), 3, dtype), eps=0.0)).all()
    assert np.isnan(F.rms_norm(np.zeros((2, 5), dtype), eps=0.0)).all()
