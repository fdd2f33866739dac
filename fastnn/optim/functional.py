"""Optimizer updates as functions of arrays, in place, with PyTorch's arithmetic and defaults.

`param` and the states are updated, `grad` is only read; all are ndarrays of one shape and dtype. States start as zeros.
`step` counts from 1. Each update is one pass over the arrays; its result does not depend on the number of threads.
"""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import optimizers as core

__all__ = ["adagrad_step", "adam_step", "adamw_step", "rmsprop_step", "sgd_step"]

Array = check.Array


# The states that a rule can do without.
OPTIONAL = ("momentum_buffer", "grad_avg", "max_exp_avg_sq")


def bounds_of(name: str) -> dict[str, float]:
    """The range of a hyperparameter, as `check_number` takes it; the classes of optimizers keep to it too."""
    ranges: dict[str, dict[str, float]] = {
        "alpha": {"at_least": 0.0, "at_most": 1.0},
        "beta1": {"at_least": 0.0, "below": 1.0},
        "beta2": {"at_least": 0.0, "below": 1.0},
        "dampening": {},
    }
    return ranges.get(name, {"at_least": 0.0})


def _hyper(*names: str) -> core.Hyper:
    """What makes the array that an update reads from hyperparameters, each within its range."""
    return core.Hyper(names, bounds_of, lambda name, value: check.check_number(name, value, **bounds_of(name)))


_NESTEROV = core.HYPERPARAMETERS.index("nesterov")
_SGD, _SGD_HYPER = core.RULES["sgd_step"], _hyper("lr", "momentum", "dampening", "weight_decay")
_ADAGRAD, _ADAGRAD_HYPER = core.RULES["adagrad_step"], _hyper("lr", "lr_decay", "eps", "weight_decay")
_RMSPROP, _RMSPROP_HYPER = core.RULES["rmsprop_step"], _hyper("lr", "alpha", "eps", "momentum", "weight_decay")
_ADAM, _ADAM_HYPER = core.RULES["adam_step"], _hyper("lr", "eps", "weight_decay", "beta1", "beta2", "decoupled")


def _arrays(**arrays: Any) -> list[Array | None]:
    """The arrays of an update, checked: all but grad are written."""
    checked: dict[str, Array | None] = {}
    for name, array in arrays.items():
        if name == "grad":
            checked[name] = check.as_array(name, array)
        elif array is None and name in OPTIONAL:
            checked[name] = None
        else:
            checked[name] = _writable(name, array)
    check.check_same_dtype(**checked)
    check.check_same_shape(**checked)
    _check_apart(checked)
    return list(checked.values())


def _check_apart(arrays: dict[str, Array | None]) -> None:
    """Refuse to update two arrays that share memory; copy a gradient that the update would write over."""
    written = [(name, array) for name, array in arrays.items() if array is not None and name != "grad"]
    for i, (name, array) in enumerate(written):
        for other, second in written[:i]:
            if np.may_share_memory(array, second):
                raise ValueError(f"{name} and {other} must not share memory, since both are updated in place")
        grad = arrays["grad"]
        assert grad is not None
        arrays["grad"] = check.without_overlap(grad, array, in_place=True)


def _writable(name: str, array: Any) -> Array:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be an ndarray, which is updated in place, got {type(array).__name__}")
    plain = check.as_array(name, array)
    if plain is not array and not np.shares_memory(plain, array):
        raise ValueError(f"{name} must be C-contiguous and aligned, since it is updated in place")
    if not array.flags.writeable:
        raise ValueError(f"{name} must be writable, since it is updated in place")
    return plain


def _slow(rule: core.Rule, name: str, hyper: Array, keywords: dict[str, Any], **given: Any) -> None:
    """The update of arrays that may need a repair, or by the function `name` of the reference with these keywords."""
    if "step" in keywords:
        keywords["step"] = check.check_integer("step", keywords["step"], at_least=1)
    arrays = _arrays(**given)
    if dispatch.get_reference():
        from .. import reference

        getattr(reference, name)(*arrays, **keywords)
    else:
        param, grad, *states = arrays
        assert param is not None
        assert grad is not None
        rule.run(hyper, keywords.get("step", 1), param, grad, *states)


