"""Gradients with respect to targets, by central differences, between the backends, and at the ends."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import reference
from fastnn.functional.target_gradients import NAMES
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient

WEIGHT = np.array([0.5, 2.0, 0.0, 1.0])
CASES = [
    *((name, {}) for name in NAMES),
    ("huber_loss", {"delta": 0.5}),
    ("smooth_l1_loss", {"beta": 0.5}),
    ("kl_div", {"log_target": True}),
    ("kl_div", {"reduction": "batchmean"}),
    ("binary_cross_entropy", {"weight": WEIGHT}),
    ("binary_cross_entropy_with_logits", {"weight": WEIGHT, "pos_weight": 3.0}),
    ("binary_cross_entropy_with_logits", {"pos_weight": WEIGHT}),
    ("cross_entropy", {"label_smoothing": 0.25, "weight": WEIGHT}),
]


def draw(name, rng, dtype="float64"):
    """Input and target of a loss."""
    x = rng.uniform(0.05, 0.95, (6, 4)) if name == "binary_cross_entropy" else rng.normal(size=(6, 4))
    return x.astype(dtype), rng.uniform(0.05, 0.95, (6, 4)).astype(dtype)


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_differences(name, options, reduction, weighted, rng, backend):
    x, target = draw(name, rng)
    keywords = {"reduction": reduction, "sample_weight": rng.uniform(0.1, 2, 6) if weighted else None} | options
    loss = getattr(F, name)
    g = rng.normal(size=np.shape(loss(x, target, **keywords)))
    grad = F.target_gradient(name, g, x, target, **keywords)
    assert grad.shape == x.shape and grad.dtype == x.dtype
    assert_gradient(grad, lambda t: (g * loss(x, t, **keywords)).sum(), target)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_backends_agree(name, options, dtype, rng):
    x, target = draw(name, rng, dtype)
    expected = reference.target_gradient(name, 2.0, x.astype("float64"), target.astype("float64"), **options)
    for backend in ("native", "reference"):
        with fastnn.use_backend(backend):
            grad = F.target_gradient(name, 2.0, x, target, **options)
        np.testing.assert_allclose(grad, expected, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-7)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_a_difference_has_two_ends(name, rng, dtype, isa):
    x, target = draw(name, rng, dtype)
    assert_same_bits(F.target_gradient(name, 1.0, x, target), -getattr(F, f"{name}_backward")(1.0, x, target))


def test_ends(dtype, isa, backend):
    """Nothing is read that the formula does not read; a target of 0 has the limit, a certain input finite numbers."""
    zero, x = np.zeros(2, dtype), np.array([0.0, 1.0], dtype)
    np.testing.assert_array_equal(F.target_gradient("kl_div", 1.0, x, zero), [-np.inf, -np.inf])
    np.testing.assert_array_equal(F.target_gradient("kl_div", 0.0, x, zero), [0, 0])
    np.testing.assert_array_equal(F.target_gradient("binary_cross_entropy", 1.0, x, zero, "sum"), [100, -100])
    assert np.isnan(F.target_gradient("mse_loss", 1.0, x * np.nan, zero)).all()
    large = np.array([1e4, -1e4], dtype)
    grad = F.target_gradient("binary_cross_entropy_with_logits", 1.0, large, zero, "sum", pos_weight=2.0)
    np.testing.assert_allclose(grad, [-1e4, 2e4])


def test_bad_arguments(backend):
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="name must be one of"):
        F.target_gradient("hinge_loss", 1.0, x, x)
    with pytest.raises(ValueError, match="target must have the shape of input"):
        F.target_gradient("cross_entropy", 1.0, x, np.array([0, 1]))
    with pytest.raises(ValueError, match="target must have the shape of input"):
        F.target_gradient("kl_div", 1.0, x, x[:1])
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        F.target_gradient("kl_div", 1.0, x, x, delta=1.0)
    with pytest.raises(ValueError, match="label_smoothing"):
        F.target_gradient("cross_entropy", 1.0, x, x, label_smoothing=2.0)
