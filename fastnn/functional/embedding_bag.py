"""Bags of rows of a table: their sum, mean or largest entries, and the gradients."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import embedding as lookup
from .._core.distances import bilinear as dot_products
from .._core.embedding_bag import Bags, limit_norms
from .._frames import SHORT_ERRORS
from ._documentation import documented
from ._elementwise import Array, reference_function
from .embedding import check_limits, checked_codes

__all__ = ["embedding_bag", "embedding_bag_backward"]

MODES = ("sum", "mean", "max")

TEXT = """
Parameters
----------
{first}codes : ndarray of integers, or of the dtype of weight
    Shape (bags, size), a bag a row, or with offsets a vector of all codes. Whole numbers from 0 to num_embeddings - 1.
weight : ndarray of float32 or float64, shape (num_embeddings, embedding_dim)
offsets : ndarray of integers, shape (bags,), optional
    Where each bag begins in a vector of codes: 0 first, ascending.
{limits}scale_grad_by_freq : bool, default False
    Whether the gradient of a row is divided by how often it is among the codes; {no_effect}not for "max".
mode : {{"mean", "sum", "max"}}, default "mean"
per_sample_weights : ndarray of the dtype of weight, shape of codes, optional
    Factors of the rows, for "sum".
include_last_offset : bool, default False
    Whether offsets end with the number of codes, so that there is one more of them than of bags.
padding_idx : int, optional
    A code that does not count, negative ones counted from the end.

Returns
-------
{result}

Raises
------
TypeError
    If weight is not float32 or float64, codes or offsets have another dtype than above, or an argument has the wrong
    type.
ValueError
    If shapes do not match, a code is out of range, offsets do not ascend from 0, or arguments exclude each
    other{values}.

Notes
-----
{nan} It is `torch.nn.functional.embedding_bag`.
"""

LIMITS = """max_norm : float, at least 0, optional
    Rows among the codes with a larger norm are scaled to this one first, in place.
norm_type : float, at least 0, default 2.0
    Which norm.
