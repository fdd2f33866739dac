"""Metrics of absolute errors and quantiles: pinball loss, median and maximum, D^2, with the numbers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array
from .regression import as_outputs, determination, mean, over_outputs


@errors_of_use
def median_absolute_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Median absolute error, which a few large errors do not change.

        median_absolute_error = median_i |y_true_i - y_pred_i|

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As for `mse`, with the same defaults. The median is weighted: of the middle two errors the mean, where half the
        weight is exactly between them.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        0 or more, in the unit of y_true; 0 is best. NaN if all weights are 0.

    Raises
    ------
    ValueError, TypeError
        As `mse`.

    Notes
    -----
    Source: `sklearn.metrics.median_absolute_error`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.median_absolute_error([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0])
    0.5
    >>> metrics.median_absolute_error([0.0, 0.0, 0.0], [1.0, 2.0, 9.0], sample_weight=[3.0, 1.0, 1.0])
    1.0
    """
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    return over_outputs(quantile(np.abs(true - pred), weight, 0.5), multioutput)


@errors_of_use
def max_error(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average") -> Any:
    """Largest absolute error.

        max_error = max_i |y_true_i - y_pred_i|

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As for `mse`, with the same defaults. Samples of weight 0 are left out; otherwise weights change nothing.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        0 or more, in the unit of y_true; 0 is best. NaN if all weights are 0.

    Raises
    ------
    ValueError, TypeError
        As `mse`.

    Notes
    -----
    Source: `sklearn.metrics.max_error`, which knows no weights and no more than one output.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.max_error([3.0, 2.0, 7.0, 1.0], [4.0, 2.0, 7.0, 1.0])
    1.0
    """
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    worst = np.abs(true - pred).max(axis=0) if weight.any() else np.full(true.shape[1], np.nan)
    return over_outputs(worst, multioutput)


@errors_of_use
def pinball_loss(
    y_true: Any,
    y_pred: Any,
    *,
    alpha: float = 0.5,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean pinball or quantile loss: least for predictions of the alpha-quantile of the targets.

        pinball_loss = sum_i w_i max(alpha d_i, (alpha - 1) d_i) / sum_i w_i    with d_i = y_true_i - y_pred_i

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As for `mse`, with the same defaults.
    alpha : float, default 0.5
        The quantile, between 0 and 1; with 0.5 the loss is half the mean absolute error.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        0 or more, in the unit of y_true; 0 is best. NaN if all weights are 0.

    Raises
    ------
    ValueError, TypeError
        As `mse`; also if `alpha` is out of range.

    Notes
    -----
    `nn.QuantileLoss` trains for it. Source: `sklearn.metrics.mean_pinball_loss`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.pinball_loss([1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 3.0, 4.0], alpha=0.25)
    0.0625
    >>> metrics.pinball_loss([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 3.0, 4.0], alpha=0.25)
    0.1875
    """
    alpha = check.check_number("alpha", alpha, at_least=0.0, at_most=1.0)
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    return over_outputs(mean(_losses(true - pred, alpha), weight), multioutput)


@errors_of_use
def d2_pinball(
    y_true: Any,
    y_pred: Any,
    *,
    alpha: float = 0.5,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """D^2 of the pinball loss: the fraction of the loss of a constant prediction that the predictions save.

        d2_pinball = 1 - pinball_loss(y_true, y_pred) / pinball_loss(y_true, quantile of y_true)

    Parameters
    ----------
    y_true, y_pred, alpha, sample_weight, multioutput
        As for `pinball_loss`, with the same defaults. The alpha-quantile of y_true is the weighted one, for each
        output.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        1 or less: 1 is best, 0 is that of predicting the quantile. NaN for less than two samples, or if all weights are
        0.

    Raises
    ------
    ValueError, TypeError
        As `pinball_loss`.

    Notes
    -----
    Where the loss of the quantile is 0, as for constant targets, it is 1 if that of the predictions is 0 too, and 0
    otherwise. Source: `sklearn.metrics.d2_pinball_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.d2_pinball([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    >>> metrics.d2_pinball([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], alpha=0.75)
    1.0
    """
    alpha = check.check_number("alpha", alpha, at_least=0.0, at_most=1.0)
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    reference = mean(_losses(true - quantile(true, weight, alpha), alpha), weight)
    losses = mean(_losses(true - pred, alpha), weight)
    return over_outputs(_saved(losses, reference, len(np.asarray(y_true))), multioutput)


@errors_of_use
def d2_absolute_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """D^2 of the absolute error: the fraction of the error of the median that the predictions save.

        d2_absolute_error = 1 - mae(y_true, y_pred) / mae(y_true, median of y_true)

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As for `mse`, with the same defaults. The median of y_true is the weighted one, for each output.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        As `d2_pinball` with alpha 0.5, to which it is equal.

    Raises
    ------
    ValueError, TypeError
        As `mse`.

    Notes
    -----
    Source: `sklearn.metrics.d2_absolute_error_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.d2_absolute_error([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    0.0
    >>> metrics.d2_absolute_error([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    return d2_pinball(y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput)


def quantile(values: Array, weight: Array, alpha: float) -> Array:
    """The weighted alpha-quantile of each column: the mean of two values where the weight is split exactly.

    Parameters
    ----------
    values : ndarray of float64, shape (n, columns)
    weight : ndarray of float64, shape (n,)
        All above 0; or all 0, then the result is NaN.
    alpha : float
        Between 0 and 1.

    Returns
    -------
    ndarray of float64, shape (columns,)

    Notes
    -----
    "averaged_inverted_cdf" of `numpy.quantile`, with the rounding of scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.metrics.quantiles import quantile
    >>> quantile(np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 1.0, 2.0]), 0.5).tolist()
    [3.0]
    """
    if not weight.any():
        return np.full(values.shape[1], np.nan)
    order = np.argsort(values, axis=0)
    below = np.cumsum(weight[order], axis=0)
    result = np.empty(values.shape[1])
    for j, (column, sums) in enumerate(zip(np.take_along_axis(values, order, 0).T, below.T, strict=True)):
        place = alpha * 100 / 100 * sums[-1] or np.nextafter(0.0, 1.0)
        lower = min(int(np.searchsorted(sums, place)), len(sums) - 1)
        split = sums[lower] - place <= np.finfo(float).eps
        upper = min(lower + split, len(sums) - 1)
        result[j] = column[lower] / 2 + column[upper] / 2 if split else column[lower]
    return result


def _losses(difference: Array, alpha: float) -> Array:
    return np.maximum(alpha * difference, (alpha - 1) * difference)


def _saved(losses: Array, reference: Array, samples: int) -> Array:
    """D^2 of each output; NaN for losses that are NaN."""
    return np.where(np.isnan(losses), np.nan, determination(losses, reference, samples))
