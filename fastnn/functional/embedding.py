"""Embedding, a table lookup, and its gradient."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import embedding as core
from .._core.embedding_bag import Bags, limit_norms
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function

__all__ = ["embedding", "embedding_backward"]

# Up to here the dtype represents every integer exactly.
MOST_CODES = {"float32": 2**24, "float64": 2**53}


def embedding(
    codes: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Array:
    """Rows of a table by their number.

    y[i] = weight[codes[i]]

    Parameters
    ----------
    codes : ndarray of integers, or of the dtype of weight, any shape
        Whole numbers from 0 to num_embeddings - 1. In float32 num_embeddings is at most 2^24, in float64 2^53.
    weight : ndarray of float32 or float64, shape (num_embeddings, embedding_dim)
    padding_idx : int, optional
        A code whose row has gradient 0, negative ones counted from the end; no effect here.
    max_norm : float, at least 0, optional
        Rows among the codes with a larger norm are scaled to this one first, in place.
    norm_type : float, at least 0, default 2.0
        Which norm.
    scale_grad_by_freq : bool, default False
        Whether the gradient of a row is divided by how often it is among the codes; no effect here.

    Returns
    -------
    y : ndarray, shape (*codes.shape, embedding_dim), dtype of weight

    Raises
    ------
    TypeError
        If weight is not float32 or float64, codes are neither integers nor of its dtype, or padding_idx is no integer.
    ValueError
        If weight is not a matrix, a code is NaN, not a whole number or out of range (the message has its place), or
        padding_idx is out of range.

    Notes
    -----
    Rows are copied, with NaN in them. It is `torch.nn.functional.embedding`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.embedding(np.array([2, 0]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    array([[5., 6.],
           [1., 2.]])
    """
    quick = core.quick(codes, weight) if padding_idx is None and max_norm is None and norm_type == 2.0 else None
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        check.check_bool("scale_grad_by_freq", scale_grad_by_freq)
        given = weight
        codes, weight, _ = checked_codes(codes, weight, padding_idx)
        limit = check_limits(given, max_norm, norm_type)
        if dispatch.get_reference():
            y: Array = reference_function("embedding")(codes, weight, None, limit, norm_type)
            return y
        if limit is not None:
            limit_norms(codes, weight, limit, float(norm_type))
        return core.embedding(codes, weight, np.empty((*codes.shape, weight.shape[1]), weight.dtype))


def embedding_backward(
    grad_output: Any,
    codes: Any,
    weight: Any,
    padding_idx: int | None = None,
    scale_grad_by_freq: bool = False,
) -> Array:
    """Gradient of `embedding` with respect to weight.

    grad_weight[j] = sum of grad_output[i] over the i with codes[i] = j, in ascending order; 0 for padding_idx

    With scale_grad_by_freq each term is divided by the number of those i.

    Parameters
    ----------
    grad_output : ndarray, shape (*codes.shape, embedding_dim), dtype of weight
        Gradient of the loss with respect to the output.
    codes, weight, padding_idx, scale_grad_by_freq
        As given to `embedding`.

    Returns
    -------
    grad_weight : ndarray, shape and dtype of weight

    Raises
    ------
    TypeError, ValueError
        As `embedding`; also if grad_output differs from the output in dtype or shape.

    Notes
    -----
    NaN in grad_output gives NaN in the row of its code, unless that is padding_idx.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.embedding_backward(np.array([[1.0], [2.0], [4.0]]), np.array([2, 0, 2]), np.zeros((3, 1)))
    array([[2.],
           [0.],
           [5.]])
    """
    plain = padding_idx is None and scale_grad_by_freq is False
    quick = core.quick_backward(grad_output, codes, weight) if plain else None
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        g = check.as_array("grad_output", grad_output)
        codes, weight, padding = checked_codes(codes, weight, padding_idx)
        by_freq = check.check_bool("scale_grad_by_freq", scale_grad_by_freq)
        check.check_same_dtype(grad_output=g, weight=weight)
        check.check_shape("grad_output", g, (*codes.shape, weight.shape[1]), "for these codes and weight")
        if dispatch.get_reference():
            grad_weight: Array = reference_function("embedding_backward")(g, codes, weight, padding_idx, by_freq)
            return grad_weight
        if by_freq:  # each code is a bag
            bags = Bags(codes, weight, None, 1, codes.size, "sum", None, padding, True)
            return bags.backward(g, np.empty_like(weight))
        return core.embedding_backward(g, codes, np.empty_like(weight), padding)


def check_padding(padding_idx: Any, num_embeddings: int) -> int:
    """The row without a gradient, -1 if there is none; a negative padding_idx counts from the end, as in PyTorch."""
    if padding_idx is None:
        return -1
    index = check.check_integer("padding_idx", padding_idx, at_least=-num_embeddings, at_most=num_embeddings - 1)
    return index % num_embeddings


def check_limits(weight: Any, max_norm: Any, norm_type: Any) -> float | None:
    """max_norm, checked, which needs a weight that can be written in place."""
    check.check_number("norm_type", norm_type, at_least=0.0)
    if max_norm is None:
        return None
    check.as_writable("weight", weight)
    return check.check_number("max_norm", max_norm, at_least=0.0)


def checked_codes(codes: Any, weight: Any, padding_idx: Any) -> tuple[Array, Array, int]:
    """Codes in the dtype of weight, all in range; weight; and the row without a gradient, or -1."""
    weight = check.as_array("weight", weight)
    if weight.ndim != 2 or weight.shape[0] > MOST_CODES[weight.dtype.name]:
        most = MOST_CODES[weight.dtype.name]
        raise ValueError(f"weight must have shape (num_embeddings up to {most}, embedding_dim), got {weight.shape}")
    given = check.from_any("codes", codes)
    codes = check.as_strict("codes", given.astype(weight.dtype) if given.dtype.kind in "iu" else given)
    codes = (
        codes.copy() if codes is given or codes.base is not None else codes
    )  # another thread cannot change what was checked
    check.check_same_dtype(codes=codes, weight=weight)
    bad = core.bad_code(codes, weight.shape[0])
    if bad >= 0:
        place = np.unravel_index(bad, codes.shape)
        where = ", ".join(map(str, place))
        raise ValueError(
            f"codes[{where}] is {given[place]}: codes must be integers between 0 and {weight.shape[0] - 1}"
        )
    return codes, weight, check_padding(padding_idx, weight.shape[0])
