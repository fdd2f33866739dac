"""The plane that a model is drawn over: two features, or the two principal directions of more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _validation as check

Array = check.Array
MARGIN = 0.12  # beyond the points, as a share of their range


@dataclass(frozen=True)
class Plane:
    """A plane in the space of the features: x = origin + u axes[0] + v axes[1].

    Attributes
    ----------
    origin : ndarray of float64, shape (features,)
    axes : ndarray of float64, shape (2, features)
        Orthonormal.
    names : (str, str)
        Of the two coordinates.
    """

    origin: Array
    axes: Array
    names: tuple[str, str]

    def coordinates(self, x: Array) -> Array:
        """Where samples are on the plane, shape (rows, 2): their orthogonal projections."""
        return (x - self.origin) @ self.axes.T

    def samples(self, uv: Array) -> Array:
        """The samples at coordinates of shape (rows, 2)."""
        return self.origin + uv @ self.axes


def plane_of(x: Array, features: Any, names: Any = None) -> Plane:
    """The plane of two features, the others at their means, or of the two directions in which x varies most.

    Parameters
    ----------
    x : ndarray of float64, shape (rows, features)
    features : None, "pca", or (int, int)
        None takes the features of a plane, and the principal directions of more.
    names : sequence of str, optional
        Of the features.

    Raises
    ------
    ValueError, TypeError
        If there is one feature only, or `features` is something else.
    """
    n = x.shape[1]
    if n < 2:
        raise ValueError("a plane needs X with two features or more")
    labels = [f"feature {i}" for i in range(n)] if names is None else [str(name) for name in names]
    if len(labels) != n:
        raise ValueError(f"feature_names must have {n} names, one for each feature, got {len(labels)}")
    if features is None:
        features = (0, 1) if n == 2 else "pca"
    if isinstance(features, str):
        check.check_choice("features", features, ("pca",))
        shares, axes = principal(x)
        texts = tuple(f"principal direction {i + 1} ({shares[i]:.0%})" for i in range(2))
        return Plane(x.mean(0), axes[:2], (texts[0], texts[1]))
    if not isinstance(features, (tuple, list)) or len(features) != 2:
        raise TypeError(f'features must be two indices or "pca", got {features!r}')
    i, j = (check.check_integer(f"features[{k}]", value, at_least=0, at_most=n - 1) for k, value in enumerate(features))
    if i == j:
        raise ValueError(f"features must be two different ones, got {i} twice")
    origin = x.mean(0)
    origin[[i, j]] = 0
    return Plane(origin, np.eye(n)[[i, j]], (labels[i], labels[j]))


def principal(x: Array) -> tuple[Array, Array]:
    """The shares of the variance of x along its principal directions, and these as rows, largest first.

    The sign of a direction is that for which its largest number is positive.
    """
    _, scales, axes = np.linalg.svd(x - x.mean(0), full_matrices=len(x) < x.shape[1])
    largest = np.abs(axes).argmax(1)
    axes = axes * np.where(axes[np.arange(len(axes)), largest] < 0, -1.0, 1.0)[:, None]
    variance = np.zeros(len(axes))
    variance[: len(scales)] = scales**2
    return variance / (variance.sum() or 1.0), axes


def around(points: Array, margin: float = MARGIN) -> tuple[tuple[float, float], ...]:
    """The limits of each coordinate around points of shape (rows, n), with a margin."""
    low, high = points.min(0), points.max(0)
    room = np.where(high > low, (high - low) * margin, 1.0)
    return tuple((float(a), float(b)) for a, b in zip(low - room, high + room, strict=True))


def lattice(limits: tuple[tuple[float, float], ...], points: int) -> tuple[Array, Array, Array]:
    """The coordinates of a grid over the limits: u (points,), v (points,), and all, shape (points * points, 2)."""
    u, v = (np.linspace(low, high, points) for low, high in limits)
    return u, v, np.stack(np.meshgrid(u, v), -1).reshape(-1, 2)


def limits_of(limits: Any) -> tuple[tuple[float, float], ...]:
    """((low, high), (low, high)) as floats; ValueError otherwise."""
    array = check.from_any("limits", limits)
    if array.shape != (2, 2) or not np.isfinite(array).all() or (array[:, 0] >= array[:, 1]).any():
        raise ValueError(f"limits must be ((low, high), (low, high)), got {limits!r}")
    return tuple((float(low), float(high)) for low, high in array)
