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


def hyperparameters(**values: float) -> Array:
    """The array that the compiled updates read, from hyperparameters by name; the others are 0."""
    return np.array([values.get(name, 0.0) for name in core.HYPERPARAMETERS])


def bounds_of(name: str) -> dict[str, float]:
    """The range of a hyperparameter, as `check_number` takes it; the classes of optimizers keep to it too."""
    ranges: dict[str, dict[str, float]] = {
        "alpha": {"at_least": 0.0, "at_most": 1.0},
        "beta1": {"at_least": 0.0, "below": 1.0},
        "beta2": {"at_least": 0.0, "below": 1.0},
        "dampening": {},
    }
    return ranges.get(name, {"at_least": 0.0})


def _checked(values: dict[str, float]) -> dict[str, float]:
    """Hyperparameters within their ranges, as floats."""
    return {name: check.check_number(name, value, **bounds_of(name)) for name, value in values.items()}


def _betas(betas: Any) -> dict[str, float]:
    if not (isinstance(betas, (tuple, list)) and len(betas) == 2):
        raise TypeError(f"betas must be a pair of numbers, got {betas!r}")
    return {"beta1": betas[0], "beta2": betas[1]}


def _arrays(**arrays: Any) -> list[Array | None]:
    """The arrays of an update, checked: all but grad are written."""
    checked: dict[str, Array | None] = {}
    for name, array in arrays.items():
        if name == "grad":
            checked[name] = check.as_array(name, array)
        elif array is None and name != "param":
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


def _run(rule: str, arrays: list[Array | None], step: int, values: dict[str, float], keywords: dict[str, Any]) -> None:
    if dispatch.get_reference():
        from .. import reference

        getattr(reference, rule)(*arrays, **keywords)
    else:
        kernel = "adam_step" if rule == "adamw_step" else rule
        param, grad, *states = arrays
        assert param is not None
        assert grad is not None
        core.step(kernel, hyperparameters(**values), step, param, grad, *states)


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
    values = _checked({"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay})
    if momentum != 0 and momentum_buffer is None:
        raise ValueError("momentum_buffer must be given where momentum is not 0")
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError("nesterov needs momentum above 0 and dampening 0")
    if momentum == 0:
        momentum_buffer = None
    arrays = _arrays(param=param, grad=grad, momentum_buffer=momentum_buffer)
    if step is not None:
        step = check.check_integer("step", step, at_least=1)
    keywords = values | {"nesterov": nesterov, "step": step}
    _run("sgd_step", arrays, 2 if step is None else step, values | {"nesterov": float(nesterov)}, keywords)


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
    values = _checked({"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay})
    step = check.check_integer("step", step, at_least=1)
    arrays = _arrays(param=param, grad=grad, state_sum=state_sum)
    _run("adagrad_step", arrays, step, values, values | {"step": step})


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
    values = _checked({"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum, "weight_decay": weight_decay})
    if centered and grad_avg is None:
        raise ValueError("grad_avg must be given where centered")
    if momentum != 0 and momentum_buffer is None:
        raise ValueError("momentum_buffer must be given where momentum is not 0")
    arrays = _arrays(
        param=param,
        grad=grad,
        square_avg=square_avg,
        grad_avg=grad_avg if centered else None,
        momentum_buffer=momentum_buffer if momentum else None,
    )
    _run("rmsprop_step", arrays, 1, values, values | {"centered": centered})


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
    rule: str,
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
    rates = _betas(betas)
    values = _checked({"lr": lr, "eps": eps, "weight_decay": weight_decay, **rates})
    step = check.check_integer("step", step, at_least=1)
    arrays = _arrays(param=param, grad=grad, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq, max_exp_avg_sq=max_exp_avg_sq)
    keywords = {"step": step, "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
    _run(rule, arrays, step, values | {"decoupled": float(rule == "adamw_step")}, keywords)
