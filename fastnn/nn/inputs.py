"""Checks of a network's input, and its conversion to the rows that programs read."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.arrays import plain
from .activations.softmax import Softmax
from .flatten import Flatten
from .structure import Node, leaves

Array = check.Array


class Takes(Protocol):
    """A network, as far as its inputs go."""

    dtype: str
    input_scale: float
    feature_names: tuple[str, ...] | None
    _nodes: tuple[Node, ...]

    @property
    def in_features(self) -> int | None:
        """Number of input features, None if any number will do."""


def as_given(net: Takes, x: Any) -> Array:
    """x as an ndarray of a real dtype; a table must have the columns that the network was trained on."""
    if type(x) is not np.ndarray:
        _check_columns(net, column_names(x))
    return check.as_source("x", x)


def as_rows(net: Takes, x: Any, sparse: bool = False) -> tuple[Any, tuple[int, ...]]:
    """The matrix with a row for each sample of x, in the dtype and layout that x has; `converted` makes inputs of it.

    With `sparse`, a sparse matrix becomes `SparseRows` of the network's dtype.

    Returns
    -------
    rows : ndarray of a real dtype, shape (n, features), or SparseRows
    shape : tuple of int
        The shape of x without its features, whose product is n.

    Raises
    ------
    TypeError, ValueError
        If x does not fit the network.
    """
    if sparse and (isinstance(x, check.SparseRows) or check.is_sparse(x)):
        found = x if isinstance(x, check.SparseRows) else check.SparseRows.of("x", x, net.dtype)
        _check_features(net, found.shape[1])
        return found, found.shape[:1]
    x = as_given(net, x)
    if net._nodes and isinstance(net._nodes[0].layer, Flatten):
        shape = x.shape[:1]
        rows = x.reshape(shape[0], math.prod(x.shape[1:])) if x.ndim else x
    else:
        if x.ndim > 2:
            _check_dims(net, x)
        shape = x.shape[:-1]
        rows = x.reshape(math.prod(shape), x.shape[-1]) if x.ndim else x
    if x.ndim == 0:
        raise ValueError("x must have shape (..., features), got a scalar")
    _check_features(net, rows.shape[1])
    return rows, shape


def _check_features(net: Takes, features: int) -> None:
    """Raise ValueError if the network takes another number of features."""
    hint = net.in_features
    if hint is not None and features != hint:
        first = next(node.layer for node in net._nodes if node.layer.in_features_hint() is not None)
        raise ValueError(f"{type(first).__name__}: x has {features} features, this layer takes {hint}")


def column_names(x: Any) -> tuple[str, ...] | None:
    """The names of the columns of a table such as a DataFrame; None if it has none, or not all are strings."""
    names = check.column_labels(x)
    return names if names and all(isinstance(name, str) for name in names) else None


def _check_columns(net: Takes, names: tuple[str, ...] | None) -> None:
    """Raise ValueError if a table has other columns than the one that the network was trained on, or another order."""
    known = net.feature_names
    if names is None or known is None or names == known:
        return
    missing = [name for name in known if name not in names]
    unknown = [name for name in names if name not in known]
    if missing or unknown:
        what = " and ".join(f"{word} {found}" for word, found in (("lacks", missing), ("has", unknown)) if found)
        what = f"x {what}, other columns than the network was trained on"
    else:
        what = f"x has its columns in another order than the network was trained on: give x[{list(known)}]"
    raise ValueError(f"{what} (net.feature_names = None forgets them)")


def _check_dims(net: Takes, x: Array) -> None:
    """Raise ValueError if a softmax over axis 1 is not one over the features, the last axis of x."""
    for node in leaves(net._nodes):
        if isinstance(node.layer, Softmax) and node.layer.dim == 1:
            name = type(node.layer).__name__
            raise ValueError(
                f"{name}: dim=1 means the features of x of shape (rows, features), but x has shape {x.shape}: take "
                f"dim=-1 for its last dimension; functional.{node.layer.kernel} takes any"
            )


def converted(net: Takes, rows: Array, first: int = 0) -> Array:
    """Rows as a plain matrix of the network's dtype, integers and float16 times its `input_scale`.

    Rows that are one already are returned as they are. `first` is the number of the first one, for messages.

    Raises
    ------
    ValueError
        If a finite number is too large for the dtype of the network.
    """
    if plain(rows) and rows.dtype == net.dtype:
        return rows
    if dispatch.get_reference():
        from ..reference.rows import widen

        out = widen(rows, net.dtype, net.input_scale)
        beyond = check.too_large(rows, out)
    else:
        from .._core import rows as core

        out = np.empty(rows.shape, net.dtype)
        beyond = core.widen(rows, out, net.input_scale)
    if beyond:
        check.check_not_beyond("x", rows, out, first)
    return out
