"""Activations with a trainable parameter, as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class PReLU(Module):
    """Rectified linear unit with a trainable slope (He et al. 2015).

    y = x where x > 0, else weight * x

    Input and output have shape (..., features) and the dtype of the layer. `functional.prelu` has the details.

    Parameters
    ----------
    num_parameters : int, at least 1, default 1
        1 for one slope, or the number of features for one each. The parameter is called "weight", shape
        (num_parameters,).
    init : float, default 0.25
        The initial value of all slopes.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype or number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.PReLU()
    >>> layer(np.array([[-4.0, 2.0]], "float32"))
    array([[-1.,  2.]], dtype=float32)
    >>> layer["weight"]
    array([0.25], dtype=float32)
    """

    fixed = ("num_parameters",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: str = "float32") -> None:
        super().__init__()
        self.num_parameters = check.check_integer("num_parameters", num_parameters, at_least=1)
        self.init = check.check_number("init", init)
        self.dtype = check.check_dtype(dtype)
        self.add_parameter("weight", (self.num_parameters,), self.init)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.parameter(self, label, "prelu", shared=self.num_parameters == 1)

    def in_features_hint(self) -> int | None:
        return self.num_parameters if self.num_parameters > 1 else None

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Temperature(Module):
    """Division by a trainable number, which calibrates logits (Guo et al. 2017).

    y = x / temperature

    Input and output have shape (..., features) and the dtype of the layer. `functional.temperature_scale` has the
    details.

    Parameters
    ----------
    init : float above 0, default 1.0
        The initial value. The parameter is called "temperature", shape (1,).
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype.

    Notes
    -----
    To calibrate a trained network, append this layer, keep the other parameters fixed and train by cross-entropy on
    validation data. Probabilities then match the frequencies of the classes; predicted classes stay the same.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Temperature(2.0)(np.array([[1.0, 3.0]], "float32"))
    array([[0.5, 1.5]], dtype=float32)
    """

    def __init__(self, init: float = 1.0, *, dtype: str = "float32") -> None:
        super().__init__()
        self.init = check.check_number("init", init, above=0.0)
        self.dtype = check.check_dtype(dtype)
        self.add_parameter("temperature", (1,), self.init)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.parameter(self, label, "temperature_scale", "temperature")

    def extra_repr(self) -> str:
        return f"init={self.init:g}"
