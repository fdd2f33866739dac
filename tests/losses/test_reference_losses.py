"""The losses of the NumPy reference against values by hand and central differences."""

import math

import numpy as np
import pytest

import fastnn.reference as ref
from test_reference import INF, LOSSES, assert_gradient

REDUCTIONS = ["none", "sum", "mean"]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("sample_weight", [None, np.array([0.5, 2.0, 1.0, 0.0, 3.0])], ids=["plain", "weighted"])
def test_loss_gradient(name, reduction, sample_weight):
    x, target, extra = LOSSES[name]
    f = getattr(ref, name)
    loss = f(x, target, reduction, sample_weight, **extra)
    grad_output = np.random.default_rng(1).normal(size=np.shape(loss))
    grad = getattr(ref, f"{name}_backward")(grad_output, x, target, reduction, sample_weight, **extra)
    assert_gradient(grad, lambda x: (grad_output * f(x, target, reduction, sample_weight, **extra)).sum(), x)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_reductions(name):
    x, target, extra = LOSSES[name]
    weight = np.array([0.5, 2.0, 1.0, 0.0, 3.0])
    f = getattr(ref, name)
    losses, weighted = (f(x, target, "none", w, **extra) for w in (None, weight))
    total, mean = (f(x, target, reduction, weight, **extra) for reduction in ("sum", "mean"))
    columns = np.expand_dims(weight, tuple(range(1, losses.ndim)))
    if name == "rmse_loss":  # the root is taken last: compare squares
        losses, weighted, total, mean = losses**2, weighted**2, total**2, mean**2
    np.testing.assert_allclose(weighted, columns * losses)
    np.testing.assert_allclose(total, weighted.sum())
    np.testing.assert_allclose(mean, np.average(losses, weights=np.broadcast_to(columns, losses.shape)))
    full = np.broadcast_to(columns, losses.shape)
    np.testing.assert_allclose(f(x, target, sample_weight=full, **extra), f(x, target, sample_weight=weight, **extra))


@pytest.mark.parametrize(
    ("name", "extra", "expected"),
    [
        ("l1_loss", {}, [0.0, 0.5, 3.0]),
        ("mse_loss", {}, [0.0, 0.25, 9.0]),
        ("rmse_loss", {}, [0.0, 0.5, 3.0]),
        ("huber_loss", {"delta": 2.0}, [0.0, 0.125, 4.0]),
        ("smooth_l1_loss", {"beta": 2.0}, [0.0, 0.0625, 2.0]),
        ("smooth_l1_loss", {"beta": 0.0}, [0.0, 0.5, 3.0]),
        (
            "binary_cross_entropy_with_logits",
            {},
            [math.log(2), 0.5 + math.log1p(math.exp(-0.5)), math.log1p(math.exp(-3))],
        ),
    ],
)
def test_loss_by_hand(name, extra, expected):
    x, target = np.array([0.0, 0.5, 3.0]), np.array([0.0, 0.0, 0.0])
    if name == "binary_cross_entropy_with_logits":
        target = np.array([0.5, 0.0, 1.0])
    np.testing.assert_allclose(getattr(ref, name)(x, target, "none", **extra), expected)
    assert getattr(ref, f"{name}_backward")(1.0, x[:1], target[:1], **extra)[0] == 0.0


def test_binary_cross_entropy_is_clamped():
    x, target = np.array([0.0, 1.0, 0.0, 0.5]), np.array([1.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(ref.binary_cross_entropy(x, target, "none"), [100, 100, 0, math.log(2)])
    grad = ref.binary_cross_entropy_backward(1.0, x, target, "sum")
    np.testing.assert_allclose(grad, [-1e12, 1e12, 0, -2])


def test_cross_entropy_by_hand():
    logits, classes = np.array([[0.0, 0.0, -INF], [2000.0, 0.0, -2000.0]]), np.array([1, 2])
    np.testing.assert_allclose(ref.cross_entropy(logits, classes, "none"), [math.log(2), 4000])
    np.testing.assert_array_equal(ref.cross_entropy_backward(1.0, logits, classes, "sum"), [[0.5, -0.5, 0], [1, 0, -1]])
    x, target, _ = LOSSES["cross_entropy"]
    one_hot = np.eye(3)[target]
    for smoothing in (0.0, 0.1):
        plain = ref.cross_entropy(x, target, label_smoothing=smoothing)
        assert plain == ref.cross_entropy(x, one_hot, label_smoothing=smoothing)
        assert plain == pytest.approx(ref.cross_entropy(x, (1 - smoothing) * one_hot + smoothing / 3))
    assert ref.nll_loss(ref.log_softmax(x), target) == pytest.approx(ref.cross_entropy(x, target))
    p = np.random.default_rng(0).uniform(size=x.shape)  # rows that do not sum to 1 keep their own gradient
    assert_gradient(ref.cross_entropy_backward(1.0, x, p), lambda x: ref.cross_entropy(x, p), x)


def test_mean_of_nothing_is_nan():
    assert np.isnan(ref.mse_loss(np.empty((0, 2)), np.empty((0, 2))))
    assert ref.mse_loss_backward(1.0, np.empty((0, 2)), np.empty((0, 2))).shape == (0, 2)
