"""Metrics of predicted numbers, with scikit-learn's names, definitions and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_finite, as_weight, check_rows


@errors_of_use
def mse(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: str = "uniform_average") -> Any:
    """Mean squared error.

    Parameters
    ----------
    y_true, y_pred : arrays of numbers, shape (n,) or (n, outputs)
    sample_weight : array of shape (n,), optional
    multioutput : {"uniform_average", "raw_values"}, default "uniform_average"
        The mean over outputs, or an array with a value each.

    Raises
    ------
    ValueError
        If shapes do not fit, there is no sample, or a number is not finite.

    Notes
    -----
    `sklearn.metrics.mean_squared_error`.
    """
    true, pred, weight = _arguments(y_true, y_pred, sample_weight)
    return _average(_mean((true - pred) ** 2, weight), multioutput)


@errors_of_use
def rmse(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: str = "uniform_average") -> Any:
    """Root of the mean squared error, of each output; arguments are those of `mse`.

    `sklearn.metrics.root_mean_squared_error`: with several outputs it is the mean of their roots.
    """
    true, pred, weight = _arguments(y_true, y_pred, sample_weight)
    scale = _scale(true - pred)
    return _average(np.sqrt(_mean(((true - pred) * scale) ** 2, weight)) / scale, multioutput)


@errors_of_use
def mae(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: str = "uniform_average") -> Any:
    """Mean absolute error; arguments are those of `mse`. `sklearn.metrics.mean_absolute_error`."""
    true, pred, weight = _arguments(y_true, y_pred, sample_weight)
    return _average(_mean(np.abs(true - pred), weight), multioutput)


@errors_of_use
def r2(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: str = "uniform_average") -> Any:
    """Coefficient of determination: 1 - (squared errors) / (squared distances from the mean), of each output.

    Arguments are those of `mse`. `sklearn.metrics.r2_score`: of constant targets it is 1 if they are met and 0
    otherwise; of less than two samples it is nan.
    """
    true, pred, weight = _arguments(y_true, y_pred, sample_weight)
    scale = _scale(np.vstack([true, pred]))
    true, pred = true * scale, pred * scale
    true, pred = true - true[weight.argmax()], pred - true[weight.argmax()]  # constant targets are exactly 0 then
    scale = _scale(np.vstack([true, true - pred]))
    true, error = true * scale, (true - pred) * scale
    spread = _mean((true - _mean(true, weight)) ** 2, weight)
    return _average(determination(_mean(error**2, weight), spread, len(np.asarray(y_true))), multioutput)


def determination(errors: Array, spread: Array, samples: float) -> Array:
    """R2 of each output from its squared errors and squared distances from the mean, both summed or both averaged."""
    if samples < 2:
        return np.full(errors.shape, np.nan)
    constant = np.where(errors == 0, 1.0, 0.0)
    return np.where(spread == 0, constant, 1 - errors / np.where(spread == 0, 1.0, spread))


def _arguments(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array]:
    """Targets and predictions as matrices with a column for each output; without the samples that have no say."""
    true, pred = as_finite("y_true", y_true), as_finite("y_pred", y_pred)
    check_rows(y_true=true, y_pred=pred)
    matrices = [a.reshape(-1, 1) if a.ndim == 1 else a for a in (true, pred)]
    if matrices[0].shape != matrices[1].shape or matrices[0].ndim != 2:
        raise ValueError(f"y_true and y_pred must have one shape, (n,) or (n, outputs), got {true.shape}, {pred.shape}")
    weight = as_weight(sample_weight, len(true))
    kept = weight > 0 if weight.any() else slice(None)
    return matrices[0][kept], matrices[1][kept], weight[kept]


@np.errstate(over="ignore")
def _mean(values: Array, weight: Array) -> Array:
    total = weight.sum()
    if not total:
        return np.full(values.shape[1], np.nan)
    mean = weight @ values / total
    return mean if np.isfinite(mean).all() else weight / total @ values  # where the sum alone is out of range


def _scale(values: Array) -> Array:
    """For each column a power of two that makes its largest number about 1, so that no square is out of range."""
    largest = np.abs(values).max(axis=0, initial=0.0)
    return np.ldexp(1.0, -np.clip(np.frexp(largest)[1], -1000, 1000))


def _average(values: Array, multioutput: str) -> Any:
    check.check_choice("multioutput", multioutput, ("uniform_average", "raw_values"))
    return values if multioutput == "raw_values" else float(values.mean())
