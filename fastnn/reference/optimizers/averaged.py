"""Rules that average the parameters themselves: ASGD and schedule-free AdamW."""

import numpy as np

from ..elementary import Array
from ..parameters import lerp_
from ._shared import average_square, gradient, over_root

__all__ = ["asgd_step", "schedulefreeadamw_step"]


@np.errstate(all="ignore")
def asgd_step(
    param: Array,
    grad: Array,
    ax: Array,
    *,
    step: int,
    eta: Array | None = None,
    lr: float = 1e-2,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Update by averaged gradient descent (Polyak and Juditsky, 1992; Bottou's rates).

        rate = eta, then eta = lr / (1 + lambd * lr * step)**alpha
        param *= 1 - lambd * rate
        param -= rate * g
        ax += (param - ax) / max(1, step - 1 - t0)

    `eta` is an array of one float64, the rate of this step, not read at step 1; without it, it is computed from step,
    with the current lr for all steps.
    """
    grad = gradient(param, grad, lr, weight_decay, maximize)
    rate = lr / (1 + lambd * lr * (step - 1)) ** alpha if eta is None or step == 1 else float(eta[0])
    if eta is not None:
        eta[0] = lr / (1 + lambd * lr * step) ** alpha
    param *= 1 - lambd * rate
    param -= rate * grad
    weight = 1 / max(1.0, step - 1 - t0)
    if weight == 1:
        ax[...] = param
    else:
        ax += (param - ax) * weight


def warm_rate(lr: float, warmup_steps: float, step: int) -> float:
    """Return the rate of a step of schedule-free AdamW, which rises in a line for warmup_steps."""
    return lr * (step / warmup_steps) if step < warmup_steps else lr


def averaging_before(step: int, lr: float, warmup_steps: float, r: float, power: float) -> tuple[Array, Array]:
    """Return the sum of the weights of the steps before this one, and the largest rate of those."""
    rates = [warm_rate(lr, warmup_steps, t) for t in range(1, step)]
    weights = [t**r * rate**power for t, rate in enumerate(rates, start=1)]
    return np.array([float(sum(weights))]), np.array([max(rates, default=0.0)])


@np.errstate(all="ignore")
def schedulefreeadamw_step(
    param: Array,
    grad: Array,
    z: Array,
    exp_avg_sq: Array,
    *,
    step: int,
    weight_sum: Array | None = None,
    lr_max: Array | None = None,
    lr: float = 2.5e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    warmup_steps: int = 0,
    r: float = 0.0,
    weight_lr_power: float = 2.0,
    maximize: bool = False,
) -> None:
    """Update by schedule-free AdamW (Defazio et al., 2024), at y = (1 - b1) * z + b1 * x, which is `param`.

        rate = lr * min(1, step / warmup_steps)
        weight = step**r * largest_rate**weight_lr_power
        c = weight / sum(weights)
        v = b2 * v + (1 - b2) * g * g
        u = g / (sqrt(v / (1 - b2**step)) + eps) + weight_decay * param
        param += c * (z - param) + rate * (b1 * (1 - c) - 1) * u
        z -= rate * u

    With step=1, and where z is NaN, z is set to param first. `weight_sum` and `lr_max` are arrays of one float64,
    the sum of the weights and the largest rate so far, not read at step 1; without them, they are computed from step,
    with the current hyperparameters for all steps.
    """
    if weight_sum is None or lr_max is None:
        weight_sum, lr_max = averaging_before(step, lr, warmup_steps, r, weight_lr_power)
    elif step == 1:
        weight_sum[...], lr_max[...] = 0, 0
    rate = warm_rate(lr, warmup_steps, step)
    lr_max[0] = max(lr_max[0], rate)
    weight = step**r * float(lr_max[0]) ** weight_lr_power
    weight_sum += weight
    share = weight / float(weight_sum[0]) if weight_sum[0] > 0 else 0.0
    grad = -grad if maximize else grad
    np.copyto(z, param, where=np.isnan(z) | (step == 1))
    average_square(exp_avg_sq, grad, betas[1])
    update = over_root(grad, np.sqrt(exp_avg_sq / (1 - betas[1] ** step)) + eps)
    if weight_decay != 0:
        update = update + weight_decay * param
    lerp_(param, z, share)
    param += rate * (betas[0] * (1 - share) - 1) * update
    z -= rate * update
