"""Intervals of predictions with a given coverage, by the errors of rows that were not trained on."""

from __future__ import annotations

import math

import numpy as np

from ..._validation import Array


def conformal_width(errors: Array, coverage: float) -> Array:
    """Half the width of an interval that holds a new target with at least this probability.

    The k-th smallest absolute error, where k = ceil((n + 1) coverage); infinity if that is more than n.

    Parameters
    ----------
    errors : ndarray, shape (rows, outputs)
        Absolute errors of rows that the model was not trained on.
    coverage : float in (0, 1)

    Returns
    -------
    width : ndarray, shape (outputs,)

    Notes
    -----
    Source: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, "Distribution-Free Predictive Inference for Regression",
    Journal of the American Statistical Association, 2018, Algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn.tabular.intervals import conformal_width
    >>> conformal_width(np.array([[3.0], [1.0], [2.0], [4.0]]), 0.8).tolist()
    [4.0]
    """
    if not 0.0 < coverage < 1.0:
        raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}")
    k = math.ceil((len(errors) + 1) * coverage - 1e-12)
    if k > len(errors):
        return np.full(errors.shape[1], np.inf)
    return np.sort(errors, axis=0)[k - 1]
