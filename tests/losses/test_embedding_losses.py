"""Losses of two samples: limits, targets, large vectors; test_torch_losses.py has PyTorch's numbers."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from support.losses import make_trainer

INF, NAN = np.inf, np.nan
X, Y = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, 4.0], [1.0, 2.0], [-1.0, 1.0]])


def test_hinges_of_distances(dtype, isa, backend):
    x, t = np.array([0.5, 0.5, 1.0, 3.0, INF, -INF, NAN], dtype), np.array([1, -1, -1, -1, -1, -1, 1])
    np.testing.assert_array_equal(F.hinge_embedding_loss(x, t, "none"), [0.5, 0.5, 0, 0, 0, INF, NAN])
    grad = F.hinge_embedding_loss_backward(np.ones(7, dtype), x, t, "none")
    np.testing.assert_array_equal(grad, [1, -1, -1, 0, 0, -1, NAN])


def test_rankings(dtype, isa, backend):
    a, b = np.array([1.0, 1.0, 2.0, INF, NAN], dtype), np.array([1.0, 2.0, 2.0, 1.0, 0.0], dtype)
    t = np.array([1, 1, -1, -1, 1], dtype)
    np.testing.assert_array_equal(F.margin_ranking_loss(a, b, t, "none"), [0, 1, 0, INF, NAN])
    grads = F.margin_ranking_loss_backward(np.ones(5, dtype), a, b, t, "none")
    np.testing.assert_array_equal(grads[0], [-1, -1, 1, 1, NAN])
    np.testing.assert_array_equal(grads[1], [1, 1, -1, -1, NAN])
    for grad in F.margin_ranking_loss_backward(1.0, a, b, t, "sum", np.array([1, 1, 1, 0, 1], dtype)):
        assert grad[3] == 0


def test_angles(dtype, isa, backend):
    """Rows of zeros are finite; vectors whose squares overflow have the angle of small ones."""
    x, y = X.astype(dtype), Y.astype(dtype)
    for target, expected in ((1, [0, 1, 1]), (-1, [1, 0, 0])):
        loss = F.cosine_embedding_loss(x, y, np.full(3, target), "none")
        np.testing.assert_allclose(loss, expected, atol=1e-6)
        grads = F.cosine_embedding_loss_backward(1.0, x, y, np.full(3, target))
        assert all(np.isfinite(g).all() for g in grads)
    large = dtype.type(1e30 if dtype == "float32" else 1e300)
    a = np.array([[1.0, 2.0]], dtype)
    b = np.array([[2.0, 1.0]], dtype)
    value, (grad_a, grad_b) = nn.CosineEmbeddingLoss()(a * large, b * large, [1])
    expected, gradients = nn.CosineEmbeddingLoss()(a, b, [1])
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(grad_a * large, gradients[0], rtol=1e-5)
    np.testing.assert_allclose(grad_b * large, gradients[1], rtol=1e-5)
    x[2, 0] = NAN
    assert np.isnan(F.cosine_embedding_loss(x, y, np.ones(3, dtype), "none")).tolist() == [False, False, True]
    assert np.isnan(F.cosine_embedding_loss_backward(1.0, x, y, np.ones(3, dtype))[1]).any(axis=1).tolist() == [
        False, False, True,
    ]  # fmt: skip


def test_bad_arguments(backend):
    with pytest.raises(ValueError, match=r"target\[1\] is 0: targets must be -1 or 1"):
        nn.CosineEmbeddingLoss()(X, Y, np.array([1, 0, -1]))
    with pytest.raises(ValueError, match=r"target\[0, 1\] is 3: targets must be -1 or 1"):
        nn.MarginRankingLoss()(X, Y, np.array([[1, 3], [1, 1], [1, 1]]))
    with pytest.raises(ValueError, match=r"y\[0, 1\] is 0.5: targets must be -1 or 1"):
        make_trainer(nn.HingeEmbeddingLoss()).step(np.ones((1, 3)), np.array([[1, 0.5, 1, 1]]))
    with pytest.raises(ValueError, match=r"input2 must have the shape of input1, \(3, 2\), got \(2, 2\)"):
        F.margin_ranking_loss(X, Y[:2], np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"input1 must have shape \(rows, features\), got \(3,\)"):
        F.cosine_embedding_loss(X[:, 0].copy(), Y[:, 0].copy(), np.ones(3))
    with pytest.raises(TypeError, match="input2 is float32 but input1 is float64"):
        F.cosine_embedding_loss(X, Y.astype("float32"), np.ones(3))
    with pytest.raises(ValueError, match=r"target must have shape \(3,\) one a row"):
        F.cosine_embedding_loss(X, Y, np.ones((3, 2)))
    with pytest.raises(ValueError, match="margin must be at least -1"):
        nn.CosineEmbeddingLoss(margin=-2)


@pytest.mark.parametrize(
    "loss", [nn.MarginRankingLoss(), nn.CosineEmbeddingLoss(), nn.TripletMarginLoss(), nn.InfoNCELoss()], ids=repr
)
def test_trainers_say_that_they_have_one_output(loss, backend):
    with pytest.raises(TypeError, match="compares several outputs, a Trainer has one: call the loss with arrays"):
        make_trainer(loss).step(np.ones((2, 3)), np.ones((2, 4)))
