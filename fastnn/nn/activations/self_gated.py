"""Activations that multiply their input by a gate computed from it."""

from __future__ import annotations

from ... import _validation as check
from .activation import Activation, InplaceActivation


class GELU(Activation):
    """Gaussian error linear unit (Hendrycks and Gimpel 2016), elementwise.

    y = x * Phi(x), where Phi is the normal distribution function, or its approximation by tanh

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.gelu` has special
    values and errors.

    Parameters
    ----------
    approximate : {"none", "tanh"}, default "none"
        "tanh": y = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2

    Raises
    ------
    ValueError
        If approximate is neither.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.GELU()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8413])
    """

    planned = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        check.check_choice("approximate", approximate, ("none", "tanh"))
        super().__init__()
        self.approximate = approximate

    @property
    def params(self) -> dict[str, float]:
        """Empty: the approximation is a kernel of its own."""
        return {}

    @property
    def kernel(self) -> str:  # type: ignore[override]
        """The name of the kernel: "gelu" or "gelu_tanh"."""
        return "gelu" if self.approximate == "none" else "gelu_tanh"

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(InplaceActivation):
    """Sigmoid linear unit, also called swish, elementwise.

    y = x * sigmoid(x)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.silu` has special
    values and errors.

    Parameters
    ----------
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError
        If inplace is not True or False.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.SiLU()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.7311])
    """

    kernel = "silu"


class Mish(InplaceActivation):
    """Mish (Misra 2019), elementwise.

    y = x * tanh(log(1 + exp(x)))

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.mish` has special
    values and errors.

    Parameters
    ----------
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError
        If inplace is not True or False.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Mish()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8651])
    """

    kernel = "mish"


class Hardswish(InplaceActivation):
    """Piecewise linear swish (Howard et al. 2019), elementwise.

    y = x * min(max(x + 3, 0), 6) / 6

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.hardswish` has
    special values and errors.

    Parameters
    ----------
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError
        If inplace is not True or False.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Hardswish()(np.array([-1.5, 0.0, 4.0]))
    array([-0.375,  0.   ,  4.   ])
    """

    kernel = "hardswish"
