"""The product of two halves of the features, which graphs of other libraries have and no layer of `nn` computes."""

from __future__ import annotations

import numpy as np

from ..nn.module import Module
from ..nn.saving import register_layer


class Product(Module):
    """The product of the two halves of the features.

    y = a * b, where x = [a, b]

    x has shape (..., 2 * features), y (..., features), of one dtype, float32 or float64. `fastnn.onnx.load` takes it
    for products of two values that are neither an activation nor a gate. It runs in Python, between compiled layers.

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

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x.copy()
        half = x.shape[1] // 2
        return x[:, :half] * x[:, half:]

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        half = self._x.shape[1] // 2
        return np.hstack((grad_output * self._x[:, half:], grad_output * self._x[:, :half]))

    def out_features_for(self, in_features: int) -> int:
        if in_features % 2:
            raise ValueError(f"Product: x has {in_features} features, this layer takes a multiple of 2")
        return in_features // 2


register_layer(Product)
