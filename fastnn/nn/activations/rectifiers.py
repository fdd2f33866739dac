"""Activations that pass positive numbers and flatten negative ones."""

from __future__ import annotations

from .activation import Activation, InplaceActivation


class ReLU(InplaceActivation):
    """Rectified linear unit, elementwise.

    y = max(0, x)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.relu` has special
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
    >>> nn.ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    kernel = "relu"


class ReLU6(InplaceActivation):
    """Rectified linear unit capped at 6, elementwise.

    y = min(max(0, x), 6)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.relu6` has special
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
    >>> nn.ReLU6()(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """

    kernel = "relu6"


class LeakyReLU(InplaceActivation):
    """Leaky rectified linear unit, elementwise.

    y = x where x > 0, else negative_slope * x

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.leaky_relu` has
    special values and errors.

    Parameters
    ----------
    negative_slope : float, default 0.01
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

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

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace, negative_slope=negative_slope)


class ELU(InplaceActivation):
    """Exponential linear unit (Clevert, Unterthiner and Hochreiter 2015), elementwise.

    y = x where x > 0, else alpha * (exp(x) - 1)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.elu` has special
    values and errors.

    Parameters
    ----------
    alpha : float, default 1.0
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError, ValueError
        If alpha is not a number, or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.ELU()(np.array([-np.inf, 2.0]))
    array([-1.,  2.])
    """

    kernel = "elu"
    planned = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace, alpha=alpha)


class SELU(InplaceActivation):
    """Scaled exponential linear unit (Klambauer et al. 2017), elementwise.

    y = 1.0507 * (x where x > 0, else 1.6733 * (exp(x) - 1))

    It keeps mean 0 and variance 1 through layers that start from `nn.init.LecunNormal`, with `AlphaDropout` for
    dropout. Input and output have shape (..., features) and one dtype, float32 or float64; `functional.selu` has
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
    >>> nn.SELU()(np.array([-np.inf, 0.0, 1.0])).round(4)
    array([-1.7581,  0.    ,  1.0507])
    """

    kernel = "selu"


class CELU(InplaceActivation):
    """Continuously differentiable exponential linear unit (Barron 2017), elementwise.

    y = x where x > 0, else alpha * (exp(x / alpha) - 1)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.celu` has special
    values and errors.

    Parameters
    ----------
    alpha : float, default 1.0
        Any number but 0.
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError, ValueError
        If alpha is not a number, NaN or 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.CELU(0.5)(np.array([-np.inf, 2.0]))
    array([-0.5,  2. ])
    """

    kernel = "celu"
    planned = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        if alpha == 0:
            raise ValueError("alpha must not be 0")
        super().__init__(inplace, alpha=alpha)


class Softplus(Activation):
    """Smooth rectifier, elementwise.

    y = log(1 + exp(beta * x)) / beta, or x where beta * x > threshold

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.softplus` has special
    values and errors.

    Parameters
    ----------
    beta : float, default 1.0
        Any number but 0.
    threshold : float, default 20.0

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or is NaN, or beta is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Softplus()(np.array([0.0, 30.0])).round(4)
    array([ 0.6931, 30.    ])
    """

    kernel = "softplus"
    planned = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        if beta == 0:
            raise ValueError("beta must not be 0")
        super().__init__(beta=beta, threshold=threshold)


class Threshold(InplaceActivation):
    """Replacement of what is not above a threshold, elementwise.

    y = x where x > threshold, else value

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.threshold` has special
    values and errors.

    Parameters
    ----------
    threshold : float
    value : float
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError, ValueError
        If threshold or value is not a number, or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Threshold(0.5, 0.25)(np.array([-1.0, 0.5, 2.0]))
    array([0.25, 0.25, 2.  ])
    """

    kernel = "threshold"
    planned = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace, threshold=threshold, value=value)
