"""The gains of nonlinearities, for `XavierUniform` and `KaimingUniform`."""

from __future__ import annotations

import math

from .... import _validation as check

GAINS = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "leaky_relu": math.nan,  # depends on its slope
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain of a nonlinearity: the factor of the weights before it that keeps the variance, as in PyTorch.

    Parameters
    ----------
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"}
        With gains 1, 1, 5/3, sqrt(2), sqrt(2 / (1 + param^2)) and 3/4.
    param : float, default 0.01
        The slope of "leaky_relu"; the others ignore it.

    Returns
    -------
    gain : float

    Raises
    ------
    TypeError, ValueError
        If nonlinearity is none of these, or param is not a number.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.init.calculate_gain("selu"), nn.init.calculate_gain("leaky_relu", 1.0)
    (0.75, 1.0)
    """
    check.check_choice("nonlinearity", nonlinearity, tuple(GAINS))
    if nonlinearity != "leaky_relu":
        return GAINS[nonlinearity]
    slope = 0.01 if param is None else check.check_number("param", param)
    return math.sqrt(2.0 / (1 + slope * slope))
