"""What elementwise operations share: the path for arrays that the fast path does not take, and their documentation."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from .. import _validation as check
from .._core import dispatch
from .._core.activations import Map1, Map2
from .accuracy import MAX_ULP

Array = check.Array
Function = TypeVar("Function", bound=Callable[..., Any])


def reference_function(name: str) -> Callable[..., Any]:
    """The NumPy reference of the operation `name` (imported only when it is needed)."""
    from .. import reference

    function: Callable[..., Any] = getattr(reference, name)
    return function


def _checked(names: tuple[str, ...], params: tuple[Any, ...]) -> tuple[float, float]:
    """The parameters of a kernel as floats; there is room for two."""
    numbers = [check.check_number(name, value) for name, value in zip(names, params, strict=False)]
    a, b = [*numbers, 0.0, 0.0][:2]
    return a, b


def unary(name: str, reference: str | None = None, names: tuple[str, ...] = (), **fixed: Any) -> Callable[..., Array]:
    """The kernel `name` as (x, out, *params) -> y, its parameters being called `names`.

    The reference backend calls the function `reference` with them and with the keywords `fixed`.
    """

    def slow(op: Map1, x: Any, out: Any, params: tuple[Any, ...]) -> Array:
        x = check.as_array("x", x)
        params = _checked(names, params)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function(reference or name)(x, *params[: len(names)], **fixed)
        else:
            op.run(check.without_overlap(x, y, in_place=True), y, *params)
        return y

    return Map1(name, slow)


def binary(
    name: str,
    reference: str | None = None,
    names: tuple[str, ...] = (),
    second: str = "x",
    first: str = "grad_output",
    **fixed: Any,
) -> Callable[..., Array]:
    """The kernel `name` of two arrays, a gradient, as (grad_output, x, out, *params) -> grad_x.

    `first` and `second` are what messages call the arrays.
    """

    def slow(op: Map2, g: Any, x: Any, out: Any, params: tuple[Any, ...]) -> Array:
        g, x = check.as_array(first, g), check.as_array(second, x)
        check.check_same_dtype(**{first: g, second: x})
        check.check_same_shape(**{second: x, first: g})
        params = _checked(names, params)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function(reference or name)(g, x, *params[: len(names)], **fixed)
        else:
            op.run(
                check.without_overlap(g, y, in_place=True),
                check.without_overlap(x, y, in_place=True),
                y,
                *params,
            )
        return y

    return Map2(name, slow)


FORWARD = """
Parameters
----------
x : ndarray of float32 or float64, any shape
{params}out : ndarray like x, optional
    Written and returned; may be x itself.

Returns
-------
y : ndarray, shape and dtype of x

Raises
------
TypeError
    If x is not float32 or float64 in native byte order, or out differs from x in dtype.
ValueError
    If out has another shape or cannot be written as it is.

Notes
-----
NaN gives NaN.{accuracy}
"""

BACKWARD = """
Parameters
----------
grad_output : ndarray of float32 or float64
    Gradient of the loss with respect to the output.
{second} : ndarray, shape and dtype of grad_output
    The {what} of the forward operation.
{params}out : ndarray like grad_output, optional
    Written and returned; may be one of the inputs.

Returns
-------
grad_x : ndarray, shape and dtype of grad_output

Raises
------
TypeError, ValueError
    If the arrays differ in dtype or shape, or are not float32 or float64.
"""


def documented(**params: str) -> Callable[[Function], Function]:
    """Append to a docstring what all elementwise operations share; `params` describes the extra parameters."""

    def decorate(function: Function) -> Function:
        lines = "".join(f"{name} : {text}\n" for name, text in params.items())
        signature = list(inspect.signature(function).parameters)
        if signature[0] == "grad_output":
            what = "output" if signature[1] == "output" else "input"
            text = BACKWARD.format(params=lines, second=signature[1], what=what)
        else:
            ulp = MAX_ULP.get(function.__name__)
            accuracy = ""
            if ulp:
                accuracy = f" The error is at most {ulp[0]} ULP in float32 and {ulp[1]} ULP in float64 (measured)."
            text = FORWARD.format(params=lines, accuracy=accuracy)
        function.__doc__ = inspect.cleandoc(function.__doc__ or "") + "\n" + text
        return function

    return decorate
