"""Norms and clipping of gradients in loops of your own, and parameters as one vector; PyTorch's names and numbers.

Optimizers clip within the update, with `max_grad_norm` and `max_grad_value`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import _validation as check
from ..functional.elementary import exp, log
from ..functional.parameters import adjust_grad_, total_norm
from .parameters import Parameter, Parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]

Some = Parameters | Parameter | Iterable[Parameter] | Iterable[Parameters]


def clip_grad_norm_(
    parameters: Some, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale gradients so that their norm, taken together, is at most `max_norm`.

    They are multiplied by min(1, max_norm / (norm + 1e-6)).

    Parameters
    ----------
    parameters : Parameters, Parameter, or list of those
        `net.parameters()`, or some of its elements.
    max_norm : float, at least 0
    norm_type : float, above 0, default 2
        p of the p-norm; `math.inf` for the largest magnitude.
    error_if_nonfinite : bool, default False
        Whether a norm that is NaN or infinite is an error; else it spreads to the gradients, as in PyTorch.

    Returns
    -------
    norm : float
        Before clipping; see `get_total_norm`.

    Raises
    ------
    RuntimeError
        With `error_if_nonfinite`; the gradients are then as before. If the parameters were taken before the layers of
        the network changed.
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> from fastnn import nn
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> params["0.weight"].grad[...] = [[3.0], [-4.0]]
    >>> nn.utils.clip_grad_norm_(params, 3.5, norm_type=1)
    7.0
    >>> params["0.weight"].grad.round(4).tolist()
    [[1.5], [-2.0]]
    """
    grads = _gradients(parameters)
    max_norm = check.check_number("max_norm", max_norm, at_least=0.0)
    norm = get_total_norm(grads, norm_type, error_if_nonfinite)
    _scale(grads, max_norm, norm)
    return norm


def clip_grads_with_norm_(parameters: Some, max_norm: float, total_norm: float) -> None:
    """Scale gradients by min(1, max_norm / (total_norm + 1e-6)), for a norm that was computed before.

    `clip_grad_norm_` is `get_total_norm` and this.

    Parameters
    ----------
    parameters : Parameters, Parameter, or list of those
        `net.parameters()`, or some of its elements.
    max_norm : float, at least 0
    total_norm : float, at least 0, or NaN
        Such as the norm over several networks.

    Raises
    ------
    RuntimeError
        If the parameters were taken before the layers of the network changed.
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> from fastnn import nn
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> params["0.weight"].grad[...] = [[3.0], [-4.0]]
    >>> nn.utils.clip_grads_with_norm_(params, 5.0, total_norm=10.0)
    >>> params["0.weight"].grad.round(4).tolist()
    [[1.5], [-2.0]]
    """
    grads = _gradients(parameters)
    max_norm = check.check_number("max_norm", max_norm, at_least=0.0)
    norm = total_norm if total_norm != total_norm else check.check_number("total_norm", total_norm, at_least=0.0)
    _scale(grads, max_norm, norm)


def clip_grad_value_(parameters: Some, clip_value: float) -> None:
    """Clip each gradient to [-clip_value, clip_value]; NaN stays.

    Parameters
    ----------
    parameters : Parameters, Parameter, or list of those
        `net.parameters()`, or some of its elements.
    clip_value : float, at least 0

    Raises
    ------
    RuntimeError
        If the parameters were taken before the layers of the network changed.
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> from fastnn import nn
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> params["0.weight"].grad[...] = [[3.0], [-4.0]]
    >>> nn.utils.clip_grad_value_(params, 3.5)
    >>> params["0.weight"].grad.tolist()
    [[3.0], [-3.5]]
    """
    grads, clip_value = _gradients(parameters), check.check_number("clip_value", clip_value, at_least=0.0)
    for grad in grads:
        adjust_grad_(grad, clip_value=clip_value)


