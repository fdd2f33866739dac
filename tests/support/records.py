"""What the records of ops.py are made of: the record, the arguments of calls, and the natural scales of results."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import fastnn.functional as F
import fastnn.optim.functional as optim
import fastnn.reference as reference
from support.measure import wide


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
    kind: str  # elementwise, rows, loss, class loss, linear, norm, embedding, dropout, update or parameters
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
        return getattr(optim if self.kind in ("update", "parameters") else F, self.name)

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
        return (0, 4) if self.kind == "class loss" and n == 0 else (3, n)


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


def loss(*draws, gradient=False):
    """A maker of calls of losses; of their gradients, with grad_output first.

    weighted=True adds sample weights; by_column names a keyword that becomes an array of one number a column.
    """
    by_rows = draws[1] in ROW_TARGETS

    def make(shape, dtype, rng, weighted=False, by_column=None, **options):
        arguments = tuple(draw(shape, rng).astype(dtype) if draw is not labels else draw(shape, dtype, rng)
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


# Natural scales: the sum of the magnitudes of the terms, where terms cancel or a rounding error is multiplied.


def gated_terms(name):
    """F = x w(x) has the derivative w + x w'. Left of 0 the argument of w's exponential carries a rounding error."""

    def scale(g, x, **options):
        gate = getattr(reference, name)(x, **options) / x
        slope = getattr(reference, f"{name}_backward")(np.ones_like(x), x, **options)
        return np.abs(g) * (np.abs(gate) + np.abs(slope - gate)) * _argument_error(x)

    return scale


def _argument_error(x):
    return 1 + np.fmax(-x, 0) ** 2


def gelu_terms(x, **options):
    return np.abs(reference.gelu(x, **options)) * _argument_error(x)


def affine_terms(x, scale=1.0, shift=0.0):
    return np.abs(scale * x) + abs(shift)


def tanh_gradient_terms(g, y):
    return np.abs(g) * (1 + y * y)


def row_max(x, axis=-1):
    return np.abs(x).max(axis=axis, keepdims=True, initial=0)


def prelu_gradient_terms(g, x, weight):
    return np.abs(g), reference.prelu_backward(-np.abs(g), np.fmin(x, 0), weight)[1]


def temperature_scale_gradient_terms(g, x, temperature):
    return tuple(map(np.abs, reference.temperature_scale_backward(np.abs(g), np.abs(x), temperature)))


def swiglu_gradient_terms(g, x):
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([gated_terms("silu")(g * b, a), np.abs(g * reference.silu(a))], axis=-1)


def embedding_gradient_terms(g, codes, weight, padding_idx=None):
    return reference.embedding_backward(np.abs(g), codes, weight, padding_idx)


def alpha_dropout_terms(x, p=0.5, **stream):
    """The numbers that are scaled, and what is added to them."""
    return np.abs(reference.alpha_dropout_backward(x, p, **stream)) + 1.0


def gaussian_noise_terms(x, std=1.0, **stream):
    """Near 0 a normal number has the absolute error of the probability that it comes from."""
    return np.abs(x) + std * (1 + np.abs(reference.gaussian_noise(np.zeros_like(x), 1.0, **stream)))


def gaussian_dropout_terms(x, p=0.5, **stream):
    return np.abs(x) * gaussian_noise_terms(np.ones_like(x), (p / (1 - p)) ** 0.5, **stream)


def softmax_terms(x, axis=-1, temperature=1.0):
    """exp(z) multiplies the rounding error of z by |z|."""
    z = (x - x.max(axis=axis, keepdims=True, initial=-np.inf)) / temperature
    return (1 + np.abs(z)) * reference.softmax(x, axis, temperature)


def softmin_terms(x, axis=-1, temperature=1.0):
    return softmax_terms(-x, axis, temperature)


def softmax_gradient_terms(g, y, axis=-1, temperature=1.0):
    return np.abs(y) * (np.abs(g) + (np.abs(g) * y).sum(axis=axis, keepdims=True)) / temperature


def log_softmax_terms(x, axis=-1, temperature=1.0):
    return np.zeros_like(x) + row_max(x, axis) / temperature


def log_softmax_gradient_terms(g, y, axis=-1, temperature=1.0):
    return (np.abs(g) + np.exp(y) * np.abs(g).sum(axis=axis, keepdims=True)) / temperature


def temperature_terms(gradient_terms):
    def scale(g, y, x, axis=-1, temperature=1.0):
        return (gradient_terms(g, y, axis, temperature) * np.abs(x)).sum() / temperature

    return scale


def entropy_gradient_terms(g, p, axis=-1):
    return np.expand_dims(np.abs(g), axis) * (1 + np.abs(np.log(p)))


def linear_terms(x, weight, bias, activation=None):
    return np.abs(x) @ np.abs(weight) + np.abs(bias)


def linear_gradient_terms(g, x, weight):
    return reference.linear_backward(np.abs(g), np.abs(x), np.abs(weight))


def _deviations(x, axis, eps, centered=True):
    """Of each row or column the inverse deviation, and its largest difference to the mean in units of the deviation."""
    n = max(x.shape[axis], 1)
    differences = x - x.sum(axis=axis, keepdims=True) / n if centered else x
    scale = 1 / np.sqrt((differences**2).sum(axis=axis, keepdims=True) / n + eps)
    return scale, np.zeros_like(x) + np.abs(differences * scale).max(axis=axis, keepdims=True, initial=0)


def _norm_gradient_terms(g, weight, scale, largest, axis):
    upstream, n = np.abs(g * weight), max(g.shape[axis], 1)
    along = (upstream * largest).sum(axis=axis, keepdims=True) / n
    grad_x = scale * (upstream + upstream.sum(axis=axis, keepdims=True) / n + largest * along)
    return grad_x, (np.abs(g) * largest).sum(axis=0), np.abs(g).sum(axis=0)


def layer_norm_terms(x, weight, bias, eps=1e-5):
    return _deviations(x, -1, eps)[1] * np.abs(weight) + np.abs(bias)


def layer_norm_gradient_terms(g, x, weight, eps=1e-5):
    return _norm_gradient_terms(g, weight, *_deviations(x, -1, eps), -1)


def rms_norm_gradient_terms(g, x, weight, eps=1e-7):
    return _norm_gradient_terms(g, weight, *_deviations(x, -1, eps, centered=False), -1)[:2]


def batch_norm_terms(x, mean, variance, weight, bias, training=False, momentum=0.1, eps=1e-5):
    largest = _deviations(x, 0, eps)[1] if training else np.abs(x - mean) / np.sqrt(variance + eps)
    return largest * np.abs(weight) + np.abs(bias)


def batch_norm_gradient_terms(g, x, mean, variance, weight, training=False, eps=1e-5):
    if training:
        return _norm_gradient_terms(g, weight, *_deviations(x, 0, eps), 0)
    scale = 1 / np.sqrt(variance + eps)
    return scale * np.abs(g * weight), (np.abs(g * (x - mean)) * scale).sum(axis=0), np.abs(g).sum(axis=0)


def adjusted_terms(g, p, scale=1.0, clip_value=np.inf, l1=0.0, l2=0.0):
    return np.minimum(np.abs(scale * g), clip_value) + l1 + l2 * np.abs(p)


def lerp_terms(average, x, weight):
    return np.abs(average) + np.abs(x)
