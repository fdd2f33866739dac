"""Losses over classes of scores with further axes, (rows, classes, d1, ...), and of one sample, (classes,)."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits

LOSSES = {
    "cross_entropy": (nn.CrossEntropyLoss, {"label_smoothing": 0.25}),
    "nll_loss": (nn.NLLLoss, {}),
    "softmax_focal_loss": (nn.SoftmaxFocalLoss, {}),
    "multi_margin_loss": (nn.MultiMarginLoss, {"p": 2}),
}
SHAPES = [(4, 3, 2), (2, 3, 4, 5), (4, 3, 1), (3, 3, 0)]
WEIGHT = np.array([0.5, 1.0, 2.0])
VALUE = 1.013603003975068
GRADIENT = [
    -0.09040847519712804,
    0.08281054365593224,
    0.03413287619094426,
    0.13653150476377704,
    0.05627559900618378,
    -0.2193420484197093,
    0.04140527182796612,
    0.04140527182796612,
    -0.15395646984033368,
    -0.15395646984033368,
    0.11255119801236756,
    0.11255119801236756,
]


def places(shape):
    return (shape[0], *shape[2:])


def flat(x):
    """A row of scores for each place, by hand."""
    return np.array([x[(i[0], slice(None), *i[1:])] for i in np.ndindex(places(x.shape))], x.dtype).reshape(-1, 3)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", LOSSES)
def test_each_place_is_a_row(name, shape, reduction, dtype, backend, rng):
    loss, options = LOSSES[name]
    x, target = rng.normal(size=shape).astype(dtype), rng.integers(0, 3, places(shape))
    target.reshape(-1)[:1] = -100  # is ignored
    sample_weight = rng.random(places(shape)).astype(dtype)
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    more = {"reduction": reduction, "weight": WEIGHT, **options}
    value = forward(x, target, sample_weight=sample_weight, **more)
    rows = flat(x), target.reshape(-1)
    expected = forward(*rows, sample_weight=sample_weight.reshape(-1), **more)
    assert np.shape(value) == (places(shape) if reduction == "none" else ())
    np.testing.assert_array_equal(np.reshape(value, np.shape(expected)), expected)
    g = rng.normal(size=np.shape(value)).astype(dtype)
    grad = backward(g, x, target, sample_weight=sample_weight, **more)
    by_rows = backward(g.reshape(np.shape(expected)), *rows, sample_weight=sample_weight.reshape(-1), **more)
    assert grad.shape == shape
    np.testing.assert_array_equal(flat(grad), by_rows)
    of_object, grad_of_object = loss(**more)(x, target, sample_weight)
    np.testing.assert_array_equal(of_object, value)
    assert grad_of_object.shape == shape


@pytest.mark.parametrize("name", LOSSES)
def test_one_sample(name, dtype, backend, rng):
    """As PyTorch: scores of shape (classes,) and one class index."""
    loss, options = LOSSES[name]
    x = rng.normal(size=3).astype(dtype)
    for reduction in ("mean", "none"):
        value, grad = loss(reduction=reduction, **options)(x, 2)
        expected, grad_expected = loss(reduction=reduction, **options)(x[None], [2])
        assert type(value) is dtype.type
        assert value == np.squeeze(expected)
        assert_same_bits(grad, grad_expected[0])


def test_probabilities_have_the_axes_of_the_scores(dtype, backend, rng):
    for shape in (*SHAPES, (3,)):
        x, target = (rng.random(shape).astype(dtype) for _ in range(2))
        target /= target.sum(min(1, len(shape) - 1), keepdims=True)
        value, grad = nn.CrossEntropyLoss("none")(x, target)
        axis = min(1, len(shape) - 1)
        np.testing.assert_allclose(value, -(target * F.log_softmax(x, axis)).sum(axis), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(grad, F.softmax(x, axis) - target, rtol=1e-4, atol=1e-6)


def test_pytorchs_numbers(backend):
    """torch.nn.functional.cross_entropy(x, y, weight=w) and its gradient, torch 2.13, recorded."""
    x, y = np.arange(12.0).reshape(2, 3, 2) / 4, np.array([[0, 2], [1, 1]])
    value, grad = nn.CrossEntropyLoss(weight=WEIGHT)(x, y)
    np.testing.assert_allclose(value, VALUE, rtol=1e-12)
    np.testing.assert_allclose(grad.reshape(-1), GRADIENT, rtol=1e-10)


@pytest.mark.parametrize("name", LOSSES)
def test_targets_that_do_not_fit(name, backend):
    function = getattr(F, name)
    x = np.zeros((4, 3, 2))
    for target in (np.zeros(4, int), np.zeros((4, 3), int), np.zeros((2, 4), int)):
        with pytest.raises(ValueError, match=r"target must have shape \(4, 2\) for input of shape \(4, 3, 2\)"):
            function(x, target)
    with pytest.raises(ValueError, match=r"target must have shape \(\) for input of shape \(3,\), got \(1,\)"):
        function(x[0, :, 0], [1])
    with pytest.raises(ValueError, match=r"input must have shape .*, got a scalar"):
        function(1.0, 0)
    with pytest.raises(ValueError, match=r"target\[1, 0\] is 3: class indices must be between 0 and 2"):
        function(x, [[0, 0], [3, 0], [3, 0], [0, 0]])
    with pytest.raises(ValueError, match=r"target\[0, 1\] is 0.5: class indices must be whole numbers"):
        function(x, np.full((4, 2), [0, 0.5]))
    with pytest.raises(ValueError, match="target is 3: class indices must be between 0 and 2"):
        function(x[0, :, 0], 3)
    with pytest.raises(ValueError, match=r"sample_weight must have shape"):
        function(x, np.zeros((4, 2), int), sample_weight=np.ones((4, 3)))
