"""Smooth activations: sigmoid, tanh, and what is made of exponentials and logarithms."""

from __future__ import annotations

from ... import _validation as check
from .activation import Activation


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


class ELU(Activation):
    """Exponential linear unit (Clevert, Unterthiner and Hochreiter 2015), elementwise.

    y = x where x > 0, else alpha * (exp(x) - 1)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.elu` has special
    values and errors.

    Parameters
    ----------
    alpha : float, default 1.0

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

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(alpha=alpha)


class SELU(Activation):
    """Scaled exponential linear unit (Klambauer et al. 2017), elementwise.

    y = 1.0507 * (x where x > 0, else 1.6733 * (exp(x) - 1))

    It keeps mean 0 and variance 1 through layers that start from `nn.init.LecunNormal`, with `AlphaDropout` for
    dropout. Input and output have shape (..., features) and one dtype, float32 or float64; `functional.selu` has
    special values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.SELU()(np.array([-np.inf, 0.0, 1.0])).round(4)
    array([-1.7581,  0.    ,  1.0507])
    """

    kernel = "selu"


class CELU(Activation):
    """Continuously differentiable exponential linear unit (Barron 2017), elementwise.

    y = x where x > 0, else alpha * (exp(x / alpha) - 1)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.celu` has special
    values and errors.

    Parameters
    ----------
    alpha : float, default 1.0
        Any number but 0.

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

    def __init__(self, alpha: float = 1.0) -> None:
        if alpha == 0:
            raise ValueError("alpha must not be 0")
        super().__init__(alpha=alpha)


class SiLU(Activation):
    """Sigmoid linear unit, also called swish, elementwise.

    y = x * sigmoid(x)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.silu` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.SiLU()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.7311])
    """

    kernel = "silu"


class Mish(Activation):
    """Mish (Misra 2019), elementwise.

    y = x * tanh(log(1 + exp(x)))

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.mish` has special
    values and errors.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Mish()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8651])
    """

    kernel = "mish"


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
