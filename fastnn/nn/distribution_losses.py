"""Negative log-likelihoods and divergences, as objects; `functional` has functions of the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from ..functional.activations import softplus, softplus_backward
from ..functional.distribution_losses import check_power
from .loss import Loss

if TYPE_CHECKING:
    from ..compiler.compile import ProgramBuilder as Builder

SOFTPLUS = (1.0, 20.0)  # beta and threshold, the defaults of `functional.softplus`


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts under Poisson distributions.

    loss = exp(input) - target * input, or without log_input: input - target * log(input + eps)

    Input and target have one shape and dtype; `functional.poisson_nll_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    log_input : bool, default True
        Whether input is the logarithm of the rate.
    full : bool, default False
        Whether to add Stirling's approximation of log(target!) for targets above 1.
    eps : float above 0, default 1e-8
        Added to a rate before its logarithm is taken.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.PoissonNLLLoss()(np.array([[0.0]]), np.array([[3.0]]))
    >>> float(value), grad.tolist()
    (1.0, [[-2.0]])
    """

    name = kernel = "poisson_nll_loss"

    def __init__(self, reduction: str = "mean", log_input: bool = True, full: bool = False, eps: float = 1e-8) -> None:
        log_input, full = check.check_bool("log_input", log_input), check.check_bool("full", full)
        eps = check.check_number("eps", eps, above=0.0)
        super().__init__(reduction, log_input=log_input, full=full, eps=eps)


class TweedieLoss(Loss):
    """Deviance of Tweedie distributions, for targets that are 0 or above 0: insurance claims, rain, counts.

    loss = 2 * (t^(2 - p) / ((1 - p) * (2 - p)) - t * m^(1 - p) / (1 - p) + m^(2 - p) / (2 - p)),   p = power

    with the mean m = input, or exp(input) with log_input, and t = target, of one shape and dtype.
    `functional.tweedie_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    power : float, 0 or below, or 1 or above, default 1.5
        The variance is mean^power: 0 is the squared error, 1 for Poisson distributions, 2 for gamma distributions.
    log_input : bool, default False
        Whether input is the logarithm of the mean, as of a last layer `nn.Linear`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is negative and power 1 or above, or 0 and power 2
        or above.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.TweedieLoss("sum")(np.array([1.0, 4.0]), np.array([4.0, 4.0]))
    >>> float(value), grad.tolist()
    (4.0, [-6.0, 0.0])
    """

    name = kernel = "tweedie_loss"

    def __init__(self, reduction: str = "mean", power: float = 1.5, log_input: bool = False) -> None:
        super().__init__(reduction, power=check_power(power), log_input=check.check_bool("log_input", log_input))


class GammaLoss(Loss):
    """Deviance of gamma distributions, for targets above 0 whose deviation is in proportion to their mean.

    loss = 2 * (log(m / target) + target / m - 1),   m = input, or exp(input) with log_input

    Input and target have one shape and dtype; `functional.gamma_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    log_input : bool, default False
        Whether input is the logarithm of the mean, as of a last layer `nn.Linear`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.GammaLoss("sum")(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    >>> round(float(value), 4), grad.tolist()
    (0.3863, [0.0, 0.5])
    """

    name = "gamma_loss"
    kernel = "tweedie_loss"

    def __init__(self, reduction: str = "mean", log_input: bool = False) -> None:
        super().__init__(reduction, log_input=check.check_bool("log_input", log_input))

    @property
    def numbers(self) -> tuple[float, ...]:
        return (2.0, *super().numbers)


class KLDivLoss(Loss):
    """Kullback-Leibler divergence of target probabilities from log-probabilities, the outputs of `LogSoftmax`.

    loss = target * (log(target) - input) with 0 log 0 = 0, or with log_target: exp(target) * (target - input)

    Input and target have one shape and dtype, (rows, classes) in a network; `functional.kl_div` has the details.

    Parameters
    ----------
    reduction : {"mean", "batchmean", "sum", "none"}, default "mean"
        "batchmean" divides the sum by the number of rows, which gives the divergence; "mean" by the number of elements.
    log_target : bool, default False
        Whether targets are logarithms of probabilities.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.KLDivLoss("batchmean")(np.log(np.array([[0.5, 0.5]])), np.array([[0.5, 0.5]]))
    >>> float(value), grad.tolist()
    (0.0, [[-0.5, -0.5]])
    """

    name = kernel = "kl_div"
    reductions = ("mean", "batchmean", "sum", "none")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction, log_target=check.check_bool("log_target", log_target))


