"""Metrics of predicted numbers, with the definitions and numbers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_finite, as_weight, check_rows


@errors_of_use
def mse(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average") -> Any:
    """Mean squared error.

        mse = sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i

    Parameters
    ----------
    y_true, y_pred : array_like of real numbers, shape (n,) or (n, outputs)
        One shape; shape (n, 1) and (n,) may be combined. Computed in float64.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample. Samples of weight 0 are left out.
    multioutput : {"uniform_average", "raw_values"} or array_like of shape (outputs,), default "uniform_average"
        The mean over outputs, an array with the value of each output, or the weights of a mean over outputs: 0 or more
        and finite, not all 0.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        0 or more; 0 is best. NaN if all weights are 0, infinity if a square overflows (an error above 1e154).

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, a number is infinite or NaN, a weight is negative or not finite,
        or `multioutput` is not one of its options, or has not a weight for each output.
    TypeError
        If an array is not of real numbers.

    Notes
    -----
    Source: `sklearn.metrics.mean_squared_error`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.mse([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 2.0])
    1.0
    >>> metrics.mse([[0.0, 1.0], [0.0, 1.0]], [[1.0, 1.0], [3.0, 1.0]], multioutput="raw_values").tolist()
    [5.0, 0.0]
    """
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    return over_outputs(mean((true - pred) ** 2, weight), multioutput)


@errors_of_use
def rmse(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average") -> Any:
    """Root mean squared error.

        rmse = sqrt(sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i)

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As for `mse`, with the same defaults. The root is taken for each output, before the mean over outputs.

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
    Errors are scaled by a power of two before they are squared, so that no square overflows or underflows. Source:
    `sklearn.metrics.root_mean_squared_error`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.rmse([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 0.0])
    2.0
    >>> metrics.rmse([0.0], [2.0**600]) == 2.0**600
    True
    """
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    scale = _scale(true - pred)
    return over_outputs(np.sqrt(mean(((true - pred) * scale) ** 2, weight)) / scale, multioutput)


@errors_of_use
def mae(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average") -> Any:
    """Mean absolute error.

        mae = sum_i w_i |y_true_i - y_pred_i| / sum_i w_i

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As for `mse`, with the same defaults.

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
    Source: `sklearn.metrics.mean_absolute_error`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.mae([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 2.0])
    0.5
    >>> metrics.mae([1.0, 2.0], [2.0, 6.0], sample_weight=[3.0, 1.0])
    1.75
    """
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    return over_outputs(mean(np.abs(true - pred), weight), multioutput)


@errors_of_use
def r2(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Coefficient of determination R^2: the fraction of the variance of y_true that the predictions explain.

        r2 = 1 - sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i (y_true_i - mean(y_true))^2

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As for `mse`, with the same defaults. The mean of y_true is the weighted one, for each output.
    multioutput : {"uniform_average", "raw_values", "variance_weighted"} or array_like, default "uniform_average"
        As for `mse`; "variance_weighted" weights outputs by the variance of their targets.
    force_finite : bool, default True
        Whether constant targets have the values 1 or 0. If False, they have those of the formula, NaN or -infinity.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        1 or less: 1 is best, 0 is that of predicting the mean. NaN for less than two samples, or if all weights are 0.

    Raises
    ------
    ValueError, TypeError
        As `mse`.

    Notes
    -----
    Of constant targets it is 1 if all predictions are equal to them, and 0 otherwise. Targets and errors are scaled by
    powers of two before they are squared, so that no square overflows or underflows. Source:
    `sklearn.metrics.r2_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    >>> metrics.r2([4.0, 4.0], [4.0, 5.0])  # constant targets
    0.0
    """
    check.check_bool("force_finite", force_finite)
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    error, spread, variance = _spreads(true, pred, weight)
    values = determination(mean(error**2, weight), spread, len(np.asarray(y_true)), force_finite)
    return over_outputs(values, multioutput, variance)