"""


@documented(
    TEXT,
    first="",
    limits=LIMITS,
    no_effect="no effect here; ",
    result="y : ndarray, shape (bags, embedding_dim), dtype of weight",
    values="",
    nan='Rows are added in the order of the codes. A bag without codes is 0. NaN gives NaN, also in "max".',
)
def embedding_bag(
    codes: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Array:
    """Sum, mean or largest entries of bags of rows of a table.

    y[i] = sum, mean or largest of weight[c] over the codes c of bag i

    >>> weight = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> F.embedding_bag(np.array([0, 2, 1]), weight, np.array([0, 2]))
    array([[3., 4.],
           [3., 4.]])
    """
    with SHORT_ERRORS:
        given = weight
        call = _checked(
            codes, weight, offsets, scale_grad_by_freq, mode, per_sample_weights, include_last_offset, padding_idx
        )
        weight, limit = call["weight"], check_limits(given, max_norm, norm_type)
        if dispatch.get_reference():
            return np.asarray(_reference("embedding_bag", call, max_norm=limit, norm_type=norm_type))
        if limit is not None:
            limit_norms(call["codes"], weight, limit, float(norm_type))
        return _bags(call).run(np.empty((call["bags"], weight.shape[1]), weight.dtype))


@documented(
    TEXT,
    first="grad_output : ndarray, shape (bags, embedding_dim), dtype of weight\n"
    "    Gradient of the loss with respect to the output.\n",
    limits="",
    no_effect="",
    result="grad_weight : ndarray, shape and dtype of weight\n"
    "    With per_sample_weights a tuple of it and their gradients, of their shape.",
    values=", or\n    grad_output differs from the output in dtype or shape",
    nan='The gradient of "max" is that of the first of equal entries, and of the first NaN. Rows of limited norm\n'
    "are those that `embedding_bag` left.",
)
def embedding_bag_backward(
    grad_output: Any,
    codes: Any,
    weight: Any,
    offsets: Any = None,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Array | tuple[Array, Array]:
    """Gradient of `embedding_bag` with respect to weight, and to the weights of samples.

    grad_weight[c] = sum over the bags i with c of grad_output[i], divided by the size of the bag for a mean
    grad_per_sample_weights = grad_output[i] . weight[c]

    >>> F.embedding_bag_backward(np.array([[1.0], [4.0]]), np.array([[0, 2], [2, 2]]), np.zeros((3, 1)))
    array([[0.5],
           [0. ],
           [4.5]])
    """
    with SHORT_ERRORS:
        call = _checked(
            codes, weight, offsets, scale_grad_by_freq, mode, per_sample_weights, include_last_offset, padding_idx
        )
        g, weight, sample = check.as_array("grad_output", grad_output), call["weight"], call["sample"]
        check.check_same_dtype(grad_output=g, weight=weight)
        check.check_shape("grad_output", g, (call["bags"], weight.shape[1]), "for these codes and weight")
        if dispatch.get_reference():
            return _reference("embedding_bag_backward", call, g)
        bags = _bags(call)
        grad_weight = bags.backward(g, np.empty_like(weight))
        return grad_weight if sample is None else (grad_weight, _of_samples(g, call))


def _checked(
    codes: Any,
    weight: Any,
    offsets: Any,
    scale_grad_by_freq: Any,
    mode: Any,
    per_sample_weights: Any,
    include_last_offset: Any,
    padding_idx: Any,
) -> dict[str, Any]:
    """The arguments, checked, and the number of bags."""
    check.check_choice("mode", mode, MODES)
    last = check.check_bool("include_last_offset", include_last_offset)
    by_freq = check.check_bool("scale_grad_by_freq", scale_grad_by_freq)
    codes, weight, padding = checked_codes(codes, weight, padding_idx)
    sample = None
    if per_sample_weights is not None:
        sample = check.as_array("per_sample_weights", per_sample_weights)
        check.check_same_dtype(per_sample_weights=sample, weight=weight)
        check.check_shape("per_sample_weights", sample, codes.shape, "for these codes")
        if mode != "sum":
            raise ValueError(f'per_sample_weights need mode="sum", got {mode!r}')
    if by_freq and mode == "max":
        raise ValueError('scale_grad_by_freq does not go with mode="max"')
    ends, bags = _ends(codes, offsets, last)
    return {
        "codes": codes, "weight": weight, "ends": ends, "bags": bags, "by_freq": by_freq, "mode": mode,
        "sample": sample, "padding": padding,
    }  # fmt: skip


def _ends(codes: Array, offsets: Any, last: bool) -> tuple[Array | None, int]:
    """Where each bag begins and the last one ends, None for rows of codes; and the number of bags."""
    if offsets is None:
        if codes.ndim != 2:
            raise ValueError(f"codes must have shape (bags, size) unless offsets are given, got {codes.shape}")
        return None, codes.shape[0]
    if codes.ndim != 1:
        raise ValueError(f"codes must be a vector if offsets are given, got shape {codes.shape}")
    given = check.from_any("offsets", offsets)
    if given.dtype.kind not in "iu":
        raise TypeError(f"offsets must be integers, got {given.dtype}")
    ends = given.astype("int64") if last else np.append(given, codes.size).astype("int64")
    if given.ndim != 1 or (last and not given.size):
        raise ValueError(f"offsets must have shape (bags,) or, with the last one, (bags + 1,), got {given.shape}")
    if ends[0] != (0 if given.size else codes.size) or (np.diff(ends) < 0).any() or ends[-1] != codes.size:
        raise ValueError(f"offsets must ascend from 0 to at most the number of codes, {codes.size}, got {given!r:.80}")
    return ends, len(ends) - 1


def _bags(call: dict[str, Any]) -> Bags:
    codes, sample = call["codes"], call["sample"]
    size = codes.shape[1] if call["ends"] is None else 0
    return Bags(
        codes, call["weight"], call["ends"], size, call["bags"], call["mode"], sample, call["padding"], call["by_freq"]
    )


def _of_samples(g: Array, call: dict[str, Any]) -> Array:
    """The gradients of the weights of samples: of each code, g of its bag times its row of the table."""
    codes, weight, ends = call["codes"].reshape(-1), call["weight"], call["ends"]
    sizes = np.full(call["bags"], call["codes"].shape[-1]) if ends is None else np.diff(ends)
    rows = lookup.embedding(codes, weight, np.empty((codes.size, weight.shape[1]), weight.dtype))
    grad = np.empty((codes.size, 1), weight.dtype)
    dot_products(None, rows, np.repeat(g, sizes, axis=0), None, grad, 1)
    grad[codes == call["padding"]] = 0
    return grad.reshape(call["sample"].shape)


def _reference(name: str, call: dict[str, Any], *upstream: Array, **limits: Any) -> Any:
    padding = call["padding"] if call["padding"] >= 0 else None
    return reference_function(name)(
        *upstream, call["codes"], call["weight"], call["ends"], scale_grad_by_freq=call["by_freq"], mode=call["mode"],
        per_sample_weights=call["sample"], include_last_offset=True, padding_idx=padding, **limits,
    )  # fmt: skip
