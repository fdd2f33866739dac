"""The rectifier with random slopes, as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import _validation as check
from ...functional.rrelu import check_interval
from ..module import Module

if TYPE_CHECKING:
    from ...compiler.builder import Builder


class RReLU(Module):
    """Randomized leaky rectified linear unit (Xu, Wang, Chen and Li 2015), elementwise.

    y = x where x > 0, else slope * x;   while training the slope of each element is uniform on [lower, upper), in
    inference it is (lower + upper) / 2

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.rrelu` has special
    values.

    Parameters
    ----------
    lower, upper : float, finite, default 1/8 and 1/3
        The interval of the slopes; lower is at most upper. They can be set at any time.
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError, ValueError
        If lower or upper is not a finite number, or lower is above upper.

    Notes
    -----
    The slopes of the n-th training pass depend only on the network's seed, the position of the layer and n.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.RReLU(0.25, 0.75)
    >>> y = layer(-np.ones((100, 10)))
    >>> bool(-0.75 <= y.min() < y.max() <= -0.25)
    True
    >>> layer.eval()(np.array([-4.0, 2.0]))
    array([-2.,  2.])
    """

    planned = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper = check_interval(lower, upper)
        check.check_flag("inplace", inplace)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        lower, upper = check_interval(self.lower, self.upper)
        if builder.train:
            builder.noise(self, label, "rrelu", (lower, upper), position)
        else:
            builder.activation(self, label, "leaky_relu", ((lower + upper) / 2,))

    def extra_repr(self) -> str:
        return f"lower={self.lower:g}, upper={self.upper:g}"
