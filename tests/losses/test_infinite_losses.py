"""Losses at infinite inputs: their limits, 0 on the right side and infinity on the wrong one, with finite gradients.

What has no share in a loss (a target's probability, a weight of 0) costs nothing, be the rest infinite. NaN stays NaN.
"""

import numpy as np
import pytest

import fastnn.functional as F

INF, NAN = np.inf, np.nan
BCE, FOCAL, SOFT_MARGIN = "binary_cross_entropy_with_logits", "sigmoid_focal_loss", "soft_margin_loss"
POISSON, KL = "poisson_nll_loss", "kl_div"
RATE = {"log_input": False, "eps": 0.5}

# name, options, input, target, loss, gradient
LIMITS = [
    *(
        case
        for options in ({}, {"pos_weight": 2.0})
        for case in (
            (BCE, options, INF, 1.0, 0.0, 0.0),
            (BCE, options, -INF, 0.0, 0.0, 0.0),
            (BCE, options, INF, 0.0, INF, 1.0),
            (BCE, options, INF, 0.25, INF, 0.75),
        )
    ),
    (BCE, {}, -INF, 1.0, INF, -1.0),
    (BCE, {}, -INF, 0.25, INF, -0.25),
    (BCE, {"pos_weight": 2.0}, -INF, 1.0, INF, -2.0),
    (BCE, {"pos_weight": 0.0}, -INF, 1.0, 0.0, 0.0),
    (BCE, {"pos_weight": 0.0}, -INF, 0.25, 0.0, 0.0),
    *(
        case
        for gamma in (0.0, 0.5, 2.0)
        for case in (
            (FOCAL, {"gamma": gamma, "alpha": 0.25}, INF, 1.0, 0.0, 0.0),
            (FOCAL, {"gamma": gamma, "alpha": 0.25}, -INF, 0.0, 0.0, 0.0),
            (FOCAL, {"gamma": gamma, "alpha": 0.25}, INF, 0.0, INF, 0.75),
            (FOCAL, {"gamma": gamma, "alpha": 0.25}, -INF, 1.0, INF, -0.25),
            (FOCAL, {"gamma": gamma, "alpha": 0.0}, -INF, 1.0, 0.0, 0.0),
            (FOCAL, {"gamma": gamma, "alpha": -1.0}, -INF, 1.0, INF, -1.0),
        )
    ),
    (SOFT_MARGIN, {}, INF, 1.0, 0.0, 0.0),
    (SOFT_MARGIN, {}, -INF, -1.0, 0.0, 0.0),
    (SOFT_MARGIN, {}, -INF, 1.0, INF, -1.0),
    (SOFT_MARGIN, {}, INF, -1.0, INF, 1.0),
    ("hinge_loss", {}, INF, 1.0, 0.0, 0.0),
    ("hinge_loss", {}, -INF, 1.0, INF, -1.0),
    ("hinge_loss", {"squared": True}, -INF, -1.0, 0.0, 0.0),
    (POISSON, {}, -INF, 0.0, 0.0, 0.0),
    (POISSON, {}, -INF, 3.0, INF, -3.0),
    (POISSON, {}, INF, 0.0, INF, INF),
    (POISSON, {}, INF, 3.0, INF, INF),
    (POISSON, {"full": True}, INF, 3.0, INF, INF),
    (POISSON, RATE, -0.5, 0.0, -0.5, 1.0),
    (POISSON, RATE, -0.5, 3.0, INF, -INF),
    (POISSON, RATE, INF, 0.0, INF, 1.0),
    (POISSON, RATE, INF, 3.0, INF, 1.0),
    (KL, {}, -INF, 0.0, 0.0, 0.0),
    (KL, {}, -INF, 0.5, INF, -0.5),
    (KL, {"log_target": True}, -INF, -INF, 0.0, 0.0),
    (KL, {"log_target": True}, -1.0, -INF, 0.0, 0.0),
    (KL, {"log_target": True}, -INF, 0.0, INF, -1.0),
    ("huber_loss", {}, INF, 1.0, INF, 1.0),
    ("smooth_l1_loss", {}, -INF, 1.0, INF, -1.0),
    ("l1_loss", {}, -INF, 1.0, INF, -1.0),
]


def arguments(x, t, dtype, n=19):
    """More elements than a register, the limits among them at every third place."""
    x, t = (np.where(np.arange(n) % 3 == 0, value, other) for value, other in ((x, 0.5), (t, 1.0)))
    return x.astype(dtype), t.astype(dtype)


@pytest.mark.parametrize(("name", "options", "x", "t", "loss", "grad"), LIMITS)
def test_limits(name, options, x, t, loss, grad, dtype, isa, backend):
    x, t = arguments(x, t, dtype)
    losses = getattr(F, name)(x, t, "none", **options)
    gradients = getattr(F, f"{name}_backward")(1.0, x, t, "sum", **options)
    np.testing.assert_array_equal(losses[::3], losses.dtype.type(loss))
    np.testing.assert_array_equal(gradients[::3], gradients.dtype.type(grad))
    assert np.isfinite(losses[1::3]).all()
    assert np.isfinite(gradients[1::3]).all()


