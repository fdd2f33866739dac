"""Gradient descent with momentum."""

from typing import Any

from ..._core.rules import RULES
from ._update import Array, Modes, slow

_RULE = RULES["sgd_step"]
_HYPER = Modes("sgd_step", "lr", "momentum", "dampening", "nesterov", "weight_decay", "maximize")


def sgd_step(
    param: Array,
    grad: Any,
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
    """One update by gradient descent, with momentum, in place.

        g = grad + weight_decay * param
        buf = momentum * buf + (1 - dampening) * g
        param -= lr * buf, or lr * (g + momentum * buf) with nesterov, or lr * g without momentum

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    momentum_buffer : ndarray like param, optional
        The state buf, updated in place; zeros before the first step. Needed where momentum is not 0.
    lr : float, at least 0, default 1e-3 (keras 1e-2)
        Learning rate.
    momentum : float, at least 0, default 0
        Decay rate of the buffer.
    dampening : float, default 0
        The gradient is added to the buffer times 1 - dampening. Must be 0 with nesterov (except onnx), and for keras
        and sklearn.
    nesterov : bool, default False
        Nesterov momentum; needs momentum above 0.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient.
    step : int, at least 1, optional
        Number of this update. At 1 the gradient is not dampened, and with "torch" the buffer is set to g. By default
        the update is not the first.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.
    compat : {"torch", "keras", "sklearn", "onnx"}, default "torch"
        Library whose arithmetic and defaults are used; see Notes.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range, or
        settings contradict each other. Nothing is changed then.

    Notes
    -----
    Source: momentum by Polyak, 1964; Nesterov's (1983) in the form of Sutskever et al., 2013 (ICML); the arithmetic of
    torch.optim.SGD.

    "keras" and "sklearn" have the learning rate in the buffer: buf = momentum * buf - lr * g; param += buf, or momentum
    * buf - lr * g with nesterov. "keras" decays the parameters, not the gradient: param *= 1 - lr * weight_decay.
    "onnx" (operator Momentum: alpha = momentum, beta = 1 - dampening, T = step - 1) differs from "torch" in that the
    first step, too, adds to momentum * buf.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import sgd_step
    >>> param, grad, buffer = np.array([1.0, 1.0]), np.array([0.5, -2.0]), np.zeros(2)
    >>> sgd_step(param, grad, buffer, lr=0.5, momentum=0.5, step=1)
    >>> sgd_step(param, grad, buffer, lr=0.5, momentum=0.5, step=2)
    >>> param.tolist(), buffer.tolist()
    ([0.375, 3.5], [0.75, -3.0])
    """
    hyper = _HYPER[compat](lr, momentum, dampening, nesterov, weight_decay, maximize)
    if momentum != 0 and momentum_buffer is None:
        raise ValueError("momentum_buffer must be given where momentum is not 0")
    if nesterov or dampening != 0:
        check_momentum(nesterov, momentum, dampening, compat)
    if momentum == 0:
        momentum_buffer = None
    if step is None:
        step = 2
    if not _RULE.quick(hyper, step, param, grad, momentum_buffer):
        keywords = _HYPER[compat].named(hyper) | {"step": step, "compat": compat}
        slow(_RULE, "sgd_step", hyper, keywords, param=param, grad=grad, momentum_buffer=momentum_buffer)


def check_momentum(nesterov: bool, momentum: float, dampening: float, compat: str) -> None:
    """Raise ValueError if these settings contradict each other."""
    if nesterov and (momentum == 0 or (dampening != 0 and compat != "onnx")):
        raise ValueError("nesterov needs momentum above 0 and dampening 0")
    if dampening != 0 and compat in ("keras", "sklearn"):
        raise ValueError(f"dampening must be 0 with compat={compat!r}, got {dampening!r}")
