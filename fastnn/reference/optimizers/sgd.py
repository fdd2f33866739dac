"""Gradient descent with momentum."""

import numpy as np

from ..._core.compat import resolved
from ..elementary import Array
from ._shared import gradient

__all__ = ["sgd_step"]


@np.errstate(all="ignore")
def sgd_step(
    param: Array,
    grad: Array,
    momentum_buffer: Array | None = None,
    *,
    lr: float | None = None,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    step: int | None = None,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """Update by gradient descent, with momentum if that is not 0 (Polyak, 1964; nesterov: Sutskever et al., 2013).

        buf = momentum * buf + (1 - dampening) * g
        param -= lr * buf, or lr * (g + momentum * buf) with nesterov

    With step=1 the first gradient is not dampened, and with torch the buffer is set to g.

    keras and sklearn have the learning rate in the buffer: buf = momentum * buf - lr * g; param += buf, or
    momentum * buf - lr * g with nesterov.
    """
    (lr,) = resolved("sgd_step", compat, lr=lr)
    grad = gradient(param, grad, lr, weight_decay, maximize, compat == "keras")
    if momentum == 0 or momentum_buffer is None:
        param -= lr * grad
        return
    gain = 1.0 if step == 1 else 1 - dampening
    if compat in ("keras", "sklearn"):
        lr, grad, gain = -1.0, -lr * grad, 1.0
    momentum_buffer *= momentum
    momentum_buffer += gain * grad
    if step == 1 and compat == "torch":
        momentum_buffer[...] = grad
    param -= lr * (grad + momentum * momentum_buffer if nesterov else momentum_buffer)
