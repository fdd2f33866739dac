"""Toy data sets: classes in the plane that no straight line separates, and blobs.

Every function returns ``X`` and ``y`` in random order, with class sizes that differ by one at most (the later classes
are the larger ones), and computes in float64 before it rounds to ``dtype``. The same seed gives the same set as long as
NumPy keeps the streams of its ``Generator``.
"""

from __future__ import annotations  # np.random takes 10 ms to import, too much for an annotation

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .._frames import errors_of_use
from ._checks import check_dtype, check_integer, check_number, check_seed

Dataset = tuple[NDArray, NDArray[np.int64]]

# Anticlockwise from the first quadrant: neighbouring quadrants differ in class, opposite ones have the same.
QUADRANTS = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])


@errors_of_use
def make_moons(
    n_samples: int = 100, *, noise: float = 0.0, seed: int | None = None, dtype: DTypeLike = "float32"
) -> Dataset:
    """Draw two interleaving half circles.

        class 0: (cos t, sin t)    class 1: (1 - cos t, 1/2 - sin t)    t evenly from 0 to pi

    Parameters
    ----------
    n_samples : int, default 100
        Number of points of both classes together, 1 or more.
    noise : float, default 0.0
        Standard deviation of the normal noise added to each coordinate, 0 or more.
    seed : int, optional
        From 0 to 2**64 - 1; None draws one from the operating system's entropy.
    dtype : {"float32", "float64"}, default "float32"
        Type of ``X``.

    Returns
    -------
    X : ndarray of dtype, shape (n_samples, 2)
    y : ndarray of int64, shape (n_samples,)
        Class indices 0 and 1.

    Raises
    ------
    ValueError
        If ``n_samples < 1``, or ``noise`` is negative, infinite or NaN, or ``seed`` is out of range.
    TypeError
        If an argument has the wrong type, or ``dtype`` is another one.

    Notes
    -----
    Source: `sklearn.datasets.make_moons`, which draws other numbers from a seed.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.data import make_moons
    >>> X, y = make_moons(100, noise=0.1, seed=0)
    >>> X.shape, X.dtype, np.bincount(y).tolist()
    ((100, 2), dtype('float32'), [50, 50])
    """
    outer, inner = (np.linspace(0.0, np.pi, size) for size in _class_sizes(n_samples, 2))
    arms = [_circle(outer), np.array([1.0, 0.5]) - _circle(inner)]
    return _finish(arms, noise, _generator(seed), dtype)


@errors_of_use
def make_circles(
    n_samples: int = 100,
    *,
    factor: float = 0.5,
    noise: float = 0.0,
    seed: int | None = None,
    dtype: DTypeLike = "float32",
) -> Dataset:
    """Draw a unit circle and a smaller circle within it.

        class 0: (cos t, sin t)    class 1: factor * (cos t, sin t)    t evenly from 0 to 2 pi

    Parameters
    ----------
    n_samples : int, default 100
        Number of points of both classes together, 1 or more.
    factor : float, default 0.5
        Radius of the inner circle, 0 <= factor < 1.
    noise, seed, dtype
        As for `make_moons`, with the same defaults.

    Returns
    -------
    X : ndarray of dtype, shape (n_samples, 2)
    y : ndarray of int64, shape (n_samples,)
        Class indices 0 and 1.

    Raises
    ------
    ValueError, TypeError
        As `make_moons`, and ValueError if ``factor`` is outside [0, 1).

    Notes
    -----
    Source: `sklearn.datasets.make_circles`, whose default of ``factor`` is 0.8.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.data import make_circles
    >>> X, y = make_circles(8, factor=0.25, seed=0)
    >>> np.hypot(*X[y == 0].T).round(4).tolist(), np.hypot(*X[y == 1].T).round(4).tolist()
    ([1.0, 1.0, 1.0, 1.0], [0.25, 0.25, 0.25, 0.25])
    """
    factor = check_number("factor", factor, 0.0, 1.0)
    outer, inner = (np.linspace(0.0, 2.0 * np.pi, size, endpoint=False) for size in _class_sizes(n_samples, 2))
    return _finish([_circle(outer), factor * _circle(inner)], noise, _generator(seed), dtype)


@errors_of_use
def make_spirals(
    n_samples: int = 100,
    *,
    n_classes: int = 2,
    turns: float = 1.5,
    noise: float = 0.0,
    seed: int | None = None,
    dtype: DTypeLike = "float32",
) -> Dataset:
    """Draw one spiral arm for each class, from near the origin out to the unit circle.

        class c: r (cos t, sin t)    t = 2 pi (turns r + c / n_classes)    r evenly in (0, 1]

    Parameters
    ----------
    n_samples : int, default 100
        Number of points of all classes together, 1 or more.
    n_classes : int, default 2
        Number of arms, 1 or more.
    turns : float, default 1.5
        Number of times an arm winds around the origin, 0 or more; 0 gives straight rays.
    noise, seed, dtype
        As for `make_moons`, with the same defaults.

    Returns
    -------
    X : ndarray of dtype, shape (n_samples, 2)
    y : ndarray of int64, shape (n_samples,)
        Class indices 0 to n_classes - 1.

    Raises
    ------
    ValueError, TypeError
        As `make_moons`, and ValueError if ``n_classes < 1`` or ``turns`` is negative, infinite or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.data import make_spirals
    >>> X, y = make_spirals(6, n_classes=3, seed=0)
    >>> X.shape, np.bincount(y).tolist()
    ((6, 2), [2, 2, 2])
    >>> np.hypot(*X[y == 0].T).round(4).tolist() in ([0.5, 1.0], [1.0, 0.5])
    True
    """
    n_classes = check_integer("n_classes", n_classes, 1)
    turns = check_number("turns", turns, 0.0)
    arms = []
    for c, size in enumerate(_class_sizes(n_samples, n_classes)):
        radius = np.linspace(1.0, 0.0, size, endpoint=False)  # leaves out 0, where all arms would meet
        arms.append(radius[:, None] * _circle(2.0 * np.pi * (turns * radius + c / n_classes)))
    return _finish(arms, noise, _generator(seed), dtype)


