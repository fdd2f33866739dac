"""Rules that work on whole matrices: Adafactor and Muon."""

from typing import Any

import numpy as np

from ... import _validation as check
from ..._core import dispatch
from ..._core import matrix_rules as core
from ..._core.rules import HYPERPARAMETERS
from ..._frames import errors_of_use
from ..._schema import MOST_STEPS
from ._update import Array, hyper_of, pair

ADJUST_LR = "original", "match_rms_adamw"  # in the order of enum fnn_adjust_lr of src_c/rules.h
NS_COEFFICIENTS = 3.4445, -4.7750, 2.0315
FIRST = "lr", "weight_decay", "momentum", "nesterov", "eps"
_ADAFACTOR_HYPER = hyper_of("lr", "beta2_decay", "eps1", "eps2", "d", "weight_decay", "maximize")
_MUON_HYPER = hyper_of(
    "lr", "weight_decay", "momentum", "nesterov", "ns_a", "ns_b", "ns_c", "eps", "ns_steps", "maximize"
)


def adafactor_step(
    param: Array,
    grad: Any,
    row_var: Array | None = None,
    col_var: Array | None = None,
    variance: Array | None = None,
    *,
    step: int,
    lr: float = 1e-2,
    beta2_decay: float = -0.8,
    eps: tuple[float | None, float] = (None, 1e-3),
    d: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One update by Adafactor, in place.

        rate = max(eps[1], rms(param)) * min(lr, 1 / sqrt(step))
        param *= 1 - lr * weight_decay
        row_var += step^beta2_decay * (mean of grad^2 over the last axis - row_var)
        col_var += step^beta2_decay * (mean of grad^2 over the axis before - col_var)
        v = row_var * col_var / max(mean(row_var), eps[0]), or variance of a vector
        u = grad / sqrt(max(v, eps[0]^2))
        param -= rate / max(1, rms(u) / d) * u

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place; a matrix, a vector, or several matrices in the last two axes.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in all of param.
    row_var, col_var : ndarray of shape (..., rows, 1) and (..., 1, cols), of param's dtype
        Averages of the squares over columns and over rows, updated in place; zeros before the first step. Of a param
        with at least two axes only.
    variance : ndarray like param
        Average of the squares of a vector or a number, updated in place; zeros before the first step.
    step : int, at least 1
        Number of this update.
    lr : float, at least 0, default 1e-2
        Largest relative rate.
    beta2_decay : float, at most 0, default -0.8
        Power of the step that is the weight of the new squares.
    eps : pair of floats, at least 0, default (None, 1e-3)
        Least root of v, by default the epsilon of the dtype; and the least magnitude of param that scales the rate.
    d : float, at least 1, default 1
        Largest root mean square of an update.
    weight_decay : float, at least 0, default 0
        Factor of the decay of the parameters themselves.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or do not fit in shape, share memory or cannot be updated in place, or a number is out
        of range. Nothing is changed then.

    Notes
    -----
    Source: Shazeer and Stern, 2018 (ICML; arXiv:1804.04235); the arithmetic of torch.optim.Adafactor.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import adafactor_step
    >>> param, row_var, col_var = np.ones((2, 2)), np.zeros((2, 1)), np.zeros((1, 2))
    >>> adafactor_step(param, np.array([[1.0, -1.0], [2.0, -2.0]]), row_var, col_var, step=1, lr=0.5)
    >>> param.tolist(), row_var.tolist(), col_var.tolist()
    ([[0.5, 1.5], [0.5, 1.5]], [[1.0], [4.0]], [[2.5, 2.5]])
    """
    states = {"row_var": row_var, "col_var": col_var, "variance": variance}
    keywords = {"lr": lr, "beta2_decay": beta2_decay, "d": d, "weight_decay": weight_decay, "maximize": maximize}
    _adafactor(param, grad, states, step, eps, **keywords)


@errors_of_use
def _adafactor(param: Any, grad: Any, given: dict[str, Any], step: Any, eps: Any, **keywords: Any) -> None:
    step = check.check_integer("step", step, at_least=1, at_most=MOST_STEPS)
    param = check.as_writable("param", param)
    least = float(np.finfo(param.dtype).eps) if pair("eps", eps)[0] is None else eps[0]
    lr, beta2_decay, *others = keywords.values()
    hyper = _ADAFACTOR_HYPER(lr, beta2_decay, least, eps[1], *others)
    rows, cols = param.shape[-2:] if param.ndim > 1 else (0, param.size)
    expected = {"variance": param.shape}
    if param.ndim > 1:
        expected = {"row_var": (*param.shape[:-1], 1), "col_var": (*param.shape[:-2], 1, cols)}
    states = _states(given, expected, param)
    grad = _gradient(grad, param, states)
    if dispatch.get_reference():
        from ...reference.optimizers import matrix_rules as reference

        rest: dict[str, Any] = states | keywords
        reference.adafactor_step(param, grad, step=step, eps=(least, eps[1]), **rest)
        return
    scratch = np.empty(core.scratch_needed("adafactor_step", param.size, rows, cols), param.dtype)
    first, second, *_ = [*states.values(), None]
    core.step("adafactor_step", hyper, step, param, grad, first, second, rows, cols, scratch)


def muon_step(
    param: Array,
    grad: Any,
    momentum_buffer: Array,
    *,
    lr: float = 1e-3,
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = NS_COEFFICIENTS,
    eps: float = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
    maximize: bool = False,
) -> None:
    """One update of a matrix by Muon, in place: the momentum, made orthogonal.

        buf += (1 - momentum) * (grad - buf)
        u = grad + momentum * (buf - grad) with nesterov, else buf
        u /= max(|u|, eps)
        ns_steps times: G = u u^T; u = a * u + (b * G + c * G G) u, with (a, b, c) = ns_coefficients
        param *= 1 - lr * weight_decay
        param -= lr * sqrt(max(1, outputs / inputs)) * u

    Parameters
    ----------
    param : ndarray of float32 or float64, shape (outputs, inputs)
        Updated in place. As in PyTorch: the weight of a layer here is (inputs, outputs), so transposed.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in all of param.
    momentum_buffer : ndarray like param
        The state buf, updated in place; zeros before the first step.
    lr : float, at least 0, default 1e-3
        Learning rate.
    weight_decay : float, at least 0, default 0.1
        Factor of the decay of the parameters themselves.
    momentum : float, at least 0, default 0.95
        Decay rate of the buffer.
    nesterov : bool, default True
        Nesterov momentum.
    ns_coefficients : three floats, default (3.4445, -4.775, 2.0315)
        Coefficients of the Newton-Schulz iterations.
    eps : float, at least 0, default 1e-7
        Least norm that u is divided by.
    ns_steps : int, 0 to 99, default 5
        Number of iterations.
    adjust_lr_fn : {None, "original", "match_rms_adamw"}, default None
        The factor of lr by the shape: the root above for the first two, 0.2 * sqrt(max(outputs, inputs)) for the last.
    maximize : bool, default False
        Ascend: the sign of grad is flipped. Not in PyTorch's.

    Raises
    ------
    TypeError, ValueError
        If param is not a matrix, arrays differ in dtype or shape, share memory or cannot be updated in place, or a
        number is out of range. Nothing is changed then.

    Notes
    -----
    Source: Jordan et al., 2024 (kellerjordan.github.io/posts/muon); the scale of match_rms_adamw: Liu et al., 2025
    (arXiv:2502.16982); the arithmetic of torch.optim.Muon, but for its products, which PyTorch computes in bfloat16 and
    this function in the dtype of param.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import muon_step
    >>> param, buffer = np.eye(2), np.zeros((2, 2))
    >>> muon_step(param, np.array([[3.0, 0.0], [0.0, 4.0]]), buffer, lr=0.5, ns_coefficients=(1.5, -0.5, 0.0))
    >>> param.round(4).tolist(), buffer.round(4).tolist()
    ([[0.45, 0.0], [0.0, 0.45]], [[0.15, 0.0], [0.0, 0.2]])
    """
    keywords: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov}
    keywords["eps"] = eps
    keywords |= {"ns_coefficients": ns_coefficients, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
    _muon(param, grad, momentum_buffer, maximize=maximize, **keywords)


@errors_of_use
def _muon(param: Any, grad: Any, momentum_buffer: Any, **keywords: Any) -> None:
    param = check.as_writable("param", param)
    if param.ndim != 2:
        raise ValueError(f"param must be a matrix, got shape {param.shape}: update others by adamw_step")
    keywords["ns_steps"] = steps = check.check_integer("ns_steps", keywords["ns_steps"], at_least=0, at_most=99)
    coefficients = triple("ns_coefficients", keywords["ns_coefficients"])
    lr, weight_decay, momentum, nesterov, eps = (keywords[name] for name in FIRST)
    hyper = _MUON_HYPER(
        lr, weight_decay, momentum, nesterov, *coefficients, eps, float(steps), keywords["maximize"]
    )  # fmt: skip
    hyper[HYPERPARAMETERS.index("adjust_lr_fn")] = number_of("adjust_lr_fn", keywords["adjust_lr_fn"])
    states = _states({"momentum_buffer": momentum_buffer}, {"momentum_buffer": param.shape}, param)
    grad = _gradient(grad, param, states)
    if dispatch.get_reference():
        from ...reference.optimizers import matrix_rules as reference

        reference.muon_step(param, grad, states["momentum_buffer"], **keywords)
        return
    rows, cols = param.shape
    scratch = np.empty(core.scratch_needed("muon_step", param.size, rows, cols), param.dtype)
    core.step("muon_step", hyper, 1, param, grad, states["momentum_buffer"], None, rows, cols, scratch)


def triple(name: str, values: Any) -> tuple[Any, Any, Any]:
    """`values` if there are three; TypeError otherwise."""
    if not (isinstance(values, (tuple, list)) and len(values) == 3):
        raise TypeError(f"{name} must be three numbers, got {values!r}")
    return values[0], values[1], values[2]


def number_of(name: str, value: Any) -> float:
    """The index of a way to adjust the rate; None is the first."""
    check.check_choice(name, value, (None, *ADJUST_LR))
    return float(ADJUST_LR.index(value or ADJUST_LR[0]))


def _states(given: dict[str, Any], expected: dict[str, tuple[int, ...]], param: Array) -> dict[str, Array]:
    """The states of these shapes, checked to be there and writable; no others may be given."""
    states: dict[str, Array] = {}
    for name, state in given.items():
        if name in expected:
            if state is None:
                raise ValueError(f"{name} must be given for a param of shape {param.shape}")
            states[name] = check.as_writable(name, state)
            check.check_same_dtype(param=param, **{name: state})
            check.check_shape(name, state, expected[name], f"for a param of shape {param.shape}")
        elif state is not None:
            raise ValueError(f"{name} must not be given for a param of shape {param.shape}")
    written = [("param", param), *states.items()]
    for i, (name, state) in enumerate(written):
        for other, second in written[:i]:
            if np.may_share_memory(state, second):
                raise ValueError(f"{name} and {other} must not share memory, since both are updated in place")
    return states


def _gradient(given: Any, param: Array, states: dict[str, Array]) -> Array:
    """The gradient like param, in memory of its own."""
    grad = check.as_array("grad", given)
    check.check_same_dtype(param=param, grad=grad)
    check.check_same_shape(param=param, grad=grad)
    for array in (param, *states.values()):
        grad = check.without_overlap(grad, array, in_place=True)
    return np.ascontiguousarray(grad)
