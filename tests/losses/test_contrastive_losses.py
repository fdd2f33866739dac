"""Triplets and InfoNCE: norms, distances of users, ties; test_torch_losses.py has PyTorch's numbers."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn, optim

NAN = np.nan
A, P, N = np.zeros((1, 2)), np.array([[3.0, 4.0]]), np.array([[6.0, 8.0]])


@pytest.mark.parametrize(
    ("p", "near", "far"), [(1, 7, 14), (2, 5, 10), (3, 91 ** (1 / 3), 728 ** (1 / 3)), (np.inf, 4, 8)]
)
def test_norms(p, near, far, dtype, isa, backend):
    a, b, c = (x.astype(dtype) for x in (A, P, N))
    value = F.triplet_margin_loss(a, c, b, p=p, eps=0.0)
    assert value == pytest.approx(1 + far - near, rel=1e-6)
    large = dtype.type(1e30 if dtype == "float32" else 1e300)
    assert F.triplet_margin_loss(a, c * large, b * large, p=p) == pytest.approx(float(large) * (far - near), rel=1e-5)
    grads = F.triplet_margin_loss_backward(1.0, a, c * large, b * large, p=p)
    for grad, expected in zip(grads, F.triplet_margin_loss_backward(1.0, a, c, b, p=p), strict=True):
        np.testing.assert_allclose(grad, expected, rtol=1e-4, atol=1e-5)
    small = dtype.type(1e-30 if dtype == "float32" else 1e-200)
    gap = F.triplet_margin_loss(a, c * small, b * small, p=p, eps=0.0, margin=float(small))
    assert gap == pytest.approx(float(small) * (1 + far - near), rel=1e-5)


def test_equal_rows_have_no_gradient_of_their_distance(dtype, isa, backend):
    a = np.ones((1, 3), dtype)
    for p in (1.0, 2.0, 2.5, np.inf):
        for grad in F.triplet_margin_loss_backward(1.0, a, a, a, p=p, eps=0.0):
            np.testing.assert_array_equal(grad, 0)
    assert np.isnan(F.triplet_margin_loss(a * NAN, a, a))
    assert np.isnan(F.triplet_margin_loss_backward(1.0, a * NAN, a, a)[0]).all()
    np.testing.assert_array_equal(F.triplet_margin_loss_backward(1.0, a, a, a + 9)[0], 0)


@pytest.mark.parametrize("swap", [False, True])
def test_a_distance_of_ones_own(swap, rng, backend):
    """The Euclidean distance written by hand gives what the compiled one gives."""

    def euclidean(x, y):
        e = x - y + 1e-6
        distance = np.sqrt((e * e).sum(axis=1))
        return distance, e / distance[:, None], -e / distance[:, None]

    arrays, w = rng.normal(size=(3, 8, 4)), rng.uniform(size=8)
    for reduction in ("mean", "sum", "none"):
        loss = nn.TripletMarginWithDistanceLoss(reduction, euclidean, 0.5, swap)
        value, grads = loss(*arrays, w)
        for twin in (
            nn.TripletMarginLoss(reduction, 0.5, swap=swap),
            nn.TripletMarginWithDistanceLoss(reduction, None, 0.5, swap),
        ):
            expected, expected_grads = twin(*arrays, w)
            np.testing.assert_allclose(value, expected, rtol=1e-12)
            for grad, expected_grad in zip(grads, expected_grads, strict=True):
                np.testing.assert_allclose(grad, expected_grad, rtol=1e-10, atol=1e-15)


def test_distances_are_checked(backend):
    for function, error, message in (
        (lambda x, y: 1.0, TypeError, "distance_function must return the distances and their gradients"),
        (lambda x, y: (np.ones(3), x, y), ValueError, r"distances must have shape \(1,\) one a row, got \(3,\)"),
        (lambda x, y: (np.ones(1), x[0], y), ValueError, "a gradient of distances must have shape"),
    ):
        with pytest.raises(error, match=message):
            F.triplet_margin_with_distance_loss(A, P, N, distance_function=function)
    with pytest.raises(ValueError, match="margin must be greater than 0"):
        nn.TripletMarginLoss(margin=0)
    with pytest.raises(ValueError, match="p must be at least 1"):
        nn.TripletMarginLoss(p=0.5)
    with pytest.raises(ValueError, match="negative must have the shape of anchor"):
        F.triplet_margin_loss(A, P, N[:, :1].copy())


def test_info_nce_by_hand(rng, backend):
    x, y = rng.normal(size=(2, 5, 3))
    cosines = (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (y / np.linalg.norm(y, axis=1, keepdims=True)).T
    e = np.exp(cosines / 0.25)
    there, back = (-np.log(np.diag(e) / e.sum(axis=axis)) for axis in (1, 0))
    np.testing.assert_allclose(F.info_nce_loss(x, y, "none", temperature=0.25), there, rtol=1e-12)
    w = rng.uniform(size=5)
    value = F.info_nce_loss(x, y, "mean", w, 0.25, True)
    assert value == pytest.approx(np.average((there + back) / 2, weights=w), rel=1e-12)
    assert F.info_nce_loss(1e150 * x, y, temperature=0.25) == pytest.approx(there.mean(), rel=1e-12)
    x[0] = 0
    assert np.isfinite(F.info_nce_loss(x, y)) and np.isfinite(F.info_nce_loss_backward(1.0, x, y)[0]).all()
    with pytest.raises(ValueError, match="temperature must be greater than 0"):
        nn.InfoNCELoss(temperature=0)
    with pytest.raises(ValueError, match="positive must have the shape of query"):
        F.info_nce_loss(x, y[:2])


def test_two_networks_learn_to_agree():
    """A loop of one's own, with the gradients of both inputs."""

    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 6))
    nets = [nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4), seed=s, dtype="float64") for s in (0, 1)]
    optimizers = [optim.Adam(net.parameters(), lr=0.02) for net in nets]
    loss, values = nn.InfoNCELoss(symmetric=True, temperature=0.2), []
    for _ in range(60):
        value, grads = loss(*(net(x) for net in nets))
        for net, optimizer, grad in zip(nets, optimizers, grads, strict=True):
            net.backward(grad)
            optimizer.step()
        values.append(value)
    assert values[-1] < 0.6 * values[0]