class GaussianNLLLoss(Loss):
    """Negative log-likelihood under normal distributions of which the network outputs mean and variance.

    loss = (log(v) + (mean - target)^2 / v) / 2,   v = max(softplus(raw), eps)

    The network has two outputs for each target: input is [mean, raw], shape (rows, 2 * n), and target has shape (rows,
    n) (Nix and Weigend 1994; the softplus: Lakshminarayanan et al. 2017). To predict: `mean, raw =
    np.split(net.predict(x), 2, axis=1); var = functional.softplus(raw)`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        Over the elements of the target.
    full : bool, default False
        Whether to add the constant log(2 pi) / 2.
    eps : float above 0, default 1e-6
        The least variance to divide by.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if input has an odd number of columns, or shapes or dtypes do
        not match.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.GaussianNLLLoss()(np.array([[2.0, 0.0]]), np.array([[1.0]]))
    >>> round(float(value), 4), grad.round(4).tolist()
    (0.5381, [[1.4427, -0.1597]])
    """

    name = kernel = "gaussian_nll_loss"
    extra_name = "var"

    def __init__(self, reduction: str = "mean", full: bool = False, eps: float = 1e-6) -> None:
        full, eps = check.check_bool("full", full), check.check_number("eps", eps, above=0.0)
        super().__init__(reduction, full=full, eps=eps)

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """Return the loss and its gradient; input has shape (rows, 2 * n), target (rows, n). See `Loss.__call__`."""
        x = check.as_array("input", input)
        if x.ndim != 2:
            raise ValueError(f"input must have shape (rows, outputs), got {x.shape}")
        n = _pairs(x.shape[1])
        mean, raw = x[:, :n].copy(), x[:, n:].copy()
        arguments = (mean, target, self.reduction, sample_weight, self.numbers, softplus(raw))
        value, gradients = self.formula.both(*arguments)
        grad_mean, grad_var = gradients
        return value, np.concatenate([grad_mean, softplus_backward(grad_var, raw)], axis=1)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        return super().prepare_target(target, rows, _pairs(n_out), dtype)

    def plan(self, builder: Builder, labels: bool) -> None:
        from ..compiler.operations import Operation

        n = _pairs(builder.cols)
        gradient = builder.gradient
        x = builder.in_workspace(builder.current, builder.cols, "input")
        mean, raw, var = (builder.matrix(n) for _ in range(3))
        builder.copy_columns(x, 0, mean, 0, n, "means")
        builder.copy_columns(x, n, raw, 0, n, "variances")
        arrays = {"x": raw, "y": var}
        builder.operations.append(Operation("activation", "variances", arrays, n, 0, "softplus", SOFTPLUS))
        if gradient is None:
            self._plan_loss(builder, labels, mean, None, n, {"extra": var})
            return
        grad_mean, grad_var = builder.matrix(n), builder.matrix(n)
        self._plan_loss(builder, labels, mean, grad_mean, n, {"extra": var, "grad_extra": grad_var})
        arrays = {"grad_output": grad_var, "saved": raw, "grad_input": grad_var}
        backward = Operation("activation_backward", "variances", arrays, n, 0, "softplus_backward", SOFTPLUS)
        builder.operations.append(backward)
        builder.copy_columns(grad_mean, 0, gradient, 0, n, "gradient of means")
        builder.copy_columns(grad_var, 0, gradient, n, n, "gradient of variances")


def _pairs(n_out: int) -> int:
    if n_out % 2:
        raise ValueError(f"GaussianNLLLoss takes a mean and a variance for each target, got {n_out} outputs")
    return n_out // 2