def get_total_norm(tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> float:
    """The norm of arrays, as if they were one vector.

    norm = sum(|x|^norm_type)^(1 / norm_type)

    Parameters
    ----------
    tensors : array of float32 or float64, or list of those
        Such as `[p.grad for p in net.parameters()]`.
    norm_type : float, above 0, default 2
        p of the p-norm; `math.inf` for the largest magnitude.
    error_if_nonfinite : bool, default False
        Whether a norm that is NaN or infinite is an error.

    Returns
    -------
    norm : float
        0 for no numbers. Computed in double, and scaled so that no power overflows.

    Raises
    ------
    RuntimeError
        With `error_if_nonfinite`.
    TypeError, ValueError
        If an argument does not fit.

    Notes
    -----
    With a norm_type of 2 the bits depend neither on the number of threads nor on the instruction set. Orders of 0 and
    below, which are no norms, are errors, unlike in PyTorch.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> from fastnn import nn
    >>> arrays = [np.array([1.0, -2.0]), np.array([[2.0]])]
    >>> [nn.utils.get_total_norm(arrays, p) for p in (1, 2, math.inf)]
    [5.0, 3.0, 2.0]
    """
    order = check.check_number("norm_type", norm_type, above=0.0)
    arrays = [tensors] if isinstance(tensors, np.ndarray) else tensors
    if isinstance(arrays, (str, Parameter, Parameters)) or not isinstance(arrays, Iterable):
        raise TypeError(
            f"tensors must be arrays, got {type(tensors).__name__}: [p.grad for p in net.parameters()], for example"
        )
    norms = [_norm(check.as_strict(f"tensors[{i}]", array), order) for i, array in enumerate(arrays)]
    norm = norms[0] if len(norms) == 1 else _norm(np.array(norms), order)
    if check.check_switch("error_if_nonfinite", error_if_nonfinite) and not math.isfinite(norm):
        raise RuntimeError(f"the norm of the gradients is {norm}, so they cannot be clipped")
    return norm


def parameters_to_vector(parameters: Some) -> check.Array:
    """The values of parameters in one vector, a copy.

    Parameters
    ----------
    parameters : Parameters, Parameter, or list of those
        `net.parameters()`, or some of its elements.

    Returns
    -------
    vector : ndarray of the dtype of the network, shape (n,)
        The values of each parameter in their order in memory, one parameter after the other. A weight of Linear is
        (in_features, out_features), which is PyTorch's transposed.

    Raises
    ------
    RuntimeError
        If the parameters were taken before the layers of the network changed.
    TypeError
        If parameters are not such.

    Examples
    --------
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 1), dtype="float64")
    >>> net[0].weight[...], net[0].bias[...] = [[1.0], [2.0]], 3.0
    >>> vector = nn.utils.parameters_to_vector(net.parameters())
    >>> vector.tolist()
    [1.0, 2.0, 3.0]
    >>> nn.utils.vector_to_parameters(vector * 2, net.parameters())
    >>> net[0].weight.tolist(), net[0].bias.tolist()
    ([[2.0], [4.0]], [6.0])
    """
    members = _members(parameters)
    return np.concatenate([p.data.ravel() for p in members]) if members else np.zeros(0)


def vector_to_parameters(vec: Any, parameters: Some) -> None:
    """Set the values of parameters from one vector, as `parameters_to_vector` returns it.

    Parameters
    ----------
    vec : array of float32 or float64, shape (n,)
        Rounded to the dtype of the network where that is another one.
    parameters : Parameters, Parameter, or list of those
        `net.parameters()`, or some of its elements.

    Raises
    ------
    RuntimeError
        If the parameters were taken before the layers of the network changed.
    TypeError, ValueError
        If vec is not such an array, with as many numbers as the parameters have. Nothing has changed then.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(1, 1))
    >>> nn.utils.vector_to_parameters(np.array([0.5, 2.0]), net.parameters())
    >>> net[0].weight.item(), net[0].bias.item()
    (0.5, 2.0)
    """
    members, vector = _members(parameters), check.as_array("vec", vec)
    count = sum(p.size for p in members)
    check.check_shape("vec", vector, (count,), f"for {count} parameters")
    start = 0
    with np.errstate(over="ignore"):
        for p in members:
            p.data[...] = vector[start : start + p.size].reshape(p.shape)
            start += p.size


def _members(parameters: Any) -> list[Parameter]:
    """The parameters of `Parameters`, of one, or of a list of those, checked to be up to date."""
    several = isinstance(parameters, Iterable) and not isinstance(parameters, (str, np.ndarray))
    members: list[Parameter] = []
    for one in parameters if several else (parameters,):
        if isinstance(one, Parameters):
            one.check_moved()
            members.extend(one)
        elif isinstance(one, Parameter):
            if (owner := one.owner()) is not None:
                owner.check_moved()
            members.append(one)
        else:
            what = type(parameters).__name__ + (f" with {type(one).__name__}" if several else "")
            raise TypeError(f"parameters must be net.parameters(), got {what}; or a list of its elements")
    return members


def _gradients(parameters: Any) -> list[check.Array]:
    """The gradients of parameters; those of `Parameters` as one array."""
    members = _members(parameters)
    return [parameters.grad] if isinstance(parameters, Parameters) else [p.grad for p in members]


def _scale(grads: list[check.Array], max_norm: float, norm: float) -> None:
    factor = max_norm / (norm + 1e-6)
    for grad in grads:
        if math.isnan(factor):
            grad *= math.nan
        elif factor < 1:
            adjust_grad_(grad, scale=factor)


def _norm(x: check.Array, order: float) -> float:
    """The p-norm of an array, in double."""
    if order == 2:
        return total_norm(x)
    magnitudes = np.abs(x.ravel()).astype("float64")
    with np.errstate(over="ignore"):
        return _norm_of(magnitudes, order)


def _norm_of(magnitudes: check.Array, order: float) -> float:
    largest = float(magnitudes.max(initial=0.0))
    if order == math.inf or largest == 0 or not math.isfinite(largest):
        return largest
    if order == 1:
        return float(np.add.reduce(magnitudes))
    powers = exp(log(magnitudes / largest) * order)
    try:
        return largest * math.pow(float(np.add.reduce(powers)), 1 / order)
    except OverflowError:
        return math.inf
