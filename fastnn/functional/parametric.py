"""Activations with learned parameters, and their gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import parametric as core
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function

__all__ = ["prelu", "prelu_backward", "temperature_scale", "temperature_scale_backward"]


def prelu(x: Any, weight: Any, *, out: Array | None = None) -> Array:
    """Rectified linear unit with a slope that is learned (He et al. 2015).

    y = x where x > 0, else weight * x

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (..., features)
    weight : ndarray of the same dtype, shape (1,) or (features,)
        One slope for all elements (x may then have any shape), or one for each feature.
    out : ndarray like x, optional
        Written and returned; may be x itself.

    Returns
    -------
    y : ndarray, shape and dtype of x

    Raises
    ------
    TypeError
        If the arrays differ in dtype, or are not float32 or float64.
    ValueError
        If the shape of weight or out does not match, or out is not C-contiguous, aligned and writable.

    Notes
    -----
    NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.prelu(np.array([-2.0, 0.0, 2.0]), np.array([0.25]))
    array([-0.5,  0. ,  2. ])
    """
    return _forward("prelu", x, "weight", weight, _check_weight, out)


def prelu_backward(grad_output: Any, x: Any, weight: Any) -> tuple[Array, Array]:
    """Gradients of `prelu`.

    grad_x = grad_output where x > 0, else weight * grad_output,   grad_weight = sum of grad_output * x where x <= 0

    Parameters
    ----------
    grad_output : ndarray, shape and dtype of x
        Gradient of the loss with respect to the output.
    x, weight
        As given to `prelu`.

    Returns
    -------
    grad_x, grad_weight : ndarrays, shapes of x and weight
        The sum of grad_weight is over all elements, or for a weight of shape (features,) over those of a feature.

    Raises
    ------
    TypeError, ValueError
        As `prelu`; also if grad_output differs from x in dtype or shape.

    Notes
    -----
    NaN in x counts as x <= 0: grad_x is weight * grad_output there, and grad_weight NaN.

    The sum for a feature's slope is one chain over the rows, in ascending order; that for one slope for all is made of
    fixed chunks.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.prelu_backward(np.ones(3), np.array([-2.0, 0.0, 2.0]), np.array([0.25]))
    (array([0.25, 0.25, 1.  ]), array([-2.]))
    """
    return _backward("prelu", grad_output, x, "weight", weight, _check_weight)


def temperature_scale(x: Any, temperature: Any, *, out: Array | None = None) -> Array:
    """Logits divided by a temperature that is learned (Guo et al. 2017), as in `softmax` with a temperature.

    y = x / temperature

    Parameters
    ----------
    x : ndarray of float32 or float64, any shape
    temperature : ndarray of the same dtype, shape (1,)
        Its value is not checked.
    out : ndarray like x, optional
        Written and returned; may be x itself.

    Returns
    -------
    y : ndarray, shape and dtype of x

    Raises
    ------
    TypeError
        If the arrays differ in dtype, or are not float32 or float64.
    ValueError
        If the shape of temperature is not (1,), or out has another shape or is not C-contiguous, aligned and writable.

    Notes
    -----
    NaN gives NaN. A temperature of 0 gives infinities, and NaN where x is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.temperature_scale(np.array([1.0, 3.0]), np.array([2.0]))
    array([0.5, 1.5])
    """
    return _forward("temperature_scale", x, "temperature", temperature, _check_temperature, out)


def temperature_scale_backward(grad_output: Any, x: Any, temperature: Any) -> tuple[Array, Array]:
    """Gradients of `temperature_scale`.

    grad_x = grad_output / temperature,   grad_temperature = -sum of grad_output * x / temperature^2

    Parameters
    ----------
    grad_output : ndarray, shape and dtype of x
        Gradient of the loss with respect to the output.
    x, temperature
        As given to `temperature_scale`.

    Returns
    -------
    grad_x, grad_temperature : ndarrays, shapes of x and temperature

    Raises
    ------
    TypeError, ValueError
        As `temperature_scale`; also if grad_output differs from x in dtype or shape.

    Notes
    -----
    Where grad_output is 0, x adds nothing to grad_temperature, even if it is infinite or NaN: a logit of -inf, for
    example, whose probability is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.temperature_scale_backward(np.array([1.0, 1.0]), np.array([1.0, 3.0]), np.array([2.0]))
    (array([0.5, 0.5]), array([-1.]))
    """
    return _backward("temperature_scale", grad_output, x, "temperature", temperature, _check_temperature)


def _check_weight(x: Array, weight: Array) -> None:
    check.check_same_dtype(x=x, weight=weight)
    if weight.shape != (1,) and (x.ndim == 0 or weight.shape != x.shape[-1:]):
        features = f" or {x.shape[-1:]}" if x.ndim else ""
        raise ValueError(f"weight must have shape (1,){features} for x of shape {x.shape}, got {weight.shape}")


def _check_temperature(x: Array, temperature: Array) -> None:
    check.check_same_dtype(x=x, temperature=temperature)
    check.check_shape("temperature", temperature, (1,), "as it is one for all")


Check = Callable[[Array, Array], None]


def _forward(name: str, x: Any, argument: str, parameter: Any, fits: Check, out: Array | None) -> Array:
    """Run the operation `name` on x and its parameter, called `argument` in messages; `fits` checks their shapes."""
    quick = core.quick(name, x, parameter, out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, parameter = check.as_array("x", x), check.as_array(argument, parameter)
        fits(x, parameter)
        return _fill(name, x, parameter, out)


def _backward(name: str, grad_output: Any, x: Any, argument: str, parameter: Any, fits: Check) -> tuple[Array, Array]:
    """Its gradients with respect to x and to the parameter; see `_forward`."""
    quick = core.quick_backward(name, grad_output, x, parameter)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, parameter = check.as_array("x", x), check.as_array(argument, parameter)
        fits(x, parameter)
        return _gradients(f"{name}_backward", grad_output, x, parameter)


def _fill(name: str, x: Array, parameter: Array, out: Array | None) -> Array:
    y = check.check_output(out, x.shape, x.dtype)
    if dispatch.get_reference():
        y[...] = reference_function(name)(x, parameter)
    else:
        x, parameter = check.without_overlap(x, y, in_place=True), check.without_overlap(parameter, y)
        getattr(core, name)(x, parameter, y)
    return check.scalar_or(y, out)


def _gradients(name: str, grad_output: Any, x: Array, parameter: Array) -> tuple[Array, Array]:
    g = check.as_array("grad_output", grad_output)
    check.check_same_dtype(grad_output=g, x=x)
    check.check_same_shape(x=x, grad_output=g)
    if dispatch.get_reference():
        grad_x, grad_parameter = map(np.asarray, reference_function(name)(g, x, parameter))
    else:
        grad_x, grad_parameter = np.empty_like(x), np.empty_like(parameter)
        getattr(core, name)(g, x, parameter, grad_x, grad_parameter)
    return check.scalar_or(grad_x), grad_parameter
