"""Metrics of regression: mean absolute and squared errors, R^2."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...compiler.counters import ERRORS
from .._inputs import Array
from ..regression import determination
from .base import Metric


class Errors(Metric):
    """Base of the metrics of regression; the value is the mean over outputs.

    Where targets are missing, or elements have weights of their own, the mean of an output is over its elements, and
    MAE and MSE are the means over all elements, as the losses are.

    Errors are squared and summed in float64 without scaling: the square of an error above 1e154 overflows, that of an
    error below 1e-162 underflows to 0. A target or an output that is NaN gives NaN. Targets that are class indices are
    a ValueError.
    """

    counter = ERRORS
    by_elements: ClassVar[bool] = False  # whether it is a mean over elements, not over outputs

    def of_counts(self, counts: Array, several: bool) -> float:
        samples, (absolute, squared, _, spread, weights) = counts[1], counts[2:].reshape(5, -1)
        seen = weights > 0
        if not seen.any():
            return np.nan
        weight = weights[seen]
        values = self.of_sums(absolute[seen] / weight, squared[seen] / weight, spread[seen] / weight, samples)
        if self.by_elements and weight.min() != weight.max():
            return float(np.average(values, weights=weight))
        return float(np.mean(values))

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        """The value of each output, an ndarray of float64 of shape (outputs,).

        Parameters
        ----------
        absolute, squared, spread : ndarray of float64, shape (outputs,)
            Weighted means of |error|, of error^2, and of the squared distance of targets from their mean.
        samples : float
            Number of samples.
        """
        raise NotImplementedError


class MAE(Errors):
    """Mean absolute error, averaged over outputs.

        mae = sum_i w_i |y_true_i - y_pred_i| / sum_i w_i

    Notes
    -----
    NaN if all weights are 0. Source: `sklearn.metrics.mean_absolute_error`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> chosen = [metrics.MAE(), metrics.MSE(), metrics.R2()]
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=chosen)
    >>> x, y = np.array([[1], [2], [2]], "float32"), np.array([[1], [2], [3]], "float32")
    >>> {name: round(value, 4) for name, value in trainer.evaluate(x, y).items()}
    {'loss': 0.3333, 'mae': 0.3333, 'mse': 0.3333, 'r2': 0.5}
    """

    name = "mae"
    by_elements = True

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return absolute


class MSE(Errors):
    """Mean squared error, averaged over outputs.

        mse = sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i

    Notes
    -----
    NaN if all weights are 0, infinity if a square overflows. Source: `sklearn.metrics.mean_squared_error`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.L1Loss(), optim.SGD(net.parameters()), metrics=[metrics.MSE()])
    >>> x, y = np.array([[1], [2], [3]], "float32"), np.array([[1], [2], [5]], "float32")
    >>> round(trainer.evaluate(x, y)["mse"], 4)
    1.3333
    """

    name = "mse"
    by_elements = True

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return squared


class RMSE(Errors):
    """Root mean squared error, averaged over outputs.

        rmse = sqrt(sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i)    for each output

    Notes
    -----
    NaN if all weights are 0, infinity if a square overflows. Source: `sklearn.metrics.root_mean_squared_error`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=["rmse"])
    >>> trainer.evaluate(np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32"))
    {'loss': 4.0, 'rmse': 2.0}
    """

    name = "rmse"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return np.sqrt(squared)


class R2(Errors):
    """Coefficient of determination R^2, averaged over outputs.

        r2 = 1 - sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i (y_true_i - mean(y_true))^2

    Notes
    -----
    NaN for less than two samples, or if all weights are 0. Of constant targets it is 1 if all predictions are equal to
    them, and 0 otherwise. Source: `sklearn.metrics.r2_score`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.L1Loss(), optim.SGD(net.parameters()), metrics=[metrics.R2()])
    >>> x, y = np.array([[1], [2], [3]], "float32"), np.array([[1], [2], [5]], "float32")
    >>> round(trainer.evaluate(x, y)["r2"], 4)
    0.5385
    """

    name = "r2"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return determination(squared, spread, samples)
