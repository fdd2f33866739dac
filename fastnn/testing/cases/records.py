"""What the records of ops.py are made of: the record, and the arguments of calls."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ... import functional as F
from ... import reference
from ...optim import functional as optim
from ..measure import wide


class Call(NamedTuple):
    """The arguments of one call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def mapped(self, change):
        """The call with `change` applied to every argument."""
        return Call(tuple(map(change, self.args)), {name: change(value) for name, value in self.kwargs.items()})

    def replaced(self, index, value):
        """The call with another positional argument number `index`."""
        return self._replace(args=(*self.args[:index], value, *self.args[index + 1 :]))


@dataclass(frozen=True)
class Op:
    """One operation.

    make(shape, dtype, rng, **options) gives the arguments of a call whose main array has that shape. `ulp` is the
    largest error allowed in float32 and float64: in units in the last place of the result, or of `scale(*args)` where
    that is larger, the sum of the magnitudes of the terms, for results whose terms cancel. Measured and rounded up.
    """

    name: str
    # elementwise, rows, loss, row loss, class loss, linear, norm, groups, embedding, in place, labels, dropout, update,
    # matrix update or parameters
    kind: str
    make: Callable[..., Call]
    ulp: tuple[float, float]
    kernels: tuple[str, ...] = ()
    options: tuple[dict[str, Any], ...] = ({},)
    backward: str | None = None  # called with grad_output, then the output (if takes_output) or the same arguments
    takes_output: bool = False
    kinks: tuple[float, ...] = ()  # where the derivative jumps
    scale: Callable[..., Any] | None = None
    label: str = ""
    constants: int = 0  # so many first arguments have no gradient

    @property
    def function(self):
        return getattr(optim if self.kind in ("update", "matrix update", "parameters") else F, self.name)

    @property
    def reference(self):
        return getattr(reference, self.name)

    @property
    def tolerance(self):
        return dict(zip(map(np.dtype, ("float32", "float64")), self.ulp, strict=True))

    def shape(self, n):
        """A shape whose last axis (or only one) has n entries; no classes means no rows either."""
        if self.kind in ("elementwise", "loss", "pair loss", "dropout", "update"):
            return (n,)
        return (0, 4) if self.kind in ("class loss", "row loss") and n == 0 else (3, n)


def results(function, call):
    """What a function returns, as a tuple of arrays; a Python float takes the dtype of the arguments."""
    value = function(*call.args, **call.kwargs)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(np.asarray(v, call.args[0].dtype if type(v) is float else None) for v in values)


@np.errstate(all="ignore")
def truth(op, call):
    """Each result of the reference in the next wider dtype, with the natural scale of its terms (or None)."""
    call = call.mapped(wide)
    expected = results(op.reference, call)
    scales = (None,) * len(expected) if op.scale is None else results(op.scale, call)
    return list(zip(expected, scales, strict=True))


# Arguments. The numbers are of all sizes that matter to an activation, but not so far left that exponentials become
# denormal: test_special_values has those. They are drawn in double, so that both dtypes get the same.


def numbers(shape, rng):
    x = rng.normal(size=shape) * 3 * np.where(rng.random(shape) < 0.2, 10.0 ** rng.uniform(-6, 1, shape), 1)
    return np.maximum(x, -40)


def moderate(shape, rng):
    """For gelu, whose left tail becomes denormal sooner."""
    return np.maximum(numbers(shape, rng), -8)


def positive(shape, rng):
    return np.abs(numbers(shape, rng)) + 1e-12


def above_minus_one(shape, rng):
    return np.expm1(rng.normal(size=shape))


def between_0_and_1(shape, rng):
    return rng.uniform(1e-3, 1 - 1e-3, shape)


def between_minus_1_and_1(shape, rng):
    return rng.uniform(-1, 1, shape)


def arrays(*draws):
    """A maker of calls: one array from each of `draws`; options are passed on."""
    return lambda shape, dtype, rng, **options: Call(tuple(draw(shape, rng).astype(dtype) for draw in draws), options)


def rows_of_probabilities(shape, rng):
    p = rng.random(shape) + 1e-3
    return p / p.sum(axis=-1, keepdims=True)


