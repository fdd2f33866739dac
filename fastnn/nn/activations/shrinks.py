"""Activations that move numbers towards 0, or make small ones 0."""

from __future__ import annotations

from ... import _validation as check
from .activation import Activation


class Tanhshrink(Activation):
    """Tanh shrink, elementwise.

    y = x - tanh(x)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.tanhshrink` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Tanhshrink()(np.array([-1.0, 2.0])).round(4)
    array([-0.2384,  1.036 ])
    """

    kernel = "tanhshrink"


class Softshrink(Activation):
    """Soft shrink, elementwise.

    y = x - lambd where x > lambd, x + lambd where x < -lambd, else 0

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.softshrink` has special
    values and errors.

    Parameters
    ----------
    lambd : float, at least 0, default 0.5

    Raises
    ------
    TypeError, ValueError
        If lambd is not a number, NaN or negative.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Softshrink()(np.array([-2.0, 0.25, 2.0]))
    array([-1.5,  0. ,  1.5])
    """

    kernel = "softshrink"
    planned = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)
        self.lambd = self.params["lambd"]

    @property
    def params(self) -> dict[str, float]:
        """The parameter of the kernel by name."""
        return {"lambd": check.check_number("lambd", self.lambd, at_least=0.0)}


class Hardshrink(Softshrink):
    """Hard shrink, elementwise.

    y = x where |x| > lambd, else 0

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.hardshrink` has special
    values and errors.

    Parameters
    ----------
    lambd : float, at least 0, default 0.5

    Raises
    ------
    TypeError, ValueError
        If lambd is not a number, NaN or negative.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Hardshrink()(np.array([-2.0, 0.25, 2.0]))
    array([-2.,  0.,  2.])
    """

    kernel = "hardshrink"
