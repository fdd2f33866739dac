"""Softmax, softmin and log-softmax as layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import _validation as check
from ...functional._symbolic import Symbolic
from ..module import Module

if TYPE_CHECKING:
    from ...compiler.builder import Builder


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
        if isinstance(x, Symbolic):  # in a forward that is traced
            return super().__call__(x)
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


class Softmin(Softmax):
    """Softmax of -x over the features of each row, at a temperature: the smallest has the largest share.

    y_i = exp(-x_i / T) / sum_j exp(-x_j / T)

    Shapes and dtypes are those of `Softmax`; `functional.softmin` has special values.

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
    >>> nn.Softmin()(np.log(np.array([[1.0, 3.0]]))).round(4)
    array([[0.75, 0.25]])
    """

    kernel = "softmin"
