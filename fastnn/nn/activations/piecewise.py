"""Piecewise linear activations, and hardswish, which is piecewise quadratic."""

from __future__ import annotations

from .activation import Activation


class ReLU(Activation):
    """Rectified linear unit, elementwise.

    y = max(0, x)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.relu` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    kernel = "relu"


class ReLU6(Activation):
    """Rectified linear unit capped at 6, elementwise.

    y = min(max(0, x), 6)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.relu6` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.ReLU6()(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """

    kernel = "relu6"


class LeakyReLU(Activation):
    """Leaky rectified linear unit, elementwise.

    y = x where x > 0, else negative_slope * x

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.leaky_relu` has
    special values and errors.

    Parameters
    ----------
    negative_slope : float, default 0.01

    Raises
    ------
    TypeError, ValueError
        If negative_slope is not a number, or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.LeakyReLU(0.25)(np.array([-4.0, 2.0]))
    array([-1.,  2.])
    """

    kernel = "leaky_relu"
    planned = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__(negative_slope=negative_slope)


class Hardtanh(Activation):
    """Clamp to an interval, elementwise.

    y = min(max(x, min_val), max_val)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.hardtanh` has special
    values and errors.

    Parameters
    ----------
    min_val : float, default -1.0
    max_val : float, default 1.0
        Greater than min_val.

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

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__(min_val=min_val, max_val=max_val)
        if not min_val < max_val:
            raise ValueError(f"max_val must be greater than min_val, got {min_val} and {max_val}")


class Hardsigmoid(Activation):
    """Piecewise linear sigmoid, elementwise.

    y = min(max(x + 3, 0), 6) / 6

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.hardsigmoid` has
    special values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Hardsigmoid()(np.array([-3.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """

    kernel = "hardsigmoid"


class Hardswish(Activation):
    """Piecewise linear swish (Howard et al. 2019), elementwise.

    y = x * min(max(x + 3, 0), 6) / 6

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.hardswish` has
    special values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Hardswish()(np.array([-1.5, 0.0, 4.0]))
    array([-0.375,  0.   ,  4.   ])
    """

    kernel = "hardswish"
