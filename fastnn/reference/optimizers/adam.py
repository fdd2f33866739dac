"""Adam and its variants: AdamW, NAdam, RAdam, Adamax."""

from typing import Any

import numpy as np

from ..._core.compat import resolved
from ..elementary import Array
from ..parameters import lerp_
from ._shared import average_moments, gradient, over_root

__all__ = ["adam_step", "adamax_step", "adamw_step", "nadam_step", "radam_step"]


@np.errstate(all="ignore")
def adam_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float | None = None,
    weight_decay: float = 0.0,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """Update by Adam (Kingma and Ba, 2015), or by AMSGrad (Reddi, Kale and Kumar, 2018) if `max_exp_avg_sq` is given.

        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        param -= lr / (1 - b1**step) * m / (sqrt(v) / sqrt(1 - b2**step) + eps)

    AMSGrad uses the largest v so far, kept in `max_exp_avg_sq`. All but torch add eps before the correction,
    param -= lr / (1 - b1**step) * sqrt(1 - b2**step) * m / (sqrt(v) + eps); onnx counts steps from 0, and does not
    correct at step 0.
    """
    (eps,) = resolved("adam_step", compat, eps=eps)
    grad = gradient(param, grad, lr, weight_decay, maximize, compat == "keras")
    average_moments(exp_avg, exp_avg_sq, grad, betas)
    variance = exp_avg_sq
    if max_exp_avg_sq is not None:
        variance = np.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
    t = step - 1 if compat == "onnx" else step
    bias_correction1, bias_correction2 = (1 - beta**t if t > 0 else 1.0 for beta in betas)
    step_size, root = lr / bias_correction1, np.sqrt(variance)
    if compat == "torch":
        root /= bias_correction2**0.5
    else:
        step_size *= bias_correction2**0.5
    param -= step_size * over_root(exp_avg, root + eps)


@np.errstate(all="ignore")
def adamw_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float | None = None,
    weight_decay: float | None = None,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """Update by AdamW (Loshchilov and Hutter, 2019): `adam_step`, with decay of the parameters themselves.

        param *= 1 - lr * weight_decay, then Adam without decay

    onnx: Adam first, then param *= 1 - weight_decay (norm_coefficient_post of its operator).
    """
    eps, weight_decay = resolved("adamw_step", compat, eps=eps, weight_decay=weight_decay)
    if compat != "onnx":
        param *= 1 - lr * weight_decay
    rates: dict[str, Any] = {"lr": lr, "betas": betas, "eps": eps}
    adam_step(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step=step, maximize=maximize, compat=compat, **rates)
    if compat == "onnx":
        param *= 1 - weight_decay


def product_of_momenta(beta1: float, momentum_decay: float, steps: int) -> float:
    """Return the product of NAdam's momenta of the first `steps` steps; inexact below 1e-20, where it has no effect."""
    product = 1.0
    for t in range(1, steps + 1):
        decay = 0.96 ** (t * momentum_decay)
        product *= beta1 * (1 - 0.5 * decay)
        if decay < 1e-17:  # the momentum is beta1 from here on
            product *= beta1 ** (steps - t)
        if product < 1e-20 or decay < 1e-17:
            break
    return product


@np.errstate(all="ignore")
def nadam_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    step: int,
    mu_product: Array | None = None,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> None:
    """Update by NAdam (Dozat, 2016): Adam's m and v, and a momentum mu that grows with the step.

        mu(t) = b1 * (1 - 0.5 * 0.96**(t * momentum_decay))
        mu_product *= mu(step)
        param -= lr * ((1 - mu(step)) / (1 - mu_product) * g + mu(step + 1) / (1 - mu_product * mu(step + 1)) * m)
                 / (sqrt(v / (1 - b2**step)) + eps)

    `mu_product` is an array of one float64 that starts as 1; without it, it is computed from step, with the current
    betas and momentum_decay for all steps.
    """

    def mu(t: int) -> float:
        return float(betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay)))

    grad = gradient(param, grad, lr, weight_decay, maximize, decoupled_weight_decay)
    average_moments(exp_avg, exp_avg_sq, grad, betas)
    if mu_product is None:
        mu_product = np.array([product_of_momenta(betas[0], momentum_decay, step - 1)])
    mu_product *= mu(step)
    product = float(mu_product[0])
    of_grad = lr * (1 - mu(step)) / (1 - product)
    of_average = lr * mu(step + 1) / (1 - product * mu(step + 1))
    root = np.sqrt(exp_avg_sq / (1 - betas[1] ** step))
    param -= over_root(of_grad * grad + of_average * exp_avg, root + eps)


@np.errstate(all="ignore")
def radam_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> None:
    """Update by RAdam (Liu et al., 2020): Adam's m and v, where v is used only once it averages enough gradients.

    rho_inf = 2 / (1 - b2) - 1
    rho = rho_inf - 2 * step * b2**step / (1 - b2**step)
    r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    param -= lr * m / (1 - b1**step) * r * sqrt(1 - b2**step) / (sqrt(v) + eps)   where rho > 5
    param -= lr * m / (1 - b1**step)                                              elsewhere
    """
    grad = gradient(param, grad, lr, weight_decay, maximize, decoupled_weight_decay)
    average_moments(exp_avg, exp_avg_sq, grad, betas)
    beta1, beta2 = betas
    bias_correction2 = 1 - beta2**step
    limit = 2 / (1 - beta2) - 1
    rho = limit - 2 * step * beta2**step / bias_correction2
    step_size = lr / (1 - beta1**step)
    if rho > 5:
        rectification = ((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) ** 0.5
        step_size *= rectification * bias_correction2**0.5
        param -= step_size * over_root(exp_avg, np.sqrt(exp_avg_sq) + eps)
    else:
        param -= step_size * exp_avg


@np.errstate(all="ignore")
def adamax_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_inf: Array,
    *,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Update by Adamax (Kingma and Ba, 2015, section 7.1).

    m = b1 * m + (1 - b1) * g
    u = max(b2 * u, |g| + eps)
    param -= lr / (1 - b1**step) * m / u
    """
    beta1, beta2 = betas
    grad = gradient(param, grad, lr, weight_decay, maximize)
    lerp_(exp_avg, grad, 1 - beta1)
    np.maximum(beta2 * exp_inf, np.abs(grad) + eps, out=exp_inf)
    step_size = lr / (1 - beta1**step)
    param -= step_size * np.divide(exp_avg, exp_inf, out=np.zeros_like(exp_inf), where=exp_inf != 0)
