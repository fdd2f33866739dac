"""A fully connected layer whose weight is integers of a byte: for inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._core.int8 import COLUMNS, MOST_IN, weight_shape
from .linear import Linear
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder

Array = check.Array

MOST = 63  # integers of 7 bits, so that the sum of two products with bytes fits 16 bits


def quantized(weight: Array, most: int) -> tuple[Array, Array]:
    """Integers from -most to most and a scale for each column, so that weight is about integers * scale.

    Scales are computed in the dtype of weight; that of a column of zeros is 0.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    if not np.isfinite(weight).all():
        raise ValueError("weight must be finite to be rounded to integers, got NaN or infinity")
    scale = np.abs(weight).max(axis=0, initial=0) / most
    return np.rint(weight / np.where(scale > 0, scale, 1)).astype("int8"), scale.astype(weight.dtype)


def packed(integers: Array) -> Array:
    """Integers (in, out) in panels of 16 columns, as the kernel reads them (src_c/fastnn.h, struct fnn_int8)."""
    n_in, n_out = integers.shape
    groups, panels = -(-n_in // 4), -(-n_out // COLUMNS)
    whole = np.zeros((4 * groups, panels * COLUMNS), "int8")
    whole[:n_in, :n_out] = integers
    offsets = (128 * whole.sum(axis=0, dtype="int32")).reshape(panels, COLUMNS)
    body = whole.reshape(groups, 4, panels, COLUMNS).transpose(2, 0, 3, 1).reshape(panels, -1)
    return np.ascontiguousarray(np.hstack([offsets.view("int8"), body]))


class LinearInt8(Module):
    """A fully connected layer whose weight is integers from -63 to 63: a quarter of the memory, for inference.

    y = a (q s) + b,   a = m / 127 round(127 x / m),   m = max |x| of the row

    Each row of x is rounded to integers, too, when the layer runs, and products are added up as integers, exactly. So
    the bits are the same for any instruction set, number of threads and split of the rows. Shapes are those of a
    `Linear`, of which `of` makes it; `Sequential.freeze` does so with a whole network.

    Parameters
    ----------
    in_features : int, from 0 to 131,072
    out_features : int, at least 1
    bias : bool, default True
        Whether there is a bias b.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Attributes
    ----------
    integers : ndarray of int8, shape (in_features, out_features)
        q, a copy.
    scale : ndarray of float64, shape (out_features,)
        s.
    bias : ndarray, shape (out_features,), or None

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, or a gradient is to go through the layer: it begins in inference mode.

    Notes
    -----
    Rounding changes a weight by at most the largest one of its column / 126, and x by at most m / 254. A row of x with
    NaN or an infinity gives NaN in all outputs. Dynamic quantization with a scale for each column, as
    `torch.ao.nn.quantized.dynamic.Linear` with 7 bits for weights.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> linear = nn.Linear(2, 1, weight_init=[[1.0], [0.5]], bias_init=0.25)
    >>> nn.LinearInt8.of(linear)(np.array([[1.0, 1.0]], "float32")).round(2)
    array([[1.76]], dtype=float32)
    """

    fixed = ("in_features", "out_features")

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, dtype: str = "float32") -> None:
        super().__init__()
        self.in_features = check.check_integer("in_features", in_features, at_least=0, at_most=MOST_IN)
        self.out_features = check.check_integer("out_features", out_features, at_least=1)
        self.dtype = check.check_dtype(dtype)
        self.add_buffer("weight", weight_shape(self.in_features, self.out_features), 0, "int8")
        self.add_buffer("scale", (self.out_features,), 0.0, "float64")
        self.has_bias = check.check_flag("bias", bias)
        self.training = False
        if self.has_bias:
            self.add_buffer("bias", (self.out_features,))

    @classmethod
    def of(cls, linear: Linear) -> LinearInt8:
        """The layer for a `Linear`.

        Raises
        ------
        TypeError
            If it is none.
        ValueError
            If a weight is not finite, or it takes more than 131,072 features.
        """
        if not isinstance(linear, Linear):
            raise TypeError(f"linear must be a Linear, got {type(linear).__name__}")
        weight, bias = linear["weight"], linear.array("bias")
        layer = cls(linear.in_features, linear.out_features, bias is not None, dtype=weight.dtype.name)
        integers, scale = quantized(weight.astype("float64"), MOST)
        layer.buffer("weight")[...], layer.buffer("scale")[...] = packed(integers), scale
        if bias is not None:
            layer.buffer("bias")[...] = bias
        return layer

    @property
    def integers(self) -> Array:
        """The integers of the weight, a copy of shape (in_features, out_features)."""
        from ..reference.int8 import unpacked  # not needed, so not loaded, to predict

        return unpacked(self.buffer("weight"), self.in_features, self.out_features).copy()

    @property
    def scale(self) -> Array:
        """The scale of each column, a writable view."""
        return self.buffer("scale")

    @property
    def bias(self) -> Array | None:
        """The bias, a writable view; None without."""
        return self.buffer("bias") if self.has_bias else None

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.linear_int8(self, label, self.buffer("weight"), self.scale, self.bias)

    def in_features_hint(self) -> int:
        return self.in_features

    def out_features_for(self, in_features: int) -> int:
        return self.out_features

    def config(self) -> dict[str, Any]:
        return {"in_features": self.in_features, "out_features": self.out_features, "bias": self.has_bias}

    def extra_repr(self) -> str:
        bias = "" if self.has_bias else ", bias=False"
        return f"in_features={self.in_features}, out_features={self.out_features}{bias}"
