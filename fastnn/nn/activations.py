"""Activations as layers. They have no trainable parameters; `functional` has functions of the same names."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class Activation(Module):
    """Base of the elementwise activations: a kernel and its parameters.

    Subclasses name the kernel in `kernel` and its parameters, which can be set at any time, in `planned`.
    """

    kernel: ClassVar[str]
    fixed = ("kernel",)

    def __init__(self, **params: float) -> None:
        super().__init__()
        for name, value in params.items():
            if name not in self.planned:
                raise TypeError(f"{type(self).__name__} takes no argument {name!r}")
            setattr(self, name, check.check_number(name, value))

    @property
    def params(self) -> dict[str, float]:
        """The parameters of the kernel by name, in the order in which the kernel takes them."""
        return {name: check.check_number(name, getattr(self, name)) for name in self.planned}

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.activation(self, label, self.kernel, tuple(self.params.values()))

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.params.items())


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


class Softmax(Module):
    """Softmax over the features of each row, at a temperature.

    y_i = exp(x_i / T) / sum_j exp(x_j / T)

    Input and output have shape (..., features) and one dtype, float32 or float64; `functional.softmax` has special
    values. To train by cross-entropy, leave it out: `CrossEntropyLoss` takes logits.

    Parameters
    ----------
    dim : {-1, 1}, default -1
        The axis of the features: -1 is the last; 1 is the same for x of shape (rows, features). Called alone, a layer
        with dim=1 takes x of more dimensions and works along axis 1, as PyTorch's; in a network such an x is an error.
    temperature : float above 0, default 1.0
        T, at least 1.2e-38, the smallest normal float32. It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If dim is neither -1 nor 1, or temperature is not a number in that range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Softmax()(np.array([[3.0, 3.0], [np.inf, 0.0], [0.0, -np.inf]]))
    array([[0.5, 0.5],
           [nan, nan],
           [1. , 0. ]])
    """

    kernel = "softmax"
    planned = ("temperature",)
    fixed = ("kernel",)

    def __init__(self, dim: int = -1, temperature: float = 1.0) -> None:
        super().__init__()
        if dim not in (-1, 1):
            raise ValueError(f"dim must be -1 or 1 in a network, got {dim}: functional.{self.kernel} takes any axis")
        self.dim = dim
        self.temperature = check.check_temperature(temperature, "float32")

    def __call__(self, x: Any) -> check.Array:
        """Apply the layer to x.

        Parameters
        ----------
        x : ndarray of float32 or float64, shape (..., features), or with dim=1 (rows, features, ...)

        Returns
        -------
        y : ndarray, shape and dtype of x

        Raises
        ------
        TypeError
            If x is not float32 or float64.
        ValueError
            If x is a scalar, or dim=1 and x has one dimension.
        """
        return self._along_dim(super().__call__, check.as_array("x", x))

    def backward(self, grad_output: Any) -> check.Array:
        """Return the gradient of the input of the last call in training mode.

        Parameters
        ----------
        grad_output : ndarray, shape and dtype of that call's output

        Returns
        -------
        grad_x : ndarray, shape and dtype of that call's input

        Raises
        ------
        RuntimeError
            If there was no call in training mode before, or backward was called for it already.
        TypeError, ValueError
            If grad_output has another dtype or shape.
        """
        return self._along_dim(super().backward, check.as_array("grad_output", grad_output))

    def _along_dim(self, function: Callable[[check.Array], check.Array], x: check.Array) -> check.Array:
        """Apply a function of rows to the rows of x along `dim`."""
        if self.dim == -1 or x.ndim == 2:
            return function(x)
        if x.ndim < 2:
            raise ValueError(f"{type(self).__name__}: dim=1 is out of range for x of shape {x.shape}: take dim=-1")
        rows = np.moveaxis(x, 1, -1)
        y = function(np.ascontiguousarray(rows).reshape(math.prod(rows.shape[:-1]), rows.shape[-1]))
        return np.ascontiguousarray(np.moveaxis(y.reshape(rows.shape), -1, 1))

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.rows(self, label, self.kernel, (1.0 / check.check_temperature(self.temperature, "float32"),))

    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}"


class LogSoftmax(Softmax):
    """Logarithm of softmax over the features of each row, at a temperature; `NLLLoss` takes its output.

    y_i = x_i / T - log(sum_j exp(x_j / T))

    Shapes and dtypes are those of `Softmax`; `functional.log_softmax` has special values.

    Parameters
    ----------
    dim : {-1, 1}, default -1
        The axis of the features, as for `Softmax`.
    temperature : float above 0, default 1.0
        T, at least 1.2e-38, the smallest normal float32. It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If dim is neither -1 nor 1, or temperature is not a number in that range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.LogSoftmax()(np.array([[3.0, 3.0]])).round(4)
    array([[-0.6931, -0.6931]])
    """

    kernel = "log_softmax"
