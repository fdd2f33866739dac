"""Planes through the space of the features."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn.viz.planes import around, lattice, plane_of, principal

X = np.random.default_rng(0).standard_normal((50, 4)) * [3.0, 1.0, 0.5, 0.1]


def test_two_features_are_their_own_plane():
    plane = plane_of(X[:, :2], None)
    np.testing.assert_array_equal(plane.coordinates(X[:, :2]), X[:, :2])
    np.testing.assert_array_equal(plane.samples(X[:, :2]), X[:, :2])


def test_two_of_more_features_with_the_others_at_their_means():
    plane = plane_of(X, (2, 0), list("abcd"))
    assert plane.names == ("c", "a")
    np.testing.assert_array_equal(plane.coordinates(X), X[:, [2, 0]])
    np.testing.assert_allclose(plane.samples(np.array([[1.0, 2.0]])), [[2.0, X[:, 1].mean(), 1.0, X[:, 3].mean()]])


def test_principal_directions_by_the_covariance():
    shares, axes = principal(X)
    values, vectors = np.linalg.eigh(np.cov(X.T))
    np.testing.assert_allclose(shares, values[::-1] / values.sum(), rtol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(axes * vectors[:, ::-1].T, 1)), 1, rtol=1e-12)
    assert (axes[np.arange(4), np.abs(axes).argmax(1)] > 0).all()
    plane = plane_of(X, "pca")
    np.testing.assert_allclose(plane.coordinates(X), (X - X.mean(0)) @ axes[:2].T)
    uv = np.array([[0.5, -1.0]])
    np.testing.assert_allclose(plane.coordinates(plane.samples(uv)), uv, atol=1e-14)


def test_fewer_samples_than_features():
    shares, axes = principal(X[:3])
    assert axes.shape == (4, 4) and shares.sum() == pytest.approx(1)


def test_lattice_and_limits():
    limits = around(np.array([[0.0, 5.0], [1.0, 5.0]]), 0.5)
    assert limits == ((-0.5, 1.5), (4.0, 6.0))
    u, v, grid = lattice(limits, 3)
    assert u.tolist() == [-0.5, 0.5, 1.5] and v.tolist() == [4, 5, 6]
    assert grid[:4].tolist() == [[-0.5, 4], [0.5, 4], [1.5, 4], [-0.5, 5]]


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ((0, 0), ValueError, "two different ones, got 0 twice"),
        ((0, 4), ValueError, r"features\[1\] must be at most 3"),
        ("tsne", ValueError, "features must be one of 'pca'"),
        (3, TypeError, 'features must be two indices or "pca", got 3'),
    ],
)
def test_wrong_features(features, error, message):
    with pytest.raises(error, match=message):
        plane_of(X, features)
