"""Rules that divide by the root of summed or averaged squares: Adagrad, RMSprop, Adadelta."""

import numpy as np

from ..._core.compat import resolved
from ..elementary import Array
from ..parameters import lerp_
from ._shared import average_square, gradient, over_root, root

__all__ = ["adadelta_step", "adagrad_step", "rmsprop_step"]


@np.errstate(all="ignore")
def adagrad_step(
    param: Array,
    grad: Array,
    state_sum: Array,
    *,
    lr: float | None = None,
    lr_decay: float = 0.0,
    step: int,
    eps: float | None = None,
    weight_decay: float = 0.0,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """Update by Adagrad (Duchi, Hazan and Singer, 2011).

    h += g * g
    param -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(h) + eps), or with keras sqrt(h + eps)
    """
    lr, eps = resolved("adagrad_step", compat, lr=lr, eps=eps)
    grad = gradient(param, grad, lr, weight_decay, maximize, compat == "keras")
    state_sum += grad * grad
    decayed_lr = lr / (1 + (step - 1) * lr_decay)
    param -= decayed_lr * over_root(grad, root(state_sum, eps, compat))


@np.errstate(all="ignore")
def rmsprop_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array | None = None,
    momentum_buffer: Array | None = None,
    *,
    lr: float | None = None,
    alpha: float | None = None,
    eps: float | None = None,
    centered: bool = False,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """Update by RMSprop (Tieleman and Hinton, 2012; centered: Graves, 2013).

        h = alpha * h + (1 - alpha) * g * g
        param -= lr * g / (sqrt(h) + eps)

    If centered, the square of the averaged gradient, `grad_avg`, is subtracted from h under the root. With momentum,
    buf = momentum * buf + g / (sqrt(h) + eps) is kept in `momentum_buffer`, and param -= lr * buf. keras has eps under
    the root, sqrt(h + eps), and the learning rate in the buffer.
    """
    lr, alpha, eps = resolved("rmsprop_step", compat, lr=lr, alpha=alpha, eps=eps)
    grad = gradient(param, grad, lr, weight_decay, maximize, compat == "keras")
    average_square(square_avg, grad, alpha)
    variance = square_avg
    if centered and grad_avg is not None:
        lerp_(grad_avg, grad, 1 - alpha)
        variance = np.maximum(0, square_avg - grad_avg * grad_avg)  # rounding may have made it negative
    if compat == "keras":
        lr, grad = 1.0, lr * grad
    update = over_root(grad, root(variance, eps, compat))
    if momentum > 0 and momentum_buffer is not None:
        momentum_buffer *= momentum
        momentum_buffer += update
        update = momentum_buffer
    param -= lr * update


@np.errstate(all="ignore")
def adadelta_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    *,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Update by Adadelta (Zeiler, 2012).

        h = rho * h + (1 - rho) * g * g
        delta = sqrt(d + eps) / sqrt(h + eps) * g
        d = rho * d + (1 - rho) * delta * delta
        param -= lr * delta

    h is `square_avg`, d is `acc_delta`.
    """
    grad = gradient(param, grad, lr, weight_decay, maximize)
    average_square(square_avg, grad, rho)
    delta = over_root(np.sqrt(acc_delta + eps), np.sqrt(square_avg + eps)) * grad
    average_square(acc_delta, delta, rho)
    param -= lr * delta