@pytest.mark.parametrize(("name", "options", "x", "t", "loss", "grad"), LIMITS)
def test_a_weight_of_0_counts_for_nothing(name, options, x, t, loss, grad, dtype, backend):
    x, t = arguments(x, t, dtype)
    weight = (np.arange(len(x)) % 3 != 0).astype(dtype)
    function, backward = getattr(F, name), getattr(F, f"{name}_backward")
    kept = weight > 0
    for reduction in ("sum", "mean"):
        actual = function(x, t, reduction, weight, **options)
        np.testing.assert_allclose(actual, function(x[kept], t[kept], reduction, **options), rtol=1e-6)
        gradients = backward(1.0, x, t, reduction, weight, **options)
        np.testing.assert_array_equal(gradients[::3], 0)
        np.testing.assert_allclose(
            gradients[kept], backward(1.0, x[kept], t[kept], reduction, **options), rtol=1e-6, atol=1e-30
        )


@pytest.mark.parametrize(("name", "options", "t"), sorted({(c[0], tuple(c[1].items()), c[3]) for c in LIMITS}))
def test_nan_stays(name, options, t, dtype, backend):
    x, t = arguments(NAN, t, dtype)
    for weight in (None, np.zeros(len(x), dtype)):
        assert np.isnan(getattr(F, name)(x, t, "none", weight, **dict(options))[::3]).all()


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_mean_without_rows_of_weight_0_that_are_infinite(name, dtype, backend):
    x, t = np.array([INF, 3.0], dtype), np.array([0.0, 1.0], dtype)
    weight = np.array([0.0, 2.0], dtype)
    assert getattr(F, name)(x, t, "mean", weight) == getattr(F, name)(x[1:], t[1:])
    np.testing.assert_array_equal(
        getattr(F, f"{name}_backward")(1.0, x, t, "mean", weight)[1:],
        getattr(F, f"{name}_backward")(1.0, x[1:], t[1:]),
    )
    assert getattr(F, f"{name}_backward")(1.0, x, t, "mean", weight)[0] == 0


@pytest.mark.parametrize("name", ["cross_entropy", "softmax_focal_loss", "nll_loss"])
def test_classes_without_a_share(name, dtype, isa, backend):
    """A logit of -inf costs nothing where the target is another class, and everything where it is that."""
    x = np.array([[0.0, -INF, -INF], [-INF, 0.0, -INF]], dtype)
    right, wrong = np.array([0, 1]), np.array([0, 0])
    function, backward = getattr(F, name), getattr(F, f"{name}_backward")
    np.testing.assert_array_equal(function(x, right, "none"), [0, 0])
    np.testing.assert_array_equal(function(x, wrong, "none"), [0, INF])
    assert function(x, wrong, "sum", np.array([1, 0], dtype)) == 0
    assert np.isfinite(backward(1.0, x, right)).all()
    assert np.isfinite(backward(1.0, x, wrong)).all()
    if name == "cross_entropy":
        np.testing.assert_array_equal(backward(1.0, x, right), np.zeros((2, 3)))
        np.testing.assert_array_equal(function(x, np.eye(3, dtype=dtype)[:2], "none"), [0, 0])
        np.testing.assert_array_equal(backward(1.0, x, np.eye(3, dtype=dtype)[:2]), np.zeros((2, 3)))


def test_entropy_through_softmax(dtype, isa, backend):
    """A probability of 0 has no say, in either form; by hand for the probabilities 1/4, 3/4, 0."""
    x = np.array([[0.0, np.log(3.0), -INF]], dtype)
    p = F.softmax(x)
    q = np.array([0.25, 0.75])
    h = -(q * np.log(q)).sum()
    expected = [*-q * (np.log(q) + h), 0.0]
    eps = np.finfo(dtype).eps
    for axis, logits in ((-1, x), (0, np.ascontiguousarray(x.T))):
        grad = F.entropy_with_logits_backward(np.ones(1, dtype), logits, axis)
        np.testing.assert_allclose(F.entropy_with_logits(logits, axis), [h], rtol=8 * eps)
        np.testing.assert_allclose(grad.ravel(), expected, rtol=8 * eps)
    through = F.softmax_backward(F.entropy_backward(np.ones(1, dtype), p), p)
    np.testing.assert_allclose(through.ravel(), expected, rtol=16 * eps)


def test_entropy_with_logits_at_a_temperature(dtype, isa, backend, rng):
    x = rng.normal(size=(5, 37)).astype(dtype) * 20
    p = F.softmax(x, temperature=3.0)
    np.testing.assert_allclose(
        F.entropy_with_logits(x, temperature=3.0), F.entropy(p), rtol=1e-4 if dtype == "f4" else 1e-12
    )
    spike = np.array([[0.0, -1e30, -2000.0]], dtype)
    assert F.entropy_with_logits(spike) == 0
    np.testing.assert_array_equal(F.entropy_with_logits_backward(np.ones(1, dtype), spike), [[0, 0, 0]])
    for bad in ([[NAN, 0.0]], [[INF, 0.0]], [[-INF, -INF]]):
        assert np.isnan(F.entropy_with_logits(np.array(bad, dtype))).all()
        assert np.isnan(F.entropy_with_logits_backward(np.ones(1, dtype), np.array(bad, dtype))).all()
