"""The derivative of an activation by its name, for teaching and plots."""

import inspect
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import SHORT_ERRORS
from . import activations, elementary, parametric, rrelu
from ._elementwise import Array
from .linear import ACTIVATIONS

__all__ = ["derivative"]

NAMES = sorted((*ACTIVATIONS, "prelu", "rrelu"))
FROM_OUTPUT = ("sigmoid", "tanh", "exp")  # functions whose gradient takes the output
RANDOM = ("training", "seed", "stream", "start")  # arguments that a derivative does not take


def derivative(name: str, x: Any, **params: Any) -> Array:
    """Derivative of an activation, element by element.

    y = f'(x)

    Parameters
    ----------
    name : str
        Name of an elementwise function of this module that has a gradient: "tanh", "gelu", "softplus", "log", ...
    x : ndarray of float32 or float64, any shape
        Always the input, also of functions whose gradient takes the output.
    **params
        The function's keyword parameters, as `alpha` of "elu". `weight` of "prelu" may be a number, default 0.25;
        "rrelu" has the slope that it has in evaluation.

    Returns
    -------
    y : ndarray, shape and dtype of x

    Raises
    ------
    TypeError
        If x is not float32 or float64, name is not a str, or the function takes no such parameter.
    ValueError
        If there is no such function, or a parameter is out of its range.

    Notes
    -----
    It is the gradient of the function for a grad_output of 1, at kinks and NaN too: the derivative of "relu" at 0 is
    0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.derivative("tanh", np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.42, 1.  , 0.42])
    >>> F.derivative("leaky_relu", np.array([-1.0, 2.0]), negative_slope=0.25)
    array([0.25, 1.  ])
    """
    with SHORT_ERRORS:
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, such as 'tanh', got {type(name).__name__}")
        if name not in NAMES:
            hint = check.did_you_mean(name, NAMES) or f": there are {', '.join(NAMES)}"
            raise ValueError(f"there is no activation {name!r}{hint}")
        function, gradient = _functions(name)
        _refuse_unknown(name, function, params)
        x = check.as_array("x", x)
        ones = np.ones_like(x)
        if name == "prelu":
            weight = np.atleast_1d(np.asarray(params.get("weight", 0.25), x.dtype))
            return parametric.prelu_backward(ones, x, weight)[0]
        result: Array = gradient(ones, function(x, **params) if name in FROM_OUTPUT else x, **params)
        return result


def _functions(name: str) -> tuple[Any, Any]:
    """The function of this name, and its gradient."""
    module = next(m for m in (activations, elementary, parametric, rrelu) if name in m.__all__)
    return getattr(module, name), getattr(module, f"{name}_backward")


def _refuse_unknown(name: str, function: Any, params: dict[str, Any]) -> None:
    """Raise TypeError for keywords that the function does not take."""
    known = [p for p in inspect.signature(function).parameters if p not in ("x", "out", *RANDOM)]
    for unknown in params.keys() - set(known):
        hint = check.did_you_mean(unknown, known) or (f": it takes {', '.join(known)}" if known else "")
        raise TypeError(f"{name} takes no argument {unknown!r}{hint}")
