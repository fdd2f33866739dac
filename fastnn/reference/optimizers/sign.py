"""Rules that use the sign of the gradient alone: Lion and Rprop."""

import numpy as np

from ..elementary import Array
from ._shared import gradient

__all__ = ["lion_step", "rprop_step"]


@np.errstate(all="ignore")
def lion_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    *,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Update by Lion (Chen et al., 2023), with decoupled weight decay.

    param *= 1 - lr * weight_decay
    param -= lr * sign(b1 * m + (1 - b1) * g)
    m = b2 * m + (1 - b2) * g
    """
    beta1, beta2 = betas
    grad = gradient(param, grad, lr, weight_decay, maximize, decoupled=True)
    param -= lr * np.sign(beta1 * exp_avg + (1 - beta1) * grad)
    exp_avg *= beta2
    exp_avg += (1 - beta2) * grad


@np.errstate(all="ignore")
def rprop_step(
    param: Array,
    grad: Array,
    prev: Array,
    step_size: Array,
    *,
    step: int,
    lr: float = 1e-2,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50.0),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Update by Rprop without weight backtracking (Riedmiller and Braun, 1993; iRprop-: Igel and Huesken, 2000).

        step_size *= etas[1] where g * prev > 0, etas[0] where g * prev < 0
        step_size = clip(step_size, *step_sizes)
        prev = g, but 0 where g * prev < 0
        param -= step_size * sign(prev)

    With step=1, step_size is set to lr and prev to 0 first.
    """
    grad = gradient(param, grad, lr, weight_decay, maximize)
    if step == 1:
        prev[...], step_size[...] = 0, lr
    agreement = grad * prev
    step_size *= np.where(agreement > 0, etas[1], np.where(agreement < 0, etas[0], 1.0)).astype(grad.dtype)
    np.clip(step_size, *step_sizes, out=step_size)
    prev[...] = np.where(agreement < 0, 0, grad)
    param -= step_size * np.sign(prev)
