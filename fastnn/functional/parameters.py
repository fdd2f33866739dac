"""Operations on parameters and gradients beside the updates, as functions of arrays: norm, limits, averages.

An update does all of this itself where its optimizer, the layers or the trainer request it; these are for loops of your
own. Arrays are updated in place, and checked before anything changes.
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
    """The 2-norm of all elements of an array.

        norm = sqrt(sum(x^2))

    Parameters
    ----------
    x : array of float32 or float64, any shape

    Returns
    -------
    norm : float
        0 for an empty array.

    Raises
    ------
    TypeError
        If x is not float32 or float64.

    Notes
    -----
    Squares are added in double precision, and scaled so that none overflows. The bits depend neither on the number of
    threads nor on the instruction set. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import total_norm
    >>> total_norm(np.array([[3.0], [4.0]]))
    5.0
    """
    x = check.as_strict("x", x)
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
    """Scale and clip a gradient and add penalties to it, in place.

    grad = clip(scale * grad, -clip_value, clip_value) + l1 * sign(param) + l2 * param

    The last two terms are the gradients of the penalties l1 * |param| and l2 / 2 * param^2.

    Parameters
    ----------
    grad : ndarray of float32 or float64, any shape
        Updated in place.
    param : array like grad, optional
        The parameters; needed for the penalties.
    scale : float, default 1
        Factor of the gradient.
    clip_value : float, at least 0, default inf
        Largest magnitude of an element before the penalties.
    l1, l2 : float, at least 0, default 0
        Factors of the penalties; l2 is what PyTorch calls weight_decay.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, or grad cannot be updated in place, or a number is out of range, or param is
        needed and not given.

    Notes
    -----
    sign(0) is 0. NaN gives NaN; a penalty with factor 0 is not computed, so that a NaN in param does not reach grad.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import adjust_grad_
    >>> grad = np.array([0.5, -4.0])
    >>> adjust_grad_(grad, np.array([1.0, -2.0]), clip_value=1.0, l2=0.25)
    >>> grad.tolist()
    [0.75, -1.5]
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
    """Scale each column whose 2-norm is above a limit to that norm, in place.

        param[:, j] *= min(1, max_norm / norm(param[:, j]))

    A column holds the weights that one unit reads: all axes but the last, as in a weight of shape (in, out).

    Parameters
    ----------
    param : ndarray of float32 or float64, one dimension or more
        Updated in place.
    max_norm : float, at least 0
        The limit.

    Raises
    ------
    TypeError, ValueError
        If param cannot be updated in place or is a scalar, or max_norm is out of range.

    Notes
    -----
    Source: Srivastava et al., 2014 (JMLR 15); MaxNorm of Keras. Columns within the limit, and those with a norm of NaN,
    stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import max_norm_
    >>> param = np.array([[3.0, 0.5], [4.0, 0.0]])
    >>> max_norm_(param, 2.5)
    >>> param.tolist()
    [[1.5, 0.5], [2.0, 0.0]]
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
    """Move an average towards new values, in place.

    average += weight * (param - average)

    Parameters
    ----------
    average : ndarray of float32 or float64, any shape
        Updated in place.
    param : array like average
        The new values.
    weight : float in [0, 1]
        Share of the new values: 0 keeps the average, 1 copies param.

    Raises
    ------
    TypeError, ValueError
        If the arrays differ in dtype or shape, or average cannot be updated in place, or weight is out of range.

    Notes
    -----
    Source: torch.lerp, with its arithmetic. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import lerp_
    >>> average = np.array([0.0, 4.0])
    >>> lerp_(average, np.array([1.0, 0.0]), 0.25)
    >>> average.tolist()
    [0.25, 3.0]
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
    """`value` as an array of the dtype and shape of `array`; a copy if the two share memory."""
    given = check.as_strict(name, value)
    check.check_same_dtype(**{other: array, name: given})
    check.check_same_shape(**{other: array, name: given})
    return check.without_overlap(given, array, in_place=True)
