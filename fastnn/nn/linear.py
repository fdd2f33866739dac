"""The linear (fully connected, dense) layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _validation as check
from .init.names import as_initializer
from .init.rules import linear_default
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class Affine(Module):
    """Base of the layers with a weight and a bias."""

    weight_init: Any
    bias_init: Any

    def _add_affine(
        self, fan_in: int, weight: tuple[int, ...], bias: tuple[int], has_bias: Any, penalize_bias: bool = False
    ) -> None:
        """Add the parameters, of these shapes; by default they are uniform within 1 / sqrt(fan_in)."""
        shapes: dict[str, tuple[int, ...]] = {"weight": weight}
        if check.check_flag("bias", has_bias):
            shapes["bias"] = bias
        elif self.bias_init is not None:
            raise ValueError("bias_init is given, but bias is False")
        for name, shape in shapes.items():
            rule = getattr(self, f"{name}_init")
            rule = linear_default(fan_in) if rule is None else as_initializer(f"{name}_init", rule, shape)
            self.add_parameter(name, shape, rule, decay=name == "weight" or penalize_bias)

    @property
    def weight(self) -> check.Array:
        """The weight, a writable view."""
        return self["weight"]

    @weight.setter
    def weight(self, value: check.Array) -> None:
        self["weight"][...] = value

    @property
    def bias(self) -> check.Array | None:
        """The bias, a writable view of shape (out_features,), or None."""
        return self.array("bias")

    @bias.setter
    def bias(self, value: check.Array) -> None:
        self["bias"][...] = value


class Linear(Affine):
    """Affine map, the fully connected or dense layer; `functional.linear` has the details.

    y = x W + b

    x has shape (..., in_features), y (..., out_features), both the dtype of the layer.

    Parameters
    ----------
    in_features : int, at least 0
    out_features : int, at least 1
    bias : bool, default True
        Whether there is a bias b.
    weight_init, bias_init : str, nn.init.Initializer, function, number or array, optional
        Initial values: the name of an initializer of `nn.init` ("kaiming_normal"), an initializer, or the values. By
        default uniform within 1 / sqrt(in_features), as PyTorch's.
    seed : int in [0, 2^64), optional
        Seed of the initial values of a layer that is used alone; in a network the network's seed counts.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.
    l1, l2 : float, at least 0, default 0
        Penalties l1 |w| + l2 / 2 w^2 on the weight, whose gradients every update adds (to l2's that of
        `weight_decay`, if any). They are not part of the loss that is reported: see `Trainer.penalty`.
    penalize_bias : bool, default False
        Whether penalties, these and the trainer's, apply to the bias too.
    max_norm : float, at least 0, optional
        After every update the incoming weights of each unit (a column) are scaled to this 2-norm if theirs is larger
        (Srivastava et al. 2014; Keras' MaxNorm).

    Attributes
    ----------
    weight : ndarray, shape (in_features, out_features)
        A writable view. PyTorch's weight is its transpose.
    bias : ndarray, shape (out_features,), or None

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, initial values do not fit, or bias_init is given and bias is False. When
        called, if x has another dtype or number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.Linear(2, 1, weight_init=[[1.0], [2.0]], bias_init=0.5)
    >>> layer(np.array([[1.0, 3.0]], "float32"))
    array([[7.5]], dtype=float32)
    >>> layer.backward(np.ones((1, 1), "float32"))
    array([[1., 2.]], dtype=float32)
    >>> layer.gradient("weight").tolist(), layer.gradient("bias").tolist()
    ([[1.0], [3.0]], [1.0])
    """

    fixed = ("in_features", "out_features")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        weight_init: Any = None,
        bias_init: Any = None,
        seed: int | None = None,
        dtype: str = "float32",
        l1: float = 0.0,
        l2: float = 0.0,
        penalize_bias: bool = False,
        max_norm: float | None = None,
    ) -> None:
        super().__init__()
        self.in_features = check.check_integer("in_features", in_features, at_least=0)
        self.out_features = check.check_integer("out_features", out_features, at_least=1)
        self.seed = None if seed is None else check.check_seed(seed)
        self.dtype = check.check_dtype(dtype)
        self.weight_init, self.bias_init = weight_init, bias_init
        shapes = (self.in_features, self.out_features), (self.out_features,)
        self._add_affine(self.in_features, *shapes, bias, check.check_switch("penalize_bias", penalize_bias))
        self.l1, self.l2, self.max_norm = l1, l2, max_norm

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.linear(self, label)

    def in_features_hint(self) -> int:
        return self.in_features

    def out_features_for(self, in_features: int) -> int:
        return self.out_features

    def extra_repr(self) -> str:
        bias = "" if "bias" in self.parameter_shapes() else ", bias=False"
        rules = {"weight_init": self.weight_init, "bias_init": self.bias_init}
        given = "".join(f", {name}={rule!r:.60}" for name, rule in rules.items() if rule is not None)
        settings = {"l1": self.l1, "l2": self.l2, "max_norm": self.max_norm}
        given += "".join(f", {name}={value:g}" for name, value in settings.items() if value)
        return f"in_features={self.in_features}, out_features={self.out_features}{bias}{given}"