@errors_of_use
def explained_variance(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Explained variance: the fraction of the variance of y_true that the predictions explain, up to a constant shift.

        explained_variance = 1 - var(y_true - y_pred) / var(y_true)

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput, force_finite
        As for `r2`, with the same defaults. Variances are weighted.

    Returns
    -------
    float, or with "raw_values" an ndarray of float64, shape (outputs,)
        1 or less: 1 is best, and that of predictions that are off by a constant. NaN if all weights are 0.

    Raises
    ------
    ValueError, TypeError
        As `mse`.

    Notes
    -----
    Of constant targets it is 1 if errors are constant too, and 0 otherwise. Scaled as `r2`, to which it is equal if the
    mean error is 0. Source: `sklearn.metrics.explained_variance_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.explained_variance([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    1.0
    >>> metrics.explained_variance([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 4.0], multioutput="raw_values").tolist()
    [0.6]
    """
    check.check_bool("force_finite", force_finite)
    true, pred, weight = as_outputs(y_true, y_pred, sample_weight)
    error, spread, variance = _spreads(true, pred, weight)
    error = error - error[weight.argmax()]  # makes constant errors exactly 0
    error = mean((error - mean(error, weight)) ** 2, weight)
    if not weight.any():
        spread = error
    return over_outputs(determination(error, spread, 2, force_finite), multioutput, variance)


def determination(errors: Array, spread: Array, samples: float, force_finite: bool = True) -> Array:
    """R^2 of each output, from its squared errors and squared distances from the mean, both summed or both averaged.

    Parameters
    ----------
    errors, spread : ndarray of float64, shape (outputs,)
    samples : float
        Number of samples; with less than 2 the result is NaN.
    force_finite : bool, default True

    Returns
    -------
    ndarray of float64, shape (outputs,)
        Where `spread` is 0 it is 1 if `errors` is 0, and 0 otherwise; with `force_finite=False` NaN and -infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.metrics.regression import determination
    >>> determination(np.array([1.0, 0.0]), np.array([2.0, 0.0]), 3).tolist()
    [0.5, 1.0]
    """
    if samples < 2:
        return np.full(errors.shape, np.nan)
    constant = np.where(errors == 0, 1.0, 0.0) if force_finite else np.where(errors == 0, np.nan, -np.inf)
    return np.where(spread == 0, constant, 1 - errors / np.where(spread == 0, 1.0, spread))


def as_outputs(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array]:
    """Targets and predictions, of shape (n, outputs), and weights of shape (n,), without the samples of weight 0."""
    true, pred = as_finite("y_true", y_true), as_finite("y_pred", y_pred)
    check_rows(y_true=true, y_pred=pred)
    matrices = [a.reshape(-1, 1) if a.ndim == 1 else a for a in (true, pred)]
    if matrices[0].shape != matrices[1].shape or matrices[0].ndim != 2:
        raise ValueError(f"y_true and y_pred must have one shape, (n,) or (n, outputs), got {true.shape}, {pred.shape}")
    weight = as_weight(sample_weight, len(true))
    kept = weight > 0 if weight.any() else slice(None)
    return matrices[0][kept], matrices[1][kept], weight[kept]


@np.errstate(over="ignore")
def mean(values: Array, weight: Array) -> Array:
    """The weighted mean over rows; NaN if all weights are 0."""
    total = weight.sum()
    if not total:
        return np.full(values.shape[1], np.nan)
    result = weight @ values / total
    return result if np.isfinite(result).all() else weight / total @ values  # the sum alone overflowed


def over_outputs(values: Array, multioutput: Any, variance: Array | None = None) -> Any:
    """The mean over outputs, with weights or without, or with "raw_values" all of them.

    Parameters
    ----------
    values : ndarray of float64, shape (outputs,)
    multioutput : str or array_like
        As for `mse`, or "variance_weighted".
    variance : ndarray of float64, shape (outputs,), optional
        The weights of "variance_weighted", equal ones if all are 0. None for metrics without that option.
    """
    if isinstance(multioutput, (list, tuple, np.ndarray)) or hasattr(multioutput, "__array__"):
        weights = check.as_weights("multioutput", multioutput, "float64")
        check.check_shape("multioutput", weights, values.shape, "one an output")
        if not weights.any():
            raise ValueError("multioutput must have a weight above 0")
    else:
        options = ("uniform_average", "raw_values") + ("variance_weighted",) * (variance is not None)
        check.check_choice("multioutput", multioutput, options)
        if multioutput == "raw_values":
            return values
        weights = np.ones(values.shape)
        if multioutput == "variance_weighted" and variance is not None and variance.any():
            weights = variance
    return float(np.average(values, weights=weights))


def _spreads(true: Array, pred: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Errors and the variance of targets, scaled by powers of two for each output, and that variance in one scale.

    Returns
    -------
    error : ndarray of float64, shape (n, outputs)
    spread : ndarray of float64, shape (outputs,)
        In the unit of `error`, squared.
    variance : ndarray of float64, shape (outputs,)
        In a unit that all outputs share; for weights of outputs.
    """
    first = _scale(np.vstack([true, pred]))
    true, pred = true * first, pred * first
    true, pred = true - true[weight.argmax()], pred - true[weight.argmax()]  # makes constant targets exactly 0
    second = _scale(np.vstack([true, true - pred]))
    true, error = true * second, (true - pred) * second
    spread = mean((true - mean(true, weight)) ** 2, weight)
    exponent = -2 * (np.frexp(first)[1] + np.frexp(second)[1])
    return error, spread, np.ldexp(spread, exponent - exponent[spread != 0].max(initial=exponent.min()))


def _scale(values: Array) -> Array:
    """For each column a power of two that makes its largest number about 1, so that no square is out of range."""
    largest = np.abs(values).max(axis=0, initial=0.0)
    return np.ldexp(1.0, -np.clip(np.frexp(largest)[1], -1000, 1000))
