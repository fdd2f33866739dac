"""Normalization as layers: of each row, or of each feature over a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Norm(Module):
    """Base of the normalizations: `features` in and out, and a weight and a bias of so many numbers."""

    planned: ClassVar[tuple[str, ...]] = ("eps",)
    fixed: ClassVar[tuple[str, ...]] = ("features", "affine")
    eps: float | None

    def __init__(self, name: str, features: int, eps: float | None, affine: bool, bias: bool, dtype: str) -> None:
        super().__init__()
        self.features = check.check_integer(name, features, at_least=1)
        self.eps = None if eps is None else check.check_number("eps", eps, at_least=0.0)
        self.affine = _bool("affine", affine)
        self.dtype = check.check_dtype(dtype)
        if affine:
            self.add_parameter("weight", (features,), 1.0)
        if affine and _bool("bias", bias):
            self.add_parameter("bias", (features,), 0.0)

    @property
    def weight(self) -> check.Array | None:
        """A writable view, shape (features,), or None."""
        return self.array("weight")

    @weight.setter
    def weight(self, value: check.Array) -> None:
        self["weight"][...] = value

    @property
    def bias(self) -> check.Array | None:
        """A writable view, shape (features,), or None."""
        return self.array("bias")

    @bias.setter
    def bias(self, value: check.Array) -> None:
        self["bias"][...] = value

    def in_features_hint(self) -> int:
        return self.features

    def _eps(self) -> float:
        return check.check_number("eps", self.eps, at_least=0.0)

    def extra_repr(self) -> str:
        eps = "" if self.eps is None else f", eps={self.eps:g}"
        return f"{self.features}{eps}" + ("" if self.affine else ", affine=False")


class LayerNorm(Norm):
    """Each row gets mean 0 and variance 1, then weight and bias; `functional.layer_norm` has the details.

    Parameters
    ----------
    features : int
    eps : float of at least 0, default 1e-5
    affine : bool, default True
        Whether there is a weight, which starts as 1, and a bias, which starts as 0 (PyTorch's elementwise_affine).
    bias : bool, default True
        Whether there is a bias beside the weight.
    dtype : {"float32", "float64"}, default "float32"
        For a layer that is used alone.
    """

    def __init__(
        self, features: int, eps: float = 1e-5, affine: bool = True, bias: bool = True, *, dtype: str = "float32"
    ) -> None:
        super().__init__("features", features, eps, affine, bias, dtype)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.norm(self, label, "layer_norm", self._eps())


class RMSNorm(Norm):
    """Each row gets mean square 1, then a weight; `functional.rms_norm` has the details.

    Parameters
    ----------
    features : int
    eps : float of at least 0, optional
        By default the machine epsilon of the network's dtype, as in PyTorch.
    affine : bool, default True
        Whether there is a weight, which starts as 1.
    dtype : {"float32", "float64"}, default "float32"
        For a layer that is used alone.
    """

    def __init__(self, features: int, eps: float | None = None, affine: bool = True, *, dtype: str = "float32") -> None:
        super().__init__("features", features, eps, affine, False, dtype)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.norm(self, label, "rms_norm", float(np.finfo(plan.dtype).eps) if self.eps is None else self._eps())


class BatchNorm1d(Norm):
    """Each feature gets mean 0 and variance 1 over a batch, then weight and bias; see `functional.batch_norm`.

    A training batch is normalized by its own mean and (biased) variance, which the running statistics follow: in
    `fit` and `step` when the step is done, in a loop of one's own when the network is called. Inference uses those.

    Parameters
    ----------
    num_features : int
    eps : float of at least 0, default 1e-5
    momentum : float in [0, 1] or None, default 0.1
        running = (1 - momentum) * running + momentum * (mean, or unbiased variance); None averages all batches.
    affine : bool, default True
        Whether there is a weight, which starts as 1, and a bias, which starts as 0.
    track_running_stats : bool, default True
        Without, inference too normalizes each batch by its own statistics.
    frozen : bool, default False
        Normalize by the running statistics, and leave them, while training too: for fine-tuning, say. An attribute that
        can be set at any time (PyTorch: `layer.eval()` in a network that trains).
    dtype : {"float32", "float64"}, default "float32"
        For a layer that is used alone.

    Attributes
    ----------
    running_mean, running_var, num_batches_tracked : ndarray
        The running statistics, and the number of batches that they have seen.

    Raises
    ------
    ValueError
        While training, if a batch has a single row: it has no variance. `fit` raises before it begins.
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
        frozen: bool = False,
        dtype: str = "float32",
    ) -> None:
        super().__init__("num_features", num_features, eps, affine, True, dtype)
        self.momentum, self.frozen = momentum, _bool("frozen", frozen)
        self._momentum()
        self.track_running_stats = _bool("track_running_stats", track_running_stats)
        if track_running_stats:
            self.add_buffer("running_mean", (num_features,))
            self.add_buffer("running_var", (num_features,), 1.0)
            self.add_buffer("num_batches_tracked", (), 0, "int64")

    @property
    def num_features(self) -> int:
        """Number of features."""
        return self.features

    @property
    def running_mean(self) -> check.Array | None:
        """A writable view, shape (features,), or None."""
        return self.buffer("running_mean") if self.track_running_stats else None

    @property
    def running_var(self) -> check.Array | None:
        """A writable view, shape (features,), or None."""
        return self.buffer("running_var") if self.track_running_stats else None

    @property
    def num_batches_tracked(self) -> check.Array | None:
        """A writable view, shape (), or None."""
        return self.buffer("num_batches_tracked") if self.track_running_stats else None

    def _momentum(self) -> float | None:
        return None if self.momentum is None else check.check_number("momentum", self.momentum, at_least=0, at_most=1)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        by_batch = not self.track_running_stats or (plan.train and not _bool("frozen", self.frozen))
        plan.batch_norm(self, label, self._eps(), self._momentum(), by_batch=by_batch)

    def extra_repr(self) -> str:
        track = "" if self.track_running_stats else ", track_running_stats=False"
        return f"{super().extra_repr()}, momentum={self.momentum}{track}" + (", frozen" if self.frozen else "")


def _bool(name: str, value: bool) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value
