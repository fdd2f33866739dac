"""Gates as layers: they compute one feature from several. `functional` has functions of the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class Shared(Module):
    """Base of the layers that compute one feature from `_share` features."""

    @property
    def _share(self) -> int:
        return 2

    def out_features_for(self, in_features: int) -> int:
        if in_features % self._share:
            raise ValueError(
                f"{type(self).__name__}: x has {in_features} features, this layer takes a multiple of {self._share}"
            )
        return in_features // self._share


class _Gate(Shared):
    """Base of the gates, whose kernel works on rows."""

    kernel: ClassVar[str]
    fixed = ("kernel",)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.gate(self, label, self.kernel, ())


class GLU(_Gate):
    """Gated linear unit (Dauphin et al. 2017).

    y = a * sigmoid(b), where x = [a, b]

    x has shape (..., 2 * features), y (..., features), of one dtype, float32 or float64. `functional.glu` has the
    details.

    Raises
    ------
    ValueError
        When called, or in a network when it is made, if the number of features is odd.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.GLU()(np.array([[3.0, 4.0, 0.0, np.inf]]))
    array([[1.5, 4. ]])
    """

    kernel = "glu"


class SwiGLU(_Gate):
    """Gated SiLU (Shazeer 2020).

    y = silu(a) * b, where x = [a, b]

    x has shape (..., 2 * features), y (..., features), of one dtype, float32 or float64. `functional.swiglu` has the
    details. After `nn.Linear(in_features, 2 * hidden)` it is the gated layer of that paper.

    Raises
    ------
    ValueError
        When called, or in a network when it is made, if the number of features is odd.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.SwiGLU()(np.array([[0.0, 1.0, 3.0, 2.0]])).round(4)
    array([[0.    , 1.4621]])
    """

    kernel = "swiglu"


class Maxout(_Gate):
    """Largest of each pool of consecutive features (Goodfellow et al. 2013).

    y_i = max(x_(i k), ..., x_(i k + k - 1)),   k = pool_size

    x has shape (..., features * pool_size), y (..., features), of one dtype, float32 or float64. `functional.maxout`
    has the details.

    Parameters
    ----------
    pool_size : int, at least 1, default 2
        It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If pool_size is out of its range. When called, or in a network when it is made, if the number of features is not
        a multiple of it.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Maxout()(np.array([[1.0, 2.0, 4.0, 3.0]]))
    array([[2., 4.]])
    """

    kernel = "maxout"
    planned = ("pool_size",)

    def __init__(self, pool_size: int = 2) -> None:
        super().__init__()
        self.pool_size = check.check_integer("pool_size", pool_size, at_least=1, at_most=check.MAX_ROWS)

    @property
    def _share(self) -> int:
        return check.check_integer("pool_size", self.pool_size, at_least=1)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.gate(self, label, self.kernel, (float(self._share),))

    def extra_repr(self) -> str:
        return f"pool_size={self.pool_size}"
