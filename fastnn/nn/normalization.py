"""Normalization as layers: of each row, or of each feature over a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class Norm(Module):
    """Base of the normalization layers, with a weight and a bias of one number per feature."""

    planned: ClassVar[tuple[str, ...]] = ("eps",)
    fixed: ClassVar[tuple[str, ...]] = ("features", "affine")
    eps: float | None
    _biased: ClassVar[bool] = True  # whether the layer has a bias unless it is refused

    def __init__(
        self, name: str, features: int | Sequence[int], eps: float | None, affine: bool, bias: bool, dtype: str
    ) -> None:
        super().__init__()
        several = isinstance(features, (tuple, list)) and name == "features"
        sizes = tuple(features) if several else (features,)  # type: ignore[arg-type]
        if not sizes:
            raise ValueError("features must have at least one size, got ()")
        self._shape = tuple(check.check_integer(name, size, at_least=1) for size in sizes)
        self.features: Any = self._shape if several else self._shape[0]
        self.eps = None if eps is None else check.check_number("eps", eps, at_least=0.0)
        self.affine = check.check_flag("affine", affine)
        self.dtype = check.check_dtype(dtype)
        if affine:
            self.add_parameter("weight", self._shape, 1.0, decay=False)
        if affine and check.check_flag("bias", bias):
            self.add_parameter("bias", self._shape, 0.0, decay=False)

    @property
    def weight(self) -> check.Array | None:
        """The weight, a writable view of shape (features,), or None."""
        return self.array("weight")

    @weight.setter
    def weight(self, value: check.Array) -> None:
        self["weight"][...] = value

    @property
    def bias(self) -> check.Array | None:
        """The bias, a writable view of shape (features,), or None."""
        return self.array("bias")

    @bias.setter
    def bias(self, value: check.Array) -> None:
        self["bias"][...] = value

    def in_features_hint(self) -> int:
        return math.prod(self._shape)

    def _eps(self) -> float:
        return check.check_number("eps", self.eps, at_least=0.0)

    def extra_repr(self) -> str:
        eps = "" if self.eps is None else f", eps={self.eps:g}"
        bias = ", bias=False" if self.affine and self._biased and "bias" not in self.parameter_shapes() else ""
        return f"{self.features}{eps}" + ("" if self.affine else ", affine=False") + bias


def _affine(affine: bool, elementwise_affine: bool | None) -> bool:
    """Whether there is a weight, by fastnn's argument or PyTorch's."""
    if elementwise_affine is None:
        return affine
    return check.check_flag("elementwise_affine", elementwise_affine) and check.check_flag("affine", affine)


class LayerNorm(Norm):
    """Layer normalization (Ba, Kiros and Hinton 2016): each row gets mean 0 and variance 1, then weight and bias.

    y = (x - mean) / sqrt(variance + eps) * weight + bias,   mean and biased variance of the last axis

    Input and output have shape (..., features) and the dtype of the layer. `functional.layer_norm` has the details.

    Parameters
    ----------
    features : int, at least 1, or sequence of int
        The number of features or, PyTorch's normalized_shape, the shape that they are the flattened array of.
    eps : float, at least 0, default 1e-5
    affine : bool, default True
        Whether there is a weight, initially 1, and a bias, initially 0; `elementwise_affine` is PyTorch's name of it.
    bias : bool, default True
        Whether there is a bias beside the weight.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Attributes
    ----------
    weight, bias : ndarray, shape (features,) or the shape given, or None
        Writable views.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype or number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.LayerNorm(2, eps=0.0)(np.array([[1.0, 5.0], [2.0, -2.0]], "float32"))
    array([[-1.,  1.],
           [ 1., -1.]], dtype=float32)
    """

    def __init__(
        self,
        features: int | Sequence[int],
        eps: float = 1e-5,
        affine: bool = True,
        bias: bool = True,
        *,
        elementwise_affine: bool | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__("features", features, eps, _affine(affine, elementwise_affine), bias, dtype)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.norm(self, label, "layer_norm", self._eps())


class RMSNorm(Norm):
    """Root mean square normalization (Zhang and Sennrich 2019): each row gets mean square 1, then a weight.

    y = x / sqrt(mean(x^2) + eps) * weight,   mean over the last axis

    Input and output have shape (..., features) and the dtype of the layer. `functional.rms_norm` has the details.

    Parameters
    ----------
    features : int, at least 1, or sequence of int
        The number of features or, PyTorch's normalized_shape, the shape that they are the flattened array of.
    eps : float, at least 0, optional
        By default the machine epsilon of the dtype, as in PyTorch.
    affine : bool, default True
        Whether there is a weight, initially 1; `elementwise_affine` is PyTorch's name of it.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Attributes
    ----------
    weight : ndarray, shape (features,) or the shape given, or None
        A writable view.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype or number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.RMSNorm(2, eps=0.0)(np.array([[2.0, -2.0], [0.0, 3.0]], "float32")).round(4)
    array([[ 1.    , -1.    ],
           [ 0.    ,  1.4142]], dtype=float32)
    """

    _biased = False

    def __init__(
        self,
        features: int | Sequence[int],
        eps: float | None = None,
        affine: bool = True,
        *,
        elementwise_affine: bool | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__("features", features, eps, _affine(affine, elementwise_affine), False, dtype)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.norm(self, label, "rms_norm", float(np.finfo(builder.dtype).eps) if self.eps is None else self._eps())


class BatchNorm1d(Norm):
    """Batch normalization (Ioffe and Szegedy 2015): each feature gets mean 0 and variance 1, then weight and bias.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    While training, mean and (biased) variance are those of the batch, and the running statistics are updated: in `fit`
    and `step` when the step is done, in your own loop when the network is called. In inference they are the running
    statistics. Input and output have shape (..., features) and the dtype of the layer. `functional.batch_norm` has the
    details.

    Parameters
    ----------
    num_features : int, at least 1
    eps : float, at least 0, default 1e-5
    momentum : float in [0, 1] or None, default 0.1
        running = (1 - momentum) * running + momentum * (mean, or unbiased variance); None averages all batches.
    affine : bool, default True
        Whether there is a weight, initially 1, and a bias, initially 0.
    track_running_stats : bool, default True
        If False, each batch is normalized by its own statistics in inference too.
    bias : bool, default True
        Whether there is a bias beside the weight.
    frozen : bool, default False
        Whether training too normalizes by the running statistics and does not update them, for fine-tuning. It can be
        set at any time (PyTorch: `layer.eval()` in a network that trains).
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Attributes
    ----------
    weight, bias : ndarray, shape (features,), or None
        Writable views.
    running_mean, running_var : ndarray, shape (features,), or None
        The running statistics, initially 0 and 1; writable views.
    num_batches_tracked : ndarray of int64, shape (), or None
        The number of batches that the running statistics include.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype or number of features, or, while
        training, a batch has a single row, which has no variance. `fit` raises before it begins.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.BatchNorm1d(1, eps=0.0, momentum=0.5)
    >>> layer(np.array([[0.0], [4.0]], "float32")).tolist()
    [[-1.0], [1.0]]
    >>> layer.running_mean.tolist(), layer.running_var.tolist()
    ([1.0], [4.5])
    """

    planned = ("eps", "momentum", "frozen")
    fixed = ("features", "affine", "track_running_stats")

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        frozen: bool = False,
        dtype: str = "float32",
    ) -> None:
        super().__init__("num_features", num_features, eps, affine, bias, dtype)
        self.momentum, self.frozen = momentum, check.check_flag("frozen", frozen)
        self._momentum()
        self.track_running_stats = check.check_flag("track_running_stats", track_running_stats)
        if track_running_stats:
            self.add_buffer("running_mean", (num_features,))
            self.add_buffer("running_var", (num_features,), 1.0)
            self.add_buffer("num_batches_tracked", (), 0, "int64")

    @property
    def num_features(self) -> int:
        """The number of features."""
        return self._shape[0]

    @property
    def running_mean(self) -> check.Array | None:
        """The running mean, a writable view of shape (features,), or None."""
        return self.buffer("running_mean") if self.track_running_stats else None

    @property
    def running_var(self) -> check.Array | None:
        """The running variance, a writable view of shape (features,), or None."""
        return self.buffer("running_var") if self.track_running_stats else None

    @property
    def num_batches_tracked(self) -> check.Array | None:
        """The number of batches that the running statistics include, a writable view of shape () and int64, or None."""
        return self.buffer("num_batches_tracked") if self.track_running_stats else None

    def _momentum(self) -> float | None:
        return None if self.momentum is None else check.check_number("momentum", self.momentum, at_least=0, at_most=1)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        by_batch = not self.track_running_stats or (builder.train and not check.check_flag("frozen", self.frozen))
        builder.batch_norm(self, label, self._eps(), self._momentum(), by_batch=by_batch)

    def extra_repr(self) -> str:
        track = "" if self.track_running_stats else ", track_running_stats=False"
        return f"{super().extra_repr()}, momentum={self.momentum}{track}" + (", frozen" if self.frozen else "")
