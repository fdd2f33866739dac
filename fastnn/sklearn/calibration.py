"""The temperature of a classifier, by the log loss of rows that it was not trained on."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from .. import functional as F
from .._validation import Array

LARGEST = 100.0  # a temperature is between this and its inverse


def fit_temperature(outputs: Array, target: Array, weight: Array | None = None) -> float:
    """The number that outputs are divided by to minimize their log loss.

    Parameters
    ----------
    outputs : ndarray, shape (rows, classes), or (rows, labels) of logits of two classes
    target : ndarray of int, shape (rows,), or of float like outputs
    weight : ndarray, shape (rows,), optional

    Returns
    -------
    temperature : float
        Between 0.01 and 100.

    Notes
    -----
    Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn.calibration import fit_temperature
    >>> outputs = np.full((4, 1), 2 * np.log(3.0))  # 0.9 for a share of 3 / 4
    >>> round(fit_temperature(outputs, np.array([[1.0], [1.0], [1.0], [0.0]])), 4)
    2.0
    """
    outputs = outputs.astype("float64")
    indices = target.dtype.kind in "iu"

    def log_loss(logarithm: float) -> float:
        scaled = outputs / np.exp(logarithm)
        if indices:
            each = -F.log_softmax(scaled, axis=-1)[np.arange(len(target)), target]
        else:
            each = (np.logaddexp(0, scaled) - target * scaled).sum(axis=1)
        return float(np.average(each, weights=weight))

    found = minimize_scalar(log_loss, bounds=(-np.log(LARGEST), np.log(LARGEST)), method="bounded",
                            options={"xatol": 1e-8})  # fmt: skip
    return float(np.exp(found.x))
