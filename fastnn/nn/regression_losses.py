"""Losses that compare numbers: errors of predictions, and the angle between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .loss import Loss


class L1Loss(Loss):
    """Mean absolute error (MAE).

    loss = |input - target|

    Input and target have one shape and dtype; `functional.l1_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.L1Loss()(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    >>> float(value), grad.tolist()
    (1.5, [-0.5, 0.5])
    """

    name = kernel = "l1_loss"


class MSELoss(Loss):
    """Mean squared error.

    loss = (input - target)^2

    Input and target have one shape and dtype; `functional.mse_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MSELoss()(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    >>> float(value), grad.tolist()
    (2.5, [-2.0, 1.0])
    """

    name = kernel = "mse_loss"


class RMSELoss(Loss):
    """Root mean squared error.

    loss = sqrt(mean((input - target)^2))

    Input and target have one shape and dtype; the loss of an epoch is the root of the mean over all its elements.
    `functional.rmse_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        "sum" is the root of the sum, "none" the root of each square.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.RMSELoss()(np.array([0.0, 4.0]), np.array([0.0, 4.0]) + 2.0)
    >>> float(value), grad.tolist()
    (2.0, [-0.5, -0.5])
    """

    name = "rmse_loss"
    kernel = "mse_loss"
    root = True


class HuberLoss(Loss):
    """Huber loss (1964): quadratic for small errors, linear for large ones.

    loss = e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2),   e = input - target

    Input and target have one shape and dtype; `functional.huber_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    delta : float above 0, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.HuberLoss()(np.array([0.5, 3.0]), np.array([0.0, 0.0]))
    >>> float(value), grad.tolist()
    (1.3125, [0.25, 0.5])
    """

    name = kernel = "huber_loss"

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction, delta=check.check_number("delta", delta, above=0.0))


class SmoothL1Loss(Loss):
    """Smooth L1 loss (Girshick 2015): quadratic for small errors, linear for large ones.

    loss = e^2 / (2 beta) where |e| < beta, else |e| - beta / 2,   e = input - target

    Input and target have one shape and dtype; `functional.smooth_l1_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    beta : float, at least 0, default 1.0
        0 makes it `L1Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.SmoothL1Loss(beta=2.0)(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    >>> float(value), grad.tolist()
    (1.125, [0.25, 0.5])
    """

    name = kernel = "smooth_l1_loss"

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction, beta=check.check_number("beta", beta, at_least=0.0))


class QuantileLoss(Loss):
    """Quantile or pinball loss (Koenker and Bassett 1978): its minimum is the q-quantile of the targets.

    loss = q * e where e >= 0, else (q - 1) * e,   e = target - input

    Input and target have one shape and dtype. With several q the target may also have shape (rows,) or (rows, 1): all
    outputs are then quantiles of that one target. `functional.quantile_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    q : float in (0, 1), or one for each output of the network, default 0.5

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.QuantileLoss(q=[0.25, 0.75])(np.array([[1.0, 3.0]]), np.array([2.0]))
    >>> float(value), grad.tolist()
    (0.25, [[-0.125, 0.125]])
    """

    name = kernel = "quantile_loss"
    extra_name = "q"

    def __init__(self, reduction: str = "mean", q: Any = 0.5) -> None:
        (number,), columns = check.split_numbers(check.as_numbers("q", q, above=0.0, below=1.0))
        super().__init__(reduction, q=number)
        self._keep(columns)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        t = check.as_rows(check.as_source("y", target), (rows, n_out))
        return super().prepare_target(t, rows, n_out, dtype)


class LogCoshLoss(Loss):
    """Logarithm of the hyperbolic cosine of the error: quadratic for small errors, linear for large ones.

    loss = log(cosh(input - target))

    Input and target have one shape and dtype; `functional.log_cosh_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.LogCoshLoss()(np.array([0.0, 3.0]), np.array([0.0, 1.0]))
    >>> round(float(value), 4), grad.round(4).tolist()
    (0.6625, [0.0, 0.482])
    """

    name = kernel = "log_cosh_loss"


class MAPELoss(Loss):
    """Mean absolute error in percent of the target.

    loss = 100 * |input - target| / max(|target|, eps)

    Input and target have one shape and dtype; `functional.mape_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    eps : float above 0, default 1e-7
        The least magnitude of a target to divide by.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MAPELoss()(np.array([3.0, 5.0]), np.array([4.0, 4.0]))
    >>> float(value), grad.tolist()
    (25.0, [-12.5, 12.5])
    """

    name = kernel = "mape_loss"

    def __init__(self, reduction: str = "mean", eps: float = 1e-7) -> None:
        super().__init__(reduction, eps=check.check_number("eps", eps, above=0.0))


class MSLELoss(Loss):
    """Mean squared error of logarithms, for targets of very different sizes, 0 or more.

    loss = (log(1 + max(input, eps)) - log(1 + max(target, eps)))^2

    Input and target have one shape and dtype; negative inputs have no gradient. `functional.msle_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    eps : float, at least 0, default 1e-7
        Inputs and targets below it count as eps.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MSLELoss()(np.array([1.0, 3.0]), np.array([3.0, 3.0]))
    >>> round(float(value), 4), grad.round(4).tolist()
    (0.2402, [-0.3466, 0.0])
    """

    name = kernel = "msle_loss"

    def __init__(self, reduction: str = "mean", eps: float = 1e-7) -> None:
        super().__init__(reduction, eps=check.check_number("eps", eps, at_least=0.0))


class CosineSimilarityLoss(Loss):
    """One minus the cosine of the angle between each row of the input and that of the target.

    loss = 1 - input . target / (max(|input|, eps) * max(|target|, eps)),   0 to 2

    Input and target have shape (rows, features) and one dtype; `functional.cosine_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    eps : float, at least 0, default 1e-8
        The least norm to divide by.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.CosineSimilarityLoss()(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    >>> float(value), grad.tolist()
    (1.0, [[0.0, -1.0]])
    """

    name = kernel = "cosine_loss"
    kind = "row_loss"

    def __init__(self, reduction: str = "mean", eps: float = 1e-8) -> None:
        super().__init__(reduction, eps=check.check_number("eps", eps, at_least=0.0))
