"""Weights that make rare classes count as much as frequent ones."""

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
    """Weights of classes for `CrossEntropyLoss(weight=...)` and the other losses over classes.

    Parameters
    ----------
    y : array_like of integers, shape (n,)
        Class indices.
    class_weight : "balanced" or dict, optional
        "balanced" gives each class the weight n / (k * count), k being the number of classes that y has: all classes
        then count alike, and the mean of the weights over the samples is 1. A dict gives weights by class, 1 to those
        that it does not name.
    classes : int, optional
        How many classes there are; by default the largest index of y, plus 1.
    ignore_index : int, optional
        Samples of this class are left out.

    Returns
    -------
    weights : ndarray of float64, shape (classes,)
        A class without samples has the weight 0 if they are balanced.

    Raises
    ------
    ValueError, TypeError
        If y is not a row of integers or has none, or an index or a weight is out of range.

    Notes
    -----
    "balanced" is the rule of `sklearn.utils.class_weight.compute_class_weight`, after King and Zeng (2001).

    Examples
    --------
    >>> class_weights([0, 0, 0, 1]).tolist()
    [0.6666666666666666, 2.0]
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
    weights = np.ones(k)
    for label, weight in class_weight.items():
        index = check_integer("a class of class_weight", label, 0)
        if index >= k:
            raise ValueError(f"class_weight has the class {index}: class indices must be between 0 and {k - 1}")
        weights[index] = check_number(f"class_weight[{index}]", weight, 0)
    return weights