def rates(shape, rng):
    return np.abs(rng.normal(size=shape)) * 3 + 0.01


def signs(shape, rng):
    return rng.choice([-1.0, 1.0], shape)


def vectors(shape, rng):
    return numbers(shape, rng)


def labels(shape, dtype, rng):
    return rng.integers(max(shape[-1], 1), size=shape[0])


ROW_TARGETS = (labels, rows_of_probabilities, vectors)


def row_signs(shape, rng):
    return signs(shape[:1], rng)


def masks(shape, rng):
    return rng.integers(2, size=shape).astype("float64")


def some_labels(shape, dtype, rng):
    """Labels of rows, ended by -1."""
    return np.where(rng.random(shape) < 0.3, -1, rng.integers(max(shape[-1], 1), size=shape))


def loss(*draws, gradient=False, rows=False):
    """A maker of calls of losses; of their gradients, with grad_output first.

    weighted=True adds sample weights; by_column names a keyword that becomes an array of one number a column.
    """
    by_rows = rows or draws[1] in ROW_TARGETS
    integers = labels, some_labels

    def make(shape, dtype, rng, weighted=False, by_column=None, **options):
        arguments = tuple(draw(shape, rng).astype(dtype) if draw not in integers else draw(shape, dtype, rng)
                          for draw in draws)  # fmt: skip
        if weighted:
            options["sample_weight"] = rng.uniform(0.5, 2, shape[:1]).astype(dtype)
        if by_column:
            options[by_column] = rng.uniform(0.1, 0.9, shape[-1:]).astype(dtype)
        if not gradient:
            return Call(arguments, options)
        shape_of_loss = () if options.get("reduction") != "none" else shape[:1] if by_rows else shape
        return Call((np.asarray(rng.normal(size=shape_of_loss), dtype), *arguments), options)

    return make


def square_distances(x, y):
    """A distance of rows, and its gradients."""
    return ((x - y) ** 2).sum(axis=1), 2 * (x - y), 2 * (y - x)


def linear_arguments(shape, dtype, rng, **options):
    x, weight, bias = rng.normal(size=shape), rng.normal(size=(shape[-1], 9)), rng.normal(size=9)
    return Call((x.astype(dtype), weight.astype(dtype), bias.astype(dtype)), options)


def linear_gradient_arguments(shape, dtype, rng):
    (x, weight, _), _ = linear_arguments(shape, dtype, rng)
    return Call((rng.normal(size=(*shape[:-1], 9)).astype(dtype), x, weight), {})


def norm_arguments(*vectors, gradient=False):
    """A maker of calls of normalizations: x, behind its gradient if asked, then a number a feature from each draw."""

    def make(shape, dtype, rng, **options):
        arrays = [numbers(shape, rng) for _ in range(1 + gradient)] + [draw(shape[-1:], rng) for draw in vectors]
        return Call(tuple(array.astype(dtype) for array in arrays), options)

    return make


def slope_arguments(draw_parameter, gradient=False):
    """A maker of calls of activations that have a parameter; of their gradients, with grad_output first."""

    def make(shape, dtype, rng, **options):
        x, parameter = numbers(shape, rng), draw_parameter(shape, rng)
        upstream = (rng.normal(size=shape),) if gradient else ()
        return Call(tuple(array.astype(dtype) for array in (*upstream, x, parameter)), options)

    return make


def about_1(shape, rng):
    """Weights and variances."""
    return rng.uniform(0.5, 2, shape)


def slopes(shape, rng):
    return rng.normal(size=shape[-1:])


def one_slope(shape, rng):
    return rng.normal(size=1)


def one_temperature(shape, rng):
    return rng.uniform(0.5, 2, 1)


def gate_arguments(gradient=False):
    """A maker of calls of gates whose result has the shape given; of their gradients, with grad_output first."""

    def make(shape, dtype, rng, **options):
        x = numbers((*shape[:-1], options.get("pool_size", 2) * shape[-1]), rng)
        upstream = (rng.normal(size=shape),) if gradient else ()
        return Call(tuple(array.astype(dtype) for array in (*upstream, x)), options)

    return make


