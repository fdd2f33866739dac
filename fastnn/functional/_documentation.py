"""The parts of docstrings that many functions share, and how they are put together."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

NOTES = "Notes\n-----\n"
EXAMPLES = "Examples\n--------\n>>> import numpy as np\n>>> from fastnn import functional as F\n>>> "


def complete(function: Function, shared: str) -> Function:
    """Complete the docstring of a function by the sections in `shared`, in numpydoc's order.

    In the source a docstring has the summary, the formula, Notes (optional) and the lines of an example, without
    heading and imports. `shared` has Parameters, Returns and Raises, and may have Notes: they follow the function's.
    """
    if function.__doc__ is None:  # python -OO
        return function
    text, _, example = inspect.cleandoc(function.__doc__).partition("\n>>> ")
    description, _, notes = text.partition(f"\n{NOTES}")
    sections, _, more_notes = shared.strip().partition(f"\n{NOTES}")
    parts = [description.strip(), sections.strip()]
    if notes or more_notes:
        parts.append(NOTES + "\n\n".join(part.strip() for part in (notes, more_notes) if part.strip()))
    if example:
        parts.append(EXAMPLES + example.strip())
    function.__doc__ = "\n\n".join(parts)
    return function


def documented(template: str, **fields: str) -> Callable[[Function], Function]:
    """Complete a docstring by `template`, formatted with `fields` and `DEFAULTS`.

    Two fields are set here: {forward}, the name of the function without "_backward", and {same}, the names of the
    parameters after grad_output, which a gradient shares with the forward function.
    """

    def decorate(function: Function) -> Function:
        parameters = list(inspect.signature(function).parameters)
        own = {
            "forward": function.__name__.removesuffix("_backward"),
            "same": ", ".join(name for name in parameters if name not in ("grad_output", "out")),
        }
        return complete(function, template.format(**{**DEFAULTS, **own, **fields}))

    return decorate


# What the templates of losses say unless a loss gives another text.
DEFAULTS = {
    "before": "",
    "shape": "(rows, columns)",
    "targets": "ndarray, shape of input\n    Of input's dtype, or integers or booleans, which are converted.",
    "rows": "",
    "each": "one for each row",
    "params": "",
    "reductions": '"mean", "sum", "none"',
    "batchmean": "",
    "mean": '"mean" divides by the sum of the weights of the targets\' classes.',
    "values": "reduction or sample_weight",
    "nan": "",
    "scale": 'The formula is that of reduction "none". Weights multiply it and "mean" divides it as they do the loss.\n'
    "Where the weight or grad_output is 0 the gradient is 0, also at infinite errors.",
    "gradients": "grad_input : ndarray, shape and dtype of input",
    "gradient_nan": "NaN in input or target gives NaN in the gradient of that element alone.",
}

ELEMENTWISE_LOSS = """
Parameters
----------
input : ndarray of float32 or float64, any shape
target : ndarray, shape of input
    Of input's dtype, or integers or booleans, which are converted.
{before}reduction : {{{reductions}}}, default "mean"
    "mean" divides the sum of the losses by their number, "none" returns the loss of each element.{batchmean}
sample_weight : array of shape (rows,) or of input's shape, optional
    Multiplies the loss of each row, or of each element; 0 or more and finite. "mean" then divides by the sum of the
    weights of all elements.
{params}
Returns
-------
loss : scalar of input's dtype; for "none" an array of input's shape

Raises
------
TypeError
    If an array is not float32 or float64 (target: nor integers or booleans), dtypes differ, or another argument has
    the wrong type.
ValueError
    If shapes do not match, or {values} is out of its range.

Notes
-----
NaN in input or target gives NaN, also where the sample weight is 0. The mean of no elements, or with weights that sum
to 0, is NaN. Sums run in a fixed order: their bits do not depend on the number of threads or the instruction set (x86
without FMA excepted).
"""

CLASS_LOSS = """
Parameters
----------
input : ndarray of float32 or float64, shape (rows, classes), (classes,) or (rows, classes, d1, ...)
    Each place of d1, ... is a row of its own.
target : {targets}
reduction : {{"mean", "sum", "none"}}, default "mean"
    "mean" divides the sum of the losses by the number of rows, without ignored ones; "none" returns the loss of each.
