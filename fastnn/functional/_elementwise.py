"""Shared by the elementwise operations: the path for arguments that the fast path refuses, and the documentation."""

import inspect
from collections.abc import Callable
from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core.activations import ASCENDING, NOT_NEGATIVE, NOT_ZERO, Map1, Map2
from .._plugged import function_of
from ._documentation import Function, complete
from ._symbolic import Symbolic, symbolic
from .accuracy import MAX_ULP

Array = check.Array


def reference_function(name: str) -> Callable[..., Any]:
    """The NumPy implementation of the operation `name`, or that of a plugged backend.

    The reference is imported on first use, to keep `import fastnn` short.
    """
    plugged: Callable[..., Any] | None = function_of(name)
    if plugged is not None:
        return plugged
    from .. import reference

    function: Callable[..., Any] = getattr(reference, name)
    return function


def _checked(names: tuple[str, ...], params: tuple[Any, ...], rule: int) -> tuple[float, float]:
    """The parameters of a kernel as two floats; those without a name are not of the user, and as they should be."""
    numbers = [check.check_number(name, value) for name, value in zip(names, params, strict=False)]
    a, b = [*numbers, *params[len(names) :], 0.0, 0.0][:2]
    if rule == NOT_ZERO and a == 0:
        raise ValueError(f"{names[0]} must not be 0")
    if rule == NOT_NEGATIVE and a < 0:
        raise ValueError(f"{names[0]} must be at least 0, got {params[0]}")
    if rule == ASCENDING and not a <= b:
        raise ValueError(f"{names[1]} must be at least {names[0]}, got {params[0]} and {params[1]}")
    return a, b


def unary(
    name: str, reference: str | None = None, names: tuple[str, ...] = (), rule: int = 0, **fixed: Any
) -> Callable[..., Array]:
    """A function (x, out, *params) -> y that runs the kernel `name`; error messages call its parameters `names`.

    `rule` is NOT_ZERO if the first parameter divides, ASCENDING if it must be at most the second,
    NOT_NEGATIVE if it must be at least 0. NaN is refused.

    The reference backend calls its function `reference` (default: `name`) with these parameters and the keywords
    `fixed`.
    """

    def slow(op: Map1, x: Any, out: Any, params: tuple[Any, ...]) -> Any:
        if isinstance(x, Symbolic):
            return x.apply(name, x, *_checked(names, params, rule)[: len(names) + any(params[len(names) :])])
        x = check.as_array("x", x)
        params = _checked(names, params, rule)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function(reference or name)(x, *params[: len(names)], **fixed)
        else:
            op.run(check.without_overlap(x, y, in_place=True), y, *params)
        return check.scalar_or(y, out)

    return Map1(name, slow, rule)


def binary(
    name: str,
    reference: str | None = None,
    names: tuple[str, ...] = (),
    second: str = "x",
    first: str = "grad_output",
    rule: int = 0,
    **fixed: Any,
) -> Callable[..., Array]:
    """A function (grad_output, x, out, *params) -> grad_x that runs the kernel `name`; see `unary`.

    Error messages call the arrays `first` and `second`.
    """

    def slow(op: Map2, g: Any, x: Any, out: Any, params: tuple[Any, ...]) -> Any:
        if (symbol := symbolic(g, x)) is not None:
            return symbol.apply(name, g, x)
        g, x = check.as_array(first, g), check.as_array(second, x)
        check.check_same_dtype(**{first: g, second: x})
        check.check_same_shape(**{second: x, first: g})
        params = _checked(names, params, rule)
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
        return check.scalar_or(y, out)

    return Map2(name, slow, rule)


# NaN in gradients that select.
NAN_UNLESS = "NaN in grad_output gives NaN, but 0 where {}."
PASSES = f"Where x is NaN the gradient is grad_output, as in PyTorch. {NAN_UNLESS}"

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
    If x is not float32 or float64 in native byte order, or out has another dtype{types}.
ValueError
    If out has another shape, or is not C-contiguous, aligned and writable{values}.

Notes
-----
{nan}{accuracy}
"""

BACKWARD = """
Parameters
----------
grad_output : ndarray of float32 or float64, any shape
    Gradient of the loss with respect to the output.
{second} : ndarray, shape and dtype of grad_output
    The {what} of `{forward}`.
{params}out : ndarray like grad_output, optional
    Written and returned; may be one of the inputs.

Returns
-------
grad_x : ndarray, shape and dtype of grad_output

Raises
------
TypeError
    If the arrays are not float32 or float64, or differ in dtype{types}.
ValueError
    If the arrays differ in shape, or out is not C-contiguous, aligned and writable{values}.

Notes
-----
{nan}
"""


def documented(*, nan: str = "", values: str = "", **params: str) -> Callable[[Function], Function]:
    """Complete the docstring of an elementwise function.

    `nan` replaces the sentence about NaN, `values` ends the one about ValueError, `params` has the type and default of
    the extra parameters.
    """

    def decorate(function: Function) -> Function:
        name, signature = function.__name__, list(inspect.signature(function).parameters)
        lines = "".join(f"{parameter} : {text}\n" for parameter, text in params.items())
        numbers = any(text.startswith("float") for text in params.values())
        types = ", or another argument is not a number" if numbers else ""
        shared = {"params": lines, "types": types, "values": f", or {values}" if values else ""}
        if signature[0] == "grad_output":
            what = "output" if signature[1] == "output" else "input"
            nan_too = nan or f"NaN in grad_output or {signature[1]} gives NaN."
            forward = name.removesuffix("_backward")
            text = BACKWARD.format(second=signature[1], what=what, forward=forward, nan=nan_too, **shared)
            return complete(function, text)
        accuracy = ""
        if ulp := MAX_ULP.get(name):
            accuracy = (
                f" The error is at most {ulp[0]} units in the last place (ULP) in float32 and {ulp[1]} in float64,\n"
                "measured; a little more on x86 without FMA."
            )
        return complete(function, FORWARD.format(nan=nan or "NaN gives NaN.", accuracy=accuracy, **shared))

    return decorate
