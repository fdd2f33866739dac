"""Negative log-likelihoods and divergences, as objects; the functions of the same names have the formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from ..functional.activations import softplus, softplus_backward
from .losses import Loss

if TYPE_CHECKING:
    from ..compiler.plan import Plan

SOFTPLUS = (1.0, 20.0)  # beta and threshold, the defaults of `functional.softplus`


class PoissonNLLLoss(Loss):
    """exp(input) - target * input, or input - target * log(input + eps) without `log_input`: for counts

    With `full`, Stirling's approximation of log(target!) is added.
    """

    name = kernel = "poisson_nll_loss"

    def __init__(self, reduction: str = "mean", log_input: bool = True, full: bool = False, eps: float = 1e-8) -> None:
        log_input, full = check.check_bool("log_input", log_input), check.check_bool("full", full)
        eps = check.check_number("eps", eps, above=0.0)
        super().__init__(reduction, log_input=log_input, full=full, eps=eps)


class KLDivLoss(Loss):
    """Divergence of target probabilities (with `log_target`: their logarithms) from log-probabilities

    Parameters
    ----------
    reduction : {"mean", "batchmean", "sum", "none"}, default "mean"
        "batchmean" is the divergence itself, the mean over rows; "mean" divides by the number of columns too.
    log_target : bool, default False
    """

    name = kernel = "kl_div"
    reductions = ("mean", "batchmean", "sum", "none")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction, log_target=check.check_bool("log_target", log_target))


class GaussianNLLLoss(Loss):
    """Negative log-likelihood under normal distributions, of which the network gives means and variances.

    loss = (log(v) + (mean - target)^2 / v) / 2,   v = max(softplus(raw), eps)

    The network has two outputs for each target: first the means, then what becomes a variance by softplus
    (Lakshminarayanan et al. 2017). So `mean, raw = np.split(net.predict(x), 2, axis=1); var = F.softplus(raw)`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        Over the elements of the target.
    full : bool, default False
        Whether to add the constant log(2 pi) / 2.
    eps : float above 0, default 1e-6
        The least variance to divide by.
    """

    name = kernel = "gaussian_nll_loss"
    extra_name = "var"

    def __init__(self, reduction: str = "mean", full: bool = False, eps: float = 1e-6) -> None:
        full, eps = check.check_bool("full", full), check.check_number("eps", eps, above=0.0)
        super().__init__(reduction, full=full, eps=eps)

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
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

    def plan(self, plan: Plan, labels: bool) -> None:
        from ..compiler.program import Operation

        n = _pairs(plan.cols)
        gradient = plan.gradient
        x = plan.in_workspace(plan.current, plan.cols, "input")
        mean, raw, var = (plan.buffer(n) for _ in range(3))
        plan.copy_columns(x, 0, mean, 0, n, "means")
        plan.copy_columns(x, n, raw, 0, n, "variances")
        arrays = {"x": raw, "y": var}
        plan.operations.append(Operation("activation", "variances", arrays, n, 0, "softplus", SOFTPLUS))
        if gradient is None:
            self._plan_loss(plan, labels, mean, None, n, {"extra": var})
            return
        grad_mean, grad_var = plan.buffer(n), plan.buffer(n)
        self._plan_loss(plan, labels, mean, grad_mean, n, {"extra": var, "grad_extra": grad_var})
        arrays = {"grad_y": grad_var, "saved": raw, "grad_x": grad_var}
        backward = Operation("activation_backward", "variances", arrays, n, 0, "softplus_backward", SOFTPLUS)
        plan.operations.append(backward)
        plan.copy_columns(grad_mean, 0, gradient, 0, n, "gradient of means")
        plan.copy_columns(grad_var, 0, gradient, n, n, "gradient of variances")


def _pairs(n_out: int) -> int:
    if n_out % 2:
        raise ValueError(f"GaussianNLLLoss takes a mean and a variance for each target, got {n_out} outputs")
    return n_out // 2
