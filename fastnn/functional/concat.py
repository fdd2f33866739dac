"""Arrays side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import SHORT_ERRORS
from ._axes import axis_of
from ._elementwise import Array
from ._symbolic import symbolic

__all__ = ["concat"]


def concat(arrays: Sequence[Any], axis: int = -1) -> Array:
    """Join arrays along an axis, by default the features; in the `forward` of a module, matrices.

    y = [arrays[0], arrays[1], ...]

    Parameters
    ----------
    arrays : sequence of ndarray of float32 or float64
        Of one dtype, and of one shape except along the axis.
    axis : int, default -1
        In the `forward` of a module -1 or 1.

    Returns
    -------
    y : ndarray of their dtype

    Raises
    ------
    TypeError
        If there is no array, or they differ in dtype.
    ValueError
        If the other axes do not match, or there is no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> fastnn.concat([np.array([[1.0, 2.0]]), np.array([[3.0]])])
    array([[1., 2., 3.]])
    """
    if isinstance(arrays, np.ndarray) or not hasattr(arrays, "__len__") or not len(arrays):
        raise TypeError(f"arrays must be a list of arrays, got {type(arrays).__name__}")
    if (symbol := symbolic(*arrays)) is not None:
        joined: Array = symbol.concat(arrays, axis)
        return joined
    with SHORT_ERRORS:
        checked = [check.as_array(f"arrays[{i}]", array) for i, array in enumerate(arrays)]
        check.check_same_dtype(**{f"arrays[{i}]": array for i, array in enumerate(checked)})
        axis = axis_of("arrays[0]", checked[0], axis)
        return np.concatenate(checked, axis)
