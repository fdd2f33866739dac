"""Formulas that graphs of other libraries have and no layer of `nn` computes, as modules whose forward is traced."""

from __future__ import annotations

from typing import Any

from .. import _validation as check
from .. import functional as F
from ..nn.gates import Shared
from ..nn.module import Module
from ..nn.saving import register_layer

FUNCTIONS = ("exp", "log", "reciprocal")


def _halves(x: Any) -> tuple[Any, Any]:
    """The first and the second half of the features."""
    half = x.shape[1] // 2
    return x[:, :half], x[:, half:]


@register_layer
class Product(Shared):
    """The product of the two halves of the features.

    y = a * b, where x = [a, b]

    x has shape (..., 2 * features), y (..., features), of one dtype, float32 or float64. `fastnn.onnx.load` takes it
    for products of two values that are neither an activation nor a gate.

    Raises
    ------
    ValueError
        When called, or in a network when it is made, if the number of features is odd.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.onnx import Product
    >>> Product()(np.array([[1.0, 2.0, 3.0, 4.0]]))
    array([[3., 8.]])
    """

    def forward(self, x: Any) -> Any:
        a, b = _halves(x)
        return a * b


@register_layer
class Quotient(Shared):
    """The quotient of the two halves of the features.

    y = a / b, where x = [a, b]

    x has shape (..., 2 * features), y (..., features), of one dtype, float32 or float64. Division by 0 follows IEEE
    754.

    Raises
    ------
    ValueError
        When called, or in a network when it is made, if the number of features is odd.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.onnx import Quotient
    >>> Quotient()(np.array([[1.0, 3.0, 2.0, 4.0]]))
    array([[0.5 , 0.75]])
    """

    def forward(self, x: Any) -> Any:
        a, b = _halves(x)
        return a / b


@register_layer
class SumFeatures(Module):
    """The sum over the features.

    y = x_0 + x_1 + ...

    x has shape (..., features), y (..., 1), of one dtype, float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.onnx import SumFeatures
    >>> SumFeatures()(np.array([[1.0, 2.0, 3.0]]))
    array([[6.]])
    """

    def forward(self, x: Any) -> Any:
        return x.sum(-1, keepdim=True)


@register_layer
class Elementwise(Module):
    """A function of `fastnn.functional`, elementwise.

    Input and output have shape (..., features) and one dtype, float32 or float64.

    Parameters
    ----------
    function : {"exp", "log", "reciprocal"}

    Raises
    ------
    ValueError
        If it is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.onnx import Elementwise
    >>> Elementwise("reciprocal")(np.array([2.0, 4.0]))
    array([0.5 , 0.25])
    """

    def __init__(self, function: str) -> None:
        super().__init__()
        check.check_choice("function", function, FUNCTIONS)
        self.function = function

    def forward(self, x: Any) -> Any:
        return getattr(F, self.function)(x)

    def extra_repr(self) -> str:
        return repr(self.function)
