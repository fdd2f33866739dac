"""Group and instance normalization as layers: of parts of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _validation as check
from .normalization import Norm

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class GroupNorm(Norm):
    """Group normalization (Wu and He 2018): each group of channels of a row gets mean 0 and variance 1.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    Mean and biased variance are those of num_channels / num_groups consecutive channels. Input and output have shape
    (..., num_channels) or, with several positions of each channel one after the other (a flattened array of shape
    (channels, positions)), (..., num_channels * positions), and the dtype of the layer. `functional.group_norm` has the
    details.

    Parameters
    ----------
    num_groups : int, at least 1
        A divisor of num_channels.
    num_channels : int, at least 1
    eps : float, at least 0, default 1e-5
    affine : bool, default True
        Whether there is a weight, initially 1, and a bias, initially 0, with a number for each channel.
    bias : bool, default True
        Whether there is a bias beside the weight.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Attributes
    ----------
    weight, bias : ndarray, shape (num_channels,), or None
        Writable views.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype, or no multiple of num_channels
        features.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.GroupNorm(2, 4, eps=0.0)(np.array([[1.0, 3.0, 8.0, 4.0]], "float32"))
    array([[-1.,  1.,  1., -1.]], dtype=float32)
    """

    fixed = ("num_groups", "num_channels", "features", "affine")

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        bias: bool = True,
        *,
        dtype: str = "float32",
    ) -> None:
        super().__init__("num_channels", num_channels, eps, affine, bias, dtype)
        self.num_groups = check.check_integer("num_groups", num_groups, at_least=1)
        self.num_channels = num_channels
        if self.num_channels % self.num_groups:
            raise ValueError(f"num_groups must divide num_channels, {num_channels}, got {num_groups}")

    def in_features_hint(self) -> int | None:  # type: ignore[override]
        return None

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.group_norm(self, label, self._eps(), self.num_groups, self.num_channels)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {super().extra_repr()}"


class InstanceNorm1d(Norm):
    """Instance normalization (Ulyanov et al. 2016): each channel of a row gets mean 0 and variance 1.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    Mean and biased variance are those of all positions of a channel. Input and output have shape
    (..., num_features * positions), a flattened array of shape (channels, positions), and the dtype of the layer.
    `functional.instance_norm`, which takes arrays of shape (rows, channels, positions) and running statistics, has the
    details.

    Parameters
    ----------
    num_features : int, at least 1
        The number of channels.
    eps : float, at least 0, default 1e-5
    affine : bool, default False
        Whether there is a weight, initially 1, and a bias, initially 0, with a number for each channel.
    bias : bool, default True
        Whether there is a bias beside the weight.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Attributes
    ----------
    weight, bias : ndarray, shape (num_features,), or None
        Writable views.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype, or no multiple of num_features
        features, at least two for each channel.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.InstanceNorm1d(2, eps=0.0)(np.array([[1.0, 3.0, 8.0, 4.0]], "float32"))
    array([[-1.,  1.,  1., -1.]], dtype=float32)
    """

    fixed = ("num_features", "features", "affine")

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        affine: bool = False,
        bias: bool = True,
        *,
        dtype: str = "float32",
    ) -> None:
        super().__init__("num_features", num_features, eps, affine, bias, dtype)
        self.num_features = num_features

    def in_features_hint(self) -> int | None:  # type: ignore[override]
        return None

    def plan(self, builder: Builder, label: str, position: int) -> None:
        if builder.cols == self.num_features:
            raise ValueError(
                f"{label}: x has {builder.cols} features, one position of each channel, which has no variance: "
                f"this layer takes {self.num_features} * positions"
            )
        builder.group_norm(self, label, self._eps(), self.num_features, self.num_features)
