"""Gradient descent with momentum."""

from typing import Any

from ..._core import optimizers as core
from ._update import Array, Modes, slow

_RULE = core.RULES["sgd_step"]
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
    """Gradient descent, with momentum (Polyak 1964; Nesterov 1983 as in Sutskever et al. 2013).

    g = grad + weight_decay * param
    buf = momentum * buf + (1 - dampening) * g
    param -= lr * buf,   or lr * (g + momentum * buf) with nesterov

    Parameters
    ----------
    param, momentum_buffer : ndarray of float32 or float64
        Updated in place. The buffer is needed where momentum is not 0.
    grad : ndarray like param
    lr : float, default 1e-3
        keras: 1e-2.
    momentum, dampening, weight_decay : float
    nesterov : bool, default False
    step : int, optional
        1 for the first step, which is not dampened; in PyTorch the buffer then becomes g itself.
    maximize : bool, default False
        Go up: the gradient counts with the other sign.
    compat : "torch", "keras", "sklearn" or "onnx"
        keras and sklearn have the rate in the buffer: buf = momentum * buf - lr * g; param += buf, or
        momentum * buf - lr * g with nesterov. onnx (operator Momentum: alpha = momentum, beta = 1 - dampening,
        T = step - 1) differs from torch in a buffer that is not 0 at the first step. keras decays the parameters:
        param *= 1 - lr * weight_decay.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape or cannot be updated in place, or a number is out of range. Nothing is
        changed.
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
    """Raise ValueError if these do not go together."""
    if nesterov and (momentum == 0 or (dampening != 0 and compat != "onnx")):
        raise ValueError("nesterov needs momentum above 0 and dampening 0")
    if dampening != 0 and compat in ("keras", "sklearn"):
        raise ValueError(f"dampening must be 0 with compat={compat!r}, got {dampening!r}")
