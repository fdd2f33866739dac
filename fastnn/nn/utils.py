"""Gradient clipping in loops of one's own, between `net.backward` and `optimizer.step`; PyTorch's names and numbers.

Optimizers do it themselves, within the update, with `max_grad_norm` and `max_grad_value`.
"""

from __future__ import annotations

import math
from typing import Any

from .. import _validation as check
from ..functional.parameters import adjust_grad_, total_norm
from .parameters import Parameters

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def clip_grad_norm_(parameters: Parameters, max_norm: float, *, error_if_nonfinite: bool = False) -> float:
    """Scale all gradients of a network so that their 2-norm, taken together, is at most `max_norm`.

    They are multiplied by min(1, max_norm / (norm + 1e-6)).

    Parameters
    ----------
    parameters : Parameters
        `net.parameters()`.
    max_norm : float, at least 0
    error_if_nonfinite : bool, default False
        Whether a norm that is NaN or infinite is an error; else it spreads to the gradients, as in PyTorch.

    Returns
    -------
    norm : float
        Before clipping; computed in double, with the same bits everywhere.

    Raises
    ------
    RuntimeError
        With `error_if_nonfinite`; the gradients are then as before.
    TypeError, ValueError
        If an argument does not fit.
    """
    grad = _gradients(parameters)
    max_norm = check.check_number("max_norm", max_norm, at_least=0.0)
    norm = total_norm(grad)
    if check.check_switch("error_if_nonfinite", error_if_nonfinite) and not math.isfinite(norm):
        raise RuntimeError(f"the norm of the gradients is {norm}, so they cannot be clipped")
    factor = max_norm / (norm + 1e-6)
    if math.isnan(factor):
        grad *= math.nan
    elif factor < 1:
        adjust_grad_(grad, scale=factor)
    return norm


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """Clip each gradient of a network to [-clip_value, clip_value]; NaN stays.

    Parameters
    ----------
    parameters : Parameters
        `net.parameters()`.
    clip_value : float, at least 0

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.
    """
    adjust_grad_(_gradients(parameters), clip_value=check.check_number("clip_value", clip_value, at_least=0.0))


def _gradients(parameters: Any) -> check.Array:
    if not isinstance(parameters, Parameters):
        raise TypeError(f"parameters must be net.parameters(), got {type(parameters).__name__}")
    return parameters.grad
