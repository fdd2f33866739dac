"""What is done to parameters and gradients beside the updates, as functions of arrays: norm, limits, averages.

An update does all of this itself where its optimizer, the layers or the trainer ask for it; these are for loops of
one's own. Arrays are updated in place, and checked before anything changes.
"""

from __future__ import annotations

import math
from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core import parameters as core

__all__ = ["adjust_grad_", "lerp_", "max_norm_", "total_norm"]

Array = check.Array


def total_norm(x: Any) -> float:
    """The 2-norm of all numbers of an array, sqrt(sum x^2), squared and added in double.

    Its bits depend neither on the number of threads nor on the instruction set. NaN and infinities spread;
    squares beyond the range of a double do no harm.

    Parameters
    ----------
    x : array of float32 or float64, any shape

    Raises
    ------
    TypeError
        If x is no such array.
    """
    x = check.as_array("x", x)
    if dispatch.get_reference():
        from ..reference import total_norm as reference

        return reference(x)
    return core.total_norm(x)


def adjust_grad_(
    grad: Array,
    param: Any = None,
    *,
    scale: float = 1.0,
    clip_value: float = math.inf,
    l1: float = 0.0,
    l2: float = 0.0,
) -> None:
    """Make of a gradient what an update takes for it.

    grad = clip(scale * grad, -clip_value, clip_value) + l1 * sign(param) + l2 * param

    These are the gradients of penalties l1 |param| and l2 / 2 param^2 (PyTorch's weight_decay is such an l2). sign(0)
    is 0. NaN passes; a term with a factor of 0 is not there.

    Parameters
    ----------
    grad : ndarray of float32 or float64, any shape
        Updated in place.
    param : array like grad, optional
        Needed for the penalties.
    scale, clip_value, l1, l2 : float

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, or grad cannot be updated in place, or a number is out of range.
    """
    grad = check.as_writable("grad", grad)
    scale = check.check_number("scale", scale)
    factors = {name: check.check_number(name, value, at_least=0.0)
               for name, value in (("clip_value", clip_value), ("l1", l1), ("l2", l2))}  # fmt: skip
    if param is not None:
        param = _beside("param", param, "grad", grad)
    elif l1 or l2:
        raise ValueError("param must be given where l1 or l2 is not 0")
    if dispatch.get_reference():
        from ..reference import adjust_grad_ as reference

        reference(grad, param, scale=scale, **factors)
    else:
        core.adjust_grad(grad, grad if param is None else param, scale, **factors)


def max_norm_(param: Array, max_norm: float) -> None:
    """Scale each column whose 2-norm is above `max_norm` to it (Srivastava et al. 2014; Keras' MaxNorm).

    A column is what one unit reads, over all axes but the last: that of a weight (in, out). Those within the limit, and
    those with a norm of NaN, stay as they are.

    Parameters
    ----------
    param : ndarray of float32 or float64, of one dimension or more
        Updated in place.
    max_norm : float, at least 0

    Raises
    ------
    TypeError, ValueError
        If param cannot be updated in place or is a scalar, or max_norm is out of range.
    """
    param = check.as_writable("param", param)
    max_norm = check.check_number("max_norm", max_norm, at_least=0.0)
    if param.ndim == 0:
        raise ValueError("param must have one dimension or more, got a scalar")
    if dispatch.get_reference():
        from ..reference import max_norm_ as reference

        reference(param, max_norm)
    elif param.size:
        core.max_norm(param, param.size // param.shape[-1], param.shape[-1], max_norm)


def lerp_(average: Array, param: Any, weight: float) -> None:
    """Move an average towards `param`: average += weight * (param - average), as torch.lerp; a weight of 1 copies.

    Parameters
    ----------
    average : ndarray of float32 or float64, any shape
        Updated in place.
    param : array like average
    weight : float in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If the arrays differ in dtype or shape, or average cannot be updated in place, or weight is out of range.
    """
    average = check.as_writable("average", average)
    param = _beside("param", param, "average", average)
    weight = check.check_number("weight", weight, at_least=0.0, at_most=1.0)
    if dispatch.get_reference():
        from ..reference import lerp_ as reference

        reference(average, param, weight)
    else:
        core.lerp(average, param, weight)


def _beside(name: str, value: Any, other: str, array: Array) -> Array:
    """`value` as an array of the dtype and shape of `array`, which is written while it is read."""
    given = check.as_array(name, value)
    check.check_same_dtype(**{other: array, name: given})
    check.check_same_shape(**{other: array, name: given})
    return check.without_overlap(given, array, in_place=True)