def embedding_arguments(gradient=False):
    """A maker of calls on a table of 9 rows; of their gradients, with grad_output first."""

    def make(shape, dtype, rng, **options):
        codes, weight = rng.integers(0, 9, shape), rng.normal(size=(9, 4))
        upstream = (rng.normal(size=(*shape, 4)),) if gradient else ()
        return Call(tuple(array.astype(dtype) for array in (*upstream, codes, weight)), options)

    return make


def bag_arguments(gradient=False):
    """A maker of calls on bags of rows of a table of 9; of their gradients, with grad_output first."""

    def make(shape, dtype, rng, weighted=False, **options):
        codes, weight = rng.integers(0, 9, shape), rng.normal(size=(9, 4))
        if weighted:
            options["per_sample_weights"] = rng.normal(size=shape).astype(dtype)
        if not gradient:
            return Call((codes.astype(dtype), weight.astype(dtype)), options)
        g = rng.normal(size=(shape[0], 4))
        return Call(tuple(array.astype(dtype) for array in (g, codes, weight)), options)

    return make


def pair_gradient_arguments(shape, dtype, rng, **options):
    """A gradient of one number a row, and two arrays of vectors."""
    arrays = rng.normal(size=shape[:-1]), numbers(shape, rng), numbers(shape, rng)
    return Call(tuple(array.astype(dtype) for array in arrays), options)


def bilinear_arguments(gradient=False):
    """A maker of calls with two outputs and three features of x2; of their gradients, with grad_output first."""

    def make(shape, dtype, rng, **options):
        arrays = [rng.normal(size=size) for size in (shape, (*shape[:-1], 3), (2, shape[-1], 3))]
        arrays = [rng.normal(size=(*shape[:-1], 2)), *arrays] if gradient else [*arrays, rng.normal(size=2)]
        return Call(tuple(array.astype(dtype) for array in arrays), options)

    return make


def label_arguments(shape, dtype, rng, **options):
    return Call((rng.integers(0, 5, shape),), {"num_classes": 5, **options})


def group_arguments(gradient=False, **fixed):
    """A maker of calls on four channels with a weight and a bias; of their gradients, with grad_output first."""

    def make(shape, dtype, rng, **options):
        size = (shape[0], 4, max(shape[-1], 2))
        x, weight, bias = numbers(size, rng), about_1(4, rng).astype(dtype), rng.normal(size=4).astype(dtype)
        vectors = {"weight": weight} if gradient else {"weight": weight, "bias": bias}
        upstream = (rng.normal(size=size),) if gradient else ()
        return Call(tuple(array.astype(dtype) for array in (*upstream, x)), fixed | vectors | options)

    return make


def entropy_gradient_arguments(shape, dtype, rng, axis=-1):
    p = rows_of_probabilities(shape, rng).astype(dtype)
    return Call((rng.normal(size=np.delete(shape, axis)).astype(dtype), p), {"axis": axis})


def entropy_of_logits_arguments(shape, dtype, rng, axis=-1, **options):
    g = rng.normal(size=np.delete(shape, axis)).astype(dtype)
    return Call((g, rng.normal(size=shape).astype(dtype)), {"axis": axis, **options})


def log_probabilities(shape, rng):
    return np.log(rows_of_probabilities(shape, rng))


def numbered(function, step):
    """The number of a step as a keyword of an update, if it takes one."""
    return {"step": step} if "step" in inspect.signature(function).parameters else {}


def updates(shape, dtype, rng, states=(), **options):
    """param, grad and a state array of zeros for each true entry of `states`, None for the others."""
    param, grad = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    return Call((param, grad, *(np.zeros(shape, dtype) if there else None for there in states)), options)


def factored_update(shape, dtype, rng, **options):
    """param, grad and the states of Adafactor, which are None where they are not of a parameter of that shape."""
    param, grad = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    if len(shape) < 2:
        return Call((param, grad, None, None, np.zeros(shape, dtype)), options)
    return Call((param, grad, *(np.sum(np.zeros_like(grad), axis, keepdims=True) for axis in (-1, -2)), None), options)


def momentum_update(shape, dtype, rng, **options):
    """param, grad and the state of Muon."""
    param, grad = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    return Call((param, grad, np.zeros(shape, dtype)), options)
