"""Activations that saturate on both sides, and the logarithm of the logistic function."""

from __future__ import annotations

from .activation import Activation, InplaceActivation


class Sigmoid(Activation):
    """Logistic function, elementwise.

    y = 1 / (1 + exp(-x))

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.sigmoid` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Sigmoid()(np.array([0.0]))
    array([0.5])
    """

    kernel = "sigmoid"


class Tanh(Activation):
    """Hyperbolic tangent, elementwise.

    y = tanh(x)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.tanh` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Tanh()(np.array([0.0]))
    array([0.])
    """

    kernel = "tanh"


class Softsign(Activation):
    """Softsign, elementwise.

    y = x / (1 + |x|)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.softsign` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Softsign()(np.array([-1.0, 3.0]))
    array([-0.5 ,  0.75])
    """

    kernel = "softsign"


class Hardsigmoid(InplaceActivation):
    """Piecewise linear sigmoid, elementwise.

    y = min(max(x + 3, 0), 6) / 6

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.hardsigmoid` has
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
    >>> nn.Hardsigmoid()(np.array([-3.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """

    kernel = "hardsigmoid"


class Hardtanh(InplaceActivation):
    """Clamp to an interval, elementwise.

    y = min(max(x, min_val), max_val)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.hardtanh` has special
    values and errors.

    Parameters
    ----------
    min_val : float, default -1.0
    max_val : float, default 1.0
        Greater than min_val.
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or is NaN, or max_val is not greater than min_val.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Hardtanh()(np.array([-2.0, 0.5]))
    array([-1. ,  0.5])
    """

    kernel = "hardtanh"
    planned = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace, min_val=min_val, max_val=max_val)
        if not min_val < max_val:
            raise ValueError(f"max_val must be greater than min_val, got {min_val} and {max_val}")


class LogSigmoid(Activation):
    """Logarithm of the logistic function, elementwise.

    y = log(1 / (1 + exp(-x)))

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.logsigmoid` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.LogSigmoid()(np.array([-100.0, 0.0])).round(4)
    array([-100.    ,   -0.6931])
    """

    kernel = "logsigmoid"