sample_weight : array of shape (rows,) or (rows, d1, ...), optional
    Multiplies the loss of each row; 0 or more and finite. "mean" then divides by the sum of the weights.
{params}weight : array of shape (classes,), optional
    Multiplies the loss by the weight of the target's class; 0 or more and finite.
    {mean}
ignore_index : int, default -100
    Rows with this target have loss 0 and gradient 0 and are left out of the mean, even if input is NaN there.

Returns
-------
loss : scalar of input's dtype; for "none" an array of shape (rows,), () or (rows, d1, ...)

Raises
------
TypeError
    If input is not float32 or float64, target has another dtype than above, or another argument has the wrong type.
ValueError
    If shapes do not match, a class index is out of range (the message has its row), a weight is negative, infinite or
    NaN, or {values} is out of its range.

Notes
-----
{nan}

A sample weight of 0 does not hide NaN; ignore_index does. The mean is NaN if there are no rows, all are ignored, or the
weights sum to 0. Sums run in a fixed order: their bits do not depend on the number of threads or the instruction set
(x86 without FMA excepted).
"""

ROW_LOSS = """
Parameters
----------
input, target : ndarray of float32 or float64, shape (rows, features), one dtype
reduction : {{"mean", "sum", "none"}}, default "mean"
    "mean" divides the sum of the losses by the number of rows, "none" returns the loss of each row.
sample_weight : array of shape (rows,), optional
    Multiplies the loss of each row; 0 or more and finite. "mean" then divides by the sum of the weights.
{params}
Returns
-------
loss : scalar of input's dtype; for "none" an array of shape (rows,)

Raises
------
TypeError
    If an array is not float32 or float64, dtypes differ, or another argument has the wrong type.
ValueError
    If shapes do not match, or {values} is out of its range.

Notes
-----
A row with NaN or an infinity in input or target gives NaN. So does the mean of no rows, or with weights that sum to 0.
"""

COLUMNS_LOSS = """
Parameters
----------
input : ndarray of float32 or float64, shape {shape}
target : {targets}
reduction : {{"mean", "sum", "none"}}, default "mean"
    "mean" divides the sum of the losses by the number of rows, "none" returns the loss of each row.
sample_weight : array of shape (rows,), optional
    Multiplies the loss of each row; 0 or more and finite. "mean" then divides by the sum of the weights.
{params}
Returns
-------
loss : scalar of input's dtype; for "none" an array of shape (rows,)

Raises
------
TypeError
    If input is not float32 or float64, target has another dtype than above, or another argument has the wrong type.
ValueError
    If shapes do not match, or {values} is out of its range.

Notes
-----
NaN in input or target gives NaN. So does the mean of no rows, or with weights that sum to 0. Sums run in a fixed order:
their bits do not depend on the number of threads or the instruction set (x86 without FMA excepted).
"""

EMBEDDING_LOSS = """
Parameters
----------
{before}reduction : {{"mean", "sum", "none"}}, default "mean"
    "mean" divides the sum of the losses by their number, "none" returns each of them.
sample_weight : array with a weight for each loss{rows}, optional
    Multiplies the losses; 0 or more and finite. "mean" then divides by the sum of the weights.
{params}
Returns
-------
loss : scalar of the inputs' dtype; for "none" an array with {each}

Raises
------
TypeError
    If an input is not float32 or float64, dtypes differ, or another argument has the wrong type.
ValueError
    If shapes do not match, or {values} is out of its range.

Notes
-----
NaN in an input gives NaN. So does the mean of nothing, or with weights that sum to 0. Sums run in a fixed order: their
bits do not depend on the number of threads or the instruction set (x86 without FMA excepted).
"""

LOSS_BACKWARD = """
Parameters
----------
grad_output : scalar; for "none" an array of the loss's shape
    Gradient with respect to the loss: 1 for the gradient of the loss itself.
{same}
    As given to `{forward}`.

Returns
-------
{gradients}

Raises
------
TypeError, ValueError
    As `{forward}`; ValueError if grad_output does not have the shape of the loss.

Notes
-----
{scale}

{gradient_nan}
"""