@errors_of_use
def make_xor(
    n_samples: int = 100, *, noise: float = 0.0, seed: int | None = None, dtype: DTypeLike = "float32"
) -> Dataset:
    """Draw points of the square [-1, 1]^2, whose class is the exclusive or of the signs of their coordinates.

        y = (x_0 > 0) xor (x_1 > 0)          # exact when noise is 0: no coordinate is 0

    Parameters
    ----------
    n_samples : int, default 100
        Number of points of both classes together, 1 or more.
    noise : float, default 0.0
        Standard deviation of the normal noise added to each coordinate after the class is set, 0 or more.
    seed, dtype
        As for `make_moons`, with the same defaults.

    Returns
    -------
    X : ndarray of dtype, shape (n_samples, 2)
        The same number of points in each quadrant, to within one, uniformly distributed in it.
    y : ndarray of int64, shape (n_samples,)
        Class indices 0 and 1.

    Raises
    ------
    ValueError, TypeError
        As `make_moons`.

    Examples
    --------
    >>> from fastnn.data import make_xor
    >>> X, y = make_xor(100, seed=0)
    >>> bool((y == ((X[:, 0] > 0) ^ (X[:, 1] > 0))).all())
    True
    """
    rng = _generator(seed)
    points = []
    for c, size in enumerate(_class_sizes(n_samples, 2)):
        quadrant = 2 * np.arange(size) % 4 + c
        points.append(QUADRANTS[quadrant] * (1.0 - rng.random((size, 2))))  # in (0, 1], never 0
    return _finish(points, noise, rng, dtype)


@errors_of_use
def make_blobs(
    n_samples: int = 100,
    *,
    centers: int | ArrayLike = 3,
    n_features: int = 2,
    spread: float = 1.0,
    seed: int | None = None,
    dtype: DTypeLike = "float32",
) -> Dataset:
    """Draw one normal distribution of points for each class.

        x = center_c + spread * N(0, 1)

    Parameters
    ----------
    n_samples : int, default 100
        Number of points of all classes together, 1 or more.
    centers : int, or array_like of shape (n_classes, n_features), default 3
        The number of centers, 1 or more, drawn uniformly from [-10, 10]^n_features as scikit-learn does; or the centers
        themselves.
    n_features : int, default 2
        Number of coordinates, 1 or more; not used if centers are given.
    spread : float, default 1.0
        Standard deviation of each coordinate within a blob, 0 or more.
    seed, dtype
        As for `make_moons`, with the same defaults.

    Returns
    -------
    X : ndarray of dtype, shape (n_samples, n_features)
    y : ndarray of int64, shape (n_samples,)
        Class indices 0 to n_classes - 1.

    Raises
    ------
    ValueError
        If a number is out of range, or ``centers`` is empty, infinite, NaN or not of two axes.
    TypeError
        If an argument has the wrong type, or ``dtype`` is another one.

    Notes
    -----
    Source: `sklearn.datasets.make_blobs`, where ``spread`` is called ``cluster_std``.

    Examples
    --------
    >>> from fastnn.data import make_blobs
    >>> X, y = make_blobs(3, centers=[[0, 5]], spread=0, seed=0)
    >>> X.tolist(), y.tolist()
    ([[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]], [0, 0, 0])
    >>> X, y = make_blobs(100, centers=4, n_features=8, seed=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((100, 8), [0, 1, 2, 3])
    """
    rng = _generator(seed)
    if np.ndim(centers) == 0:
        shape = (check_integer("centers", centers, 1), check_integer("n_features", n_features, 1))
        centers = rng.uniform(-10.0, 10.0, shape)
    centers = np.asarray(centers, dtype=np.float64)
    if centers.ndim != 2 or centers.size == 0 or not np.isfinite(centers).all():
        raise ValueError(
            f"centers must be a number or finite, of shape (n_classes, n_features), got shape {centers.shape}"
        )
    sizes = _class_sizes(n_samples, len(centers))
    blobs = [np.tile(center, (size, 1)) for center, size in zip(centers, sizes, strict=True)]
    return _finish(blobs, check_number("spread", spread, 0.0), rng, dtype)


def _generator(seed: int | None) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(check_seed(seed)))


def _class_sizes(n_samples: int, n_classes: int) -> list[int]:
    n_samples = check_integer("n_samples", n_samples, 1)
    return [(n_samples + c) // n_classes for c in range(n_classes)]


def _circle(angle: NDArray) -> NDArray:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _finish(classes: list[NDArray], noise: float, rng: np.random.Generator, dtype: DTypeLike) -> Dataset:
    """Join the points of each class, shuffle them and add normal noise."""
    X = np.concatenate(classes)
    y = np.repeat(np.arange(len(classes), dtype=np.int64), [len(points) for points in classes])
    order = rng.permutation(len(y))
    X = X[order] + check_number("noise", noise, 0.0) * rng.standard_normal(X.shape)
    return X.astype(check_dtype(dtype)), y[order]
