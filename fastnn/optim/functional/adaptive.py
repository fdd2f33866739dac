"""Rules that divide by the root of summed or averaged squares: AdaGrad, RMSprop, Adadelta."""

from typing import Any

from ..._core import optimizers as core
from ._update import Array, Modes, hyper_of, slow

_ADAGRAD, _RMSPROP, _ADADELTA = (core.RULES[f"{name}_step"] for name in ("adagrad", "rmsprop", "adadelta"))
_ADAGRAD_HYPER = Modes("adagrad_step", "lr", "lr_decay", "eps", "weight_decay", "maximize")
_RMSPROP_HYPER = Modes("rmsprop_step", "lr", "alpha", "eps", "momentum", "weight_decay", "maximize")
_ADADELTA_HYPER = hyper_of("lr", "rho", "eps", "weight_decay", "maximize")


def adagrad_step(
    param: Array,
    grad: Any,
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
    """AdaGrad (Duchi, Hazan and Singer 2011).

    g = grad + weight_decay * param
    state_sum += g^2
    param -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(state_sum) + eps)

    Parameters, errors: as `sgd_step`, but compat is "torch" (lr 1e-2, eps 1e-10), "keras" (sqrt(state_sum + eps), lr
    1e-3, eps 1e-7, and a state_sum that starts as 0.1) or "onnx" (operator Adagrad: decay_factor = lr_decay, T = step -
    1; as torch, with lr 1e-2, eps 1e-6).
    """
    hyper = _ADAGRAD_HYPER[compat](lr, lr_decay, eps, weight_decay, maximize)
    if not _ADAGRAD.quick(hyper, step, param, grad, state_sum):
        keywords = _ADAGRAD_HYPER[compat].named(hyper) | {"step": step, "compat": compat}
        slow(_ADAGRAD, "adagrad_step", hyper, keywords, param=param, grad=grad, state_sum=state_sum)


def rmsprop_step(
    param: Array,
    grad: Any,
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
    """RMSprop (Tieleman and Hinton 2012; centered as in Graves 2013).

    g = grad + weight_decay * param
    v = alpha * v + (1 - alpha) * g^2
    centered: m = alpha * m + (1 - alpha) * g, and v - m^2 in place of v below
    momentum: buf = momentum * buf + g / (sqrt(v) + eps);  param -= lr * buf
    else:     param -= lr * g / (sqrt(v) + eps)

    Parameters, errors: as `sgd_step`; grad_avg is needed where centered, momentum_buffer where momentum is not 0.
    compat is "torch" (lr 1e-2, alpha 0.99, eps 1e-8) or "keras" (sqrt(v + eps), the rate in the buffer: buf = momentum
    * buf + lr * g / sqrt(v + eps); lr 1e-3, alpha 0.9, eps 1e-7).
    """
    hyper = _RMSPROP_HYPER[compat](lr, alpha, eps, momentum, weight_decay, maximize)
    if centered and grad_avg is None:
        raise ValueError("grad_avg must be given where centered")
    if momentum != 0 and momentum_buffer is None:
        raise ValueError("momentum_buffer must be given where momentum is not 0")
    if not centered:
        grad_avg = None
    if momentum == 0:
        momentum_buffer = None
    if not _RMSPROP.quick(hyper, 1, param, grad, square_avg, grad_avg, momentum_buffer):
        keywords = _RMSPROP_HYPER[compat].named(hyper) | {"centered": centered, "compat": compat}
        states = {"square_avg": square_avg, "grad_avg": grad_avg, "momentum_buffer": momentum_buffer}
        slow(_RMSPROP, "rmsprop_step", hyper, keywords, param=param, grad=grad, **states)


def adadelta_step(
    param: Array,
    grad: Any,
    square_avg: Array,
    acc_delta: Array,
    *,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Adadelta (Zeiler 2012).

    g = grad + weight_decay * param
    square_avg = rho * square_avg + (1 - rho) * g^2
    delta = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * g
    acc_delta = rho * acc_delta + (1 - rho) * delta^2;  param -= lr * delta

    Parameters, errors: as `sgd_step`.
    """
    hyper = _ADADELTA_HYPER(lr, rho, eps, weight_decay, maximize)
    if not _ADADELTA.quick(hyper, 1, param, grad, square_avg, acc_delta):
        arrays = {"param": param, "grad": grad, "square_avg": square_avg, "acc_delta": acc_delta}
        slow(_ADADELTA, "adadelta_step", hyper, _ADADELTA_HYPER.named(hyper), **arrays)
