"""Labels of classes as columns of booleans, as scikit-learn's LabelBinarizer has them."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from .._validation import Array


def binarized(y: Array) -> tuple[LabelBinarizer, Array | None]:
    """A fitted LabelBinarizer; and, of integers, booleans and fixed-width strings, the columns that it transforms y to.

    Those have few classes and no trap, so that one sort replaces its checks. Everything else it fits itself.

    Parameters
    ----------
    y : ndarray, shape (rows,) or (rows, labels)

    Returns
    -------
    binarizer : LabelBinarizer
    indicators : ndarray of bool, shape (rows, classes), (rows, 1) for at most two classes; or None

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn.labels import binarized
    >>> binarizer, indicators = binarized(np.array([7, 5, 7, 5]))
    >>> binarizer.classes_.tolist(), indicators.astype(int).tolist()
    ([5, 7], [[1], [0], [1], [0]])
    """
    binarizer = LabelBinarizer()
    if y.ndim == 1 and y.dtype.kind in "iubU":
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) == 2 or 3 <= len(classes) <= len(y) // 2:  # of more, scikit-learn asks whether they are classes
            binarizer.classes_, binarizer.sparse_input_ = classes, False
            binarizer.y_type_ = "binary" if len(classes) == 2 else "multiclass"
            columns = np.arange(len(classes)) if len(classes) > 2 else np.ones(1, "int64")
            return binarizer, codes.reshape(-1, 1) == columns
    return binarizer.fit(y), None
