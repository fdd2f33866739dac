"""Splitting a data set into training and test parts, and standardizing them."""

import numbers

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import errors_of_use
from ._checks import check_dtype, check_integer, check_number, check_samples, check_seed, count_of_share


@errors_of_use
def train_test_split(
    *arrays: ArrayLike,
    test_size: float = 0.25,
    seed: int | None = None,
    stratify: ArrayLike | None = None,
) -> tuple[NDArray, ...]:
    """Split arrays at random into a training part and a test part.

        n_test = ceil(test_size * n),    n_train = n - n_test

    Parameters
    ----------
    *arrays : array_like, shape (n, ...)
        Arrays with the same first axis, of any dtype; their rows are split in the same way.
    test_size : float or int, default 0.25
        A float between 0 and 1 is the share of the test part, an int its number of samples. Both parts must have at
        least one sample.
    seed : int, optional
        From 0 to 2**64 - 1; None draws one from the operating system's entropy.
    stratify : array_like, shape (n,), optional
        Class labels, usually ``y``: each class has then the same share in both parts, to rounding.

    Returns
    -------
    tuple of ndarray
        ``X_train, X_test, y_train, y_test, ...``: two copies for each array, of the same dtype, with rows shuffled. NaN
        is copied as it is.

    Raises
    ------
    ValueError
        If lengths differ, ``test_size`` leaves a part empty, a class of ``stratify`` has fewer than two samples, or a
        part has fewer samples than there are classes.
    TypeError
        If no array is given, ``test_size`` or ``seed`` has the wrong type, or an array is masked or sparse.

    Notes
    -----
    The order of the results and the rounding of ``test_size`` are those of `sklearn.model_selection.train_test_split`.
    The shuffled order differs from scikit-learn's. It is the same for all NumPy versions with the same
    ``Generator.permutation``.

    Examples
    --------
    >>> from fastnn.data import train_test_split
    >>> X_train, X_test, y_train, y_test = train_test_split([[1], [2], [3], [4]], [0, 0, 1, 1], seed=0)
    >>> X_train.shape, X_test.shape
    ((3, 1), (1, 1))
    >>> labels = [0, 0, 0, 0, 1, 1]
    >>> train, test = train_test_split(labels, test_size=0.5, stratify=labels, seed=0)
    >>> sorted(train.tolist()), sorted(test.tolist())
    ([0, 0, 1], [0, 0, 1])
    """
    if not arrays:
        raise TypeError("train_test_split takes at least one array, got none")
    named = {f"arrays[{i}]": array for i, array in enumerate(arrays)}
    if stratify is not None:
        named["stratify"] = stratify
    checked = check_samples(named)
    n = len(checked[0])
    n_test = _test_count(test_size, n)
    order = np.random.Generator(np.random.Philox(check_seed(seed))).permutation(n)
    in_test = np.arange(n) < n_test if stratify is None else stratified(checked.pop()[order], n_test)
    return tuple(part for array in checked for part in (array[order[~in_test]], array[order[in_test]]))


def _test_count(test_size: float, n: int) -> int:
    """Return the number of test samples of ``n``; ValueError if a part would be empty."""
    if isinstance(test_size, numbers.Integral):
        n_test = check_integer("test_size", test_size, 1)
    else:
        n_test = count_of_share(check_number("test_size", test_size, 0.0, 1.0), n)
    if not 0 < n_test < n:
        raise ValueError(f"test_size must leave samples for both parts, got {test_size}: {n_test} of {n} to test")
    return n_test


def stratified(labels: NDArray, n_test: int) -> NDArray[np.bool_]:
    """Return the mask of test samples: the first rows of each class, as many as its share of ``n_test``.

    Parameters
    ----------
    labels : ndarray, shape (n,)
    n_test : int

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If ``labels`` is not of one axis, a class has fewer than two samples, or a part fewer samples than there are
        classes.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.data.split import stratified
    >>> stratified(np.array([0, 0, 1, 1]), 2).tolist()
    [True, False, True, False]
    """
    if labels.ndim != 1:
        raise ValueError(f"stratify must have shape (n,), got {labels.shape}")
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(f"stratify needs two samples of every class, got one of class {classes[counts.argmin()]}")
    if min(n_test, len(labels) - n_test) < len(classes):
        raise ValueError(
            f"test_size must leave both parts a sample of each of the {len(classes)} classes, "
            f"got {len(labels) - n_test} to train and {n_test} to test"
        )
    in_test = np.zeros(len(labels), dtype=bool)
    for code, share in enumerate(_shares(counts, n_test)):
        in_test[np.flatnonzero(codes == code)[:share]] = True
    return in_test


def _shares(counts: NDArray, total: int) -> NDArray:
    """Divide ``total`` in proportion to ``counts``: rounded down, the rest to the largest remainders.

    In integers, so that no share depends on rounding.
    """
    shares, remainders = np.divmod(counts * total, counts.sum())
    neediest = np.argsort(-remainders, kind="stable")
    shares[neediest[: total - shares.sum()]] += 1
    return shares


@errors_of_use
def standardize(X_train: ArrayLike, *others: ArrayLike) -> NDArray | tuple[NDArray, ...]:
    """Standardize features by their mean and standard deviation in the training set.

        z = (x - mean(x_train)) / std(x_train)

    Parameters
    ----------
    X_train : array_like of float32 or float64, shape (n, ...)
        The samples, one or more, from which mean and standard deviation (population, ``ddof=0``) are computed.
    *others : array_like of float32 or float64, shape (m, ...)
        Test or validation sets with the features of ``X_train``, scaled with its mean and standard deviation.

    Returns
    -------
    ndarray, or tuple of ndarray when ``others`` are given
        Standardized copies in the order and the dtypes of the arguments. A feature that is constant in ``X_train`` is
        only shifted. A NaN in a feature of ``X_train`` makes the whole feature NaN; a NaN in another array affects only
        its own element.

    Raises
    ------
    ValueError
        If ``X_train`` has no samples, or an array has other features than ``X_train``.
    TypeError
        If an array is neither float32 nor float64.

    Notes
    -----
    Computed in float64 and rounded once, at the end. Source: `sklearn.preprocessing.StandardScaler`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.data import standardize
    >>> train, test = standardize(np.array([[1.0, 7.0], [3.0, 7.0]]), np.array([[5.0, 8.0]]))
    >>> train.tolist(), test.tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [[3.0, 1.0]])
    """
    names = ["X_train", *(f"others[{i}]" for i in range(len(others)))]
    arrays = [_features(name, array) for name, array in zip(names, (X_train, *others), strict=True)]
    train = arrays[0]
    if len(train) == 0:
        raise ValueError(f"X_train must have at least one sample, got shape {train.shape}")
    for name, array in zip(names, arrays, strict=True):
        if array.shape[1:] != train.shape[1:]:
            raise ValueError(
                f"{name} must have features of shape {train.shape[1:]} as X_train has, got {array.shape[1:]}"
            )
    # The first sample is subtracted first, so that a constant feature has a deviation of exactly 0.
    origin = train[0].astype(np.float64)
    deviations = train - origin
    mean = origin + deviations.mean(axis=0)
    std = deviations.std(axis=0)
    scale = np.where(std == 0.0, 1.0, std)
    scaled = tuple(((array - mean) / scale).astype(array.dtype) for array in arrays)
    return scaled if others else scaled[0]


def _features(name: str, array: ArrayLike) -> NDArray:
    (checked,) = check_samples({name: array})
    check_dtype(checked.dtype, f"the dtype of {name}")
    return checked
