"""The affine layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _validation as check
from .init.names import as_initializer
from .init.rules import linear_default
from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Linear(Module):
    """Affine map y = x W + b; `functional.linear` has the details.

    Parameters
    ----------
    in_features, out_features : int
        `weight` has shape (in_features, out_features), `bias` (out_features,).
    bias : bool, default True
    weight_init, bias_init : str, nn.init.Initializer, number or array, optional
        How the parameters start: the name of a rule of `nn.init` ("kaiming_normal"), a rule with arguments, or values.
    seed : int, optional
        For a layer that is used alone; in a network the network's seed counts.
    dtype : {"float32", "float64"}, default "float32"
        For a layer that is used alone.
    l1, l2 : float, default 0
        Penalties l1 |w| + l2 / 2 w^2 on the weight, whose gradients every update adds (to l2's that of
        `weight_decay`, if any). They are no part of the loss that is reported: see `Trainer.penalty`.
    penalize_bias : bool, default False
        Whether penalties, these and the trainer's, are for the bias too.
    max_norm : float, optional
        Every update ends with scaling each unit's incoming weights (a column) to this 2-norm if theirs is above it
        (Srivastava et al. 2014; Keras' MaxNorm).

    Notes
    -----
    By default weight and bias start uniform within 1 / sqrt(in_features), as PyTorch's.
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
        if not isinstance(bias, bool):
            raise TypeError(f"bias must be True or False, got {bias!r}")
        self.seed = None if seed is None else check.check_seed(seed)
        self.dtype = check.check_dtype(dtype)
        self.weight_init, self.bias_init = weight_init, bias_init
        decays = {"weight": True, "bias": check.check_switch("penalize_bias", penalize_bias)}
        shapes = {"weight": (self.in_features, self.out_features)} | ({"bias": (self.out_features,)} if bias else {})
        for name, shape in shapes.items():
            rule = getattr(self, f"{name}_init")
            rule = linear_default(self.in_features) if rule is None else as_initializer(f"{name}_init", rule, shape)
            self.add_parameter(name, shape, rule, decay=decays[name])
        if bias_init is not None and not bias:
            raise ValueError("bias_init is given, but bias is False")
        self.l1, self.l2, self.max_norm = l1, l2, max_norm

    @property
    def weight(self) -> check.Array:
        """A writable view, shape (in_features, out_features)."""
        return self["weight"]

    @weight.setter
    def weight(self, value: check.Array) -> None:
        self["weight"][...] = value

    @property
    def bias(self) -> check.Array | None:
        """A writable view, shape (out_features,), or None."""
        return self.array("bias")

    @bias.setter
    def bias(self, value: check.Array) -> None:
        self["bias"][...] = value

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.linear(self, label)

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
