"""Gates as layers: they make one feature of several. The functions of `functional` have formulas and special values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class _Gate(Module):
    """Base of the gates: a kernel on rows that makes one feature of `share`."""

    kernel: ClassVar[str]
    fixed = ("kernel",)

    @property
    def _share(self) -> int:
        return 2

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.gate(self, label, self.kernel, ())

    def out_features_for(self, in_features: int) -> int:
        if in_features % self._share:
            raise ValueError(
                f"{type(self).__name__}: x has {in_features} features, this layer takes a multiple of {self._share}"
            )
        return in_features // self._share


class GLU(_Gate):
    """a * sigmoid(b), where a and b are the halves of the features: 2 n become n (Dauphin et al. 2017)"""

    kernel = "glu"


class SwiGLU(_Gate):
    """silu(a) * b, where a and b are the halves of the features: 2 n become n (Shazeer 2020)

    Behind `nn.Linear(in_features, 2 * hidden)` it makes the gated layer of that paper.
    """

    kernel = "swiglu"


class Maxout(_Gate):
    """The largest of each pool of consecutive features: n * pool_size become n (Goodfellow et al. 2013)

    Parameters
    ----------
    pool_size : int of at least 1, default 2
    """

    kernel = "maxout"
    planned = ("pool_size",)

    def __init__(self, pool_size: int = 2) -> None:
        super().__init__()
        self.pool_size = check.check_integer("pool_size", pool_size, at_least=1, at_most=check.MAX_ROWS)

    @property
    def _share(self) -> int:
        return check.check_integer("pool_size", self.pool_size, at_least=1)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.gate(self, label, self.kernel, (float(self._share),))

    def extra_repr(self) -> str:
        return f"pool_size={self.pool_size}"
