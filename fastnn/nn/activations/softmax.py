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
    dim : int, default -1
        The axis to work along, as in PyTorch. In a network it must be that of the features: -1, the last, or 1 for x of
        shape (rows, features); x of more dimensions is an error there with dim=1.
    temperature : float above 0, default 1.0
        T, at least 1.2e-38, the smallest normal float32. It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If dim is not an integer, or temperature is not a number in that range; in a network if dim is neither -1 nor 1.

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
        self.dim = check.check_integer("dim", dim)
        self.temperature = check.check_temperature(temperature, "float32")

    def __call__(self, x: Any) -> check.Array:
        """Apply the layer to x.

        Parameters
        ----------
        x : array of real numbers, of any shape with an axis `dim`
            float32 stays, float16 becomes float32, everything else float64.

        Returns
        -------
        y : ndarray, shape of x

        Raises
        ------
        TypeError
            If x does not consist of real numbers.
        ValueError
            If x is a scalar, or has no axis `dim`.
        """
        if isinstance(x, Symbolic):  # in a forward that is traced
            return super().__call__(x)
        return self._along_dim(super().__call__, check.as_source("x", x))

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
        return self._along_dim(super().backward, check.as_strict("grad_output", grad_output))

    def _along_dim(self, function: Callable[[check.Array], check.Array], x: check.Array) -> check.Array:
        """Apply a function of rows to the rows of x along `dim`."""
        dim = self.dim
        if x.ndim == 0 or dim in (-1, x.ndim - 1):
            return function(x)
        if not -x.ndim <= dim < x.ndim:
            raise ValueError(f"{type(self).__name__}: dim={dim} is out of range for x of shape {x.shape}: take dim=-1")
        rows = np.moveaxis(x, dim, -1)
        y = function(np.ascontiguousarray(rows).reshape(math.prod(rows.shape[:-1]), rows.shape[-1]))
        return np.ascontiguousarray(np.moveaxis(y.reshape(rows.shape), -1, dim))

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
    dim : int, default -1
        The axis to work along, as for `Softmax`.
    temperature : float above 0, default 1.0
        T, at least 1.2e-38, the smallest normal float32. It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If dim is not an integer, or temperature is not a number in that range; in a network if dim is neither -1 nor 1.

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