def sgd_step(
    param: Array,
    grad: Any,
    momentum_buffer: Array | None = None,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    step: int | None = None,
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
    lr, momentum, dampening, weight_decay : float
    nesterov : bool, default False
    step : int, optional
        1 for the first step: then the buffer becomes g itself, without dampening, as in PyTorch.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape or cannot be updated in place, or a number is out of range. Nothing is
        changed.
    """
    hyper = _SGD_HYPER(lr, momentum, dampening, weight_decay)
    if momentum != 0 and momentum_buffer is None:
        raise ValueError("momentum_buffer must be given where momentum is not 0")
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError("nesterov needs momentum above 0 and dampening 0")
    hyper[_NESTEROV] = float(nesterov)
    if momentum == 0:
        momentum_buffer = None
    if step is None:
        step = 2
    if not _SGD.quick(hyper, step, param, grad, momentum_buffer):
        keywords = _SGD_HYPER.named(hyper) | {"nesterov": nesterov, "step": step}
        _slow(_SGD, "sgd_step", hyper, keywords, param=param, grad=grad, momentum_buffer=momentum_buffer)


def adagrad_step(
    param: Array,
    grad: Any,
    state_sum: Array,
    *,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    step: int,
    eps: float = 1e-10,
    weight_decay: float = 0.0,
) -> None:
    """AdaGrad (Duchi, Hazan and Singer 2011).

    g = grad + weight_decay * param
    state_sum += g^2
    param -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(state_sum) + eps)

    Parameters, errors: as `sgd_step`.
    """
    hyper = _ADAGRAD_HYPER(lr, lr_decay, eps, weight_decay)
    if not _ADAGRAD.quick(hyper, step, param, grad, state_sum):
        keywords = _ADAGRAD_HYPER.named(hyper) | {"step": step}
        _slow(_ADAGRAD, "adagrad_step", hyper, keywords, param=param, grad=grad, state_sum=state_sum)


def rmsprop_step(
    param: Array,
    grad: Any,
    square_avg: Array,
    grad_avg: Array | None = None,
    momentum_buffer: Array | None = None,
    *,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    centered: bool = False,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
) -> None:
    """RMSprop (Tieleman and Hinton 2012; centered as in Graves 2013).

    g = grad + weight_decay * param
    v = alpha * v + (1 - alpha) * g^2
    centered: m = alpha * m + (1 - alpha) * g, and v - m^2 in place of v below
    momentum: buf = momentum * buf + g / (sqrt(v) + eps);  param -= lr * buf
    else:     param -= lr * g / (sqrt(v) + eps)

    Parameters, errors: as `sgd_step`; grad_avg is needed where centered, momentum_buffer where momentum is not 0.
    """
    hyper = _RMSPROP_HYPER(lr, alpha, eps, momentum, weight_decay)
    if centered and grad_avg is None:
        raise ValueError("grad_avg must be given where centered")
    if momentum != 0 and momentum_buffer is None:
        raise ValueError("momentum_buffer must be given where momentum is not 0")
    if not centered:
        grad_avg = None
    if momentum == 0:
        momentum_buffer = None
    if not _RMSPROP.quick(hyper, 1, param, grad, square_avg, grad_avg, momentum_buffer):
        keywords = _RMSPROP_HYPER.named(hyper) | {"centered": centered}
        states = {"square_avg": square_avg, "grad_avg": grad_avg, "momentum_buffer": momentum_buffer}
        _slow(_RMSPROP, "rmsprop_step", hyper, keywords, param=param, grad=grad, **states)


def adam_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Adam (Kingma and Ba 2015).

    g = grad + weight_decay * param
    m = beta1 * m + (1 - beta1) * g;   v = beta2 * v + (1 - beta2) * g^2
    param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps)

    With max_exp_avg_sq (AMSGrad, Reddi et al. 2018) the largest v so far takes the place of v. The bias corrections are
    computed once, in double.

    Parameters, errors: as `sgd_step`.
    """
    _adam("adam_step", param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, betas, eps, weight_decay)


def adamw_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> None:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    param *= 1 - lr * weight_decay, then as `adam_step` without weight decay.

    Parameters, errors: as `adam_step`.
    """
    _adam("adamw_step", param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, betas, eps, weight_decay)


def _adam(
    name: str,
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None,
    step: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> None:
    if not (isinstance(betas, (tuple, list)) and len(betas) == 2):
        raise TypeError(f"betas must be a pair of numbers, got {betas!r}")
    hyper = _ADAM_HYPER(lr, eps, weight_decay, *betas, 1.0 if name == "adamw_step" else 0.0)
    if not _ADAM.quick(hyper, step, param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "step": step}
        states = {"exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq, "max_exp_avg_sq": max_exp_avg_sq}
        _slow(_ADAM, name, hyper, keywords, param=param, grad=grad, **states)
