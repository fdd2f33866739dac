"""Class weights, with which rare classes count as much as frequent ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import errors_of_use
from ._checks import check_integer, check_number


@errors_of_use
def class_weights(
    y: ArrayLike,
    class_weight: str | Mapping[int, float] = "balanced",
    *,
    classes: int | None = None,
    ignore_index: int = -100,
) -> NDArray[np.float64]:
    """Weights of classes, for `CrossEntropyLoss(weight=...)` and other losses with class indices.

        weight_c = n / (k * count_c)          # "balanced"

    with n samples, of which ``count_c`` are of class c, and k classes that occur in y. The weighted counts of these
    classes are then equal, and the mean of the weights over the samples is 1.

    Parameters
    ----------
    y : array_like of integers, shape (n,)
        Class indices, 0 or more.
    class_weight : "balanced" or dict, default "balanced"
        A dict has weights by class, 0 or more and finite; a class that is not in it has weight 1.
    classes : int, optional
        Number of classes, 1 or more; by default the largest index of y, plus 1.
    ignore_index : int, default -100
        Samples of this class are left out.

    Returns
    -------
    weights : ndarray of float64, shape (classes,)
        The "balanced" weight of a class without samples is 0.

    Raises
    ------
    ValueError
        If y is not of one axis, has no samples that are not ignored, or an index or a weight is out of range.
    TypeError
        If y is not of integers, or another argument has the wrong type.

    Notes
    -----
    "balanced" is the rule of `sklearn.utils.class_weight.compute_class_weight`, after King and Zeng, "Logistic
    regression in rare events data" (2001).

    Examples
    --------
    >>> from fastnn.data import class_weights
    >>> class_weights([0, 0, 0, 1, 1, 1, 1, 1]).round(4).tolist()
    [1.3333, 0.8]
    >>> class_weights([0, 1, 2], {1: 2.5}).tolist()
    [1.0, 2.5, 1.0]
    """
    labels = np.asarray(y)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"y must be integer class indices, got {labels.dtype}")
    if labels.ndim != 1:
        raise ValueError(f"y must have shape (n,), got {labels.shape}")
    labels = labels[labels != check_integer("ignore_index", ignore_index, -(2**63))]
    if labels.size == 0:
        raise ValueError("y must have at least one sample that is not ignored")
    k = int(labels.max()) + 1 if classes is None else check_integer("classes", classes, 1)
    bad = np.flatnonzero((labels < 0) | (labels >= k))
    if bad.size:
        raise ValueError(f"y has the class {labels[bad[0]]}: class indices must be between 0 and {k - 1}")
    if isinstance(class_weight, Mapping):
        return _named(class_weight, k)
    if class_weight != "balanced":
        raise ValueError(f"class_weight must be 'balanced' or a dict, got {class_weight!r}")
    counts = np.bincount(labels.astype(np.int64), minlength=k)
    balanced = labels.size / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts > 0, balanced, 0.0)


def _named(class_weight: Mapping[Any, float], k: int) -> NDArray[np.float64]:
    """The weights of k classes from a dict; 1 for a class that is not in it."""
    weights = np.ones(k)
    for label, weight in class_weight.items():
        index = check_integer("a class of class_weight", label, 0)
        if index >= k:
            raise ValueError(f"class_weight has the class {index}: class indices must be between 0 and {k - 1}")
        weights[index] = check_number(f"class_weight[{index}]", weight, 0)
    return weights
