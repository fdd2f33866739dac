"""The data of a case, drawn from a seed, so that all contenders have the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .cases import Case, Network

Array = Any
# Random numbers repeat with this period: short enough to draw quickly, too long for branch predictors to learn.
PERIOD = 2**16
TABLE_ROWS = 1000  # rows of an embedding


def weights(network: Network, dtype: str) -> list[tuple[Array, Array]]:
    """Weight (in, out) and bias of every layer."""
    rng = np.random.default_rng(0)
    return [
        ((rng.normal(size=(n_in, n_out)) / math.sqrt(n_in)).astype(dtype), (0.1 * rng.normal(size=n_out)).astype(dtype))
        for n_in, n_out in network.layers
    ]


def batches(network: Network, dtype: str, steps: int = 1) -> tuple[Array, Array]:
    """Inputs and targets of a number of batches, concatenated."""
    rng = np.random.default_rng(1)
    n, n_out = steps * network.rows, network.features[-1]
    x = rng.normal(size=(n, network.features[0])).astype(dtype)
    return x, rng.integers(n_out, size=n) if network.loss == "CrossEntropyLoss" else rng.random((n, n_out)).astype(
        dtype
    )


def product(case: Case) -> tuple[Array, Array, Array, Array]:
    """Input, weight, bias and the gradient of the output."""
    rows, n_in, n_out = case.shape
    rng = np.random.default_rng(0)
    shapes = ((rows, n_in), (n_in, n_out), (n_out,), (rows, n_out))
    x, weight, bias, grad = (normal(shape, rng).astype(case.dtype) for shape in shapes)
    return x, weight, bias, grad


def arguments(case: Case) -> tuple[Array, ...]:
    """The arrays of a function: one from each of `case.draws`; integers keep their dtype."""
    rng = np.random.default_rng(0)
    drawn = (DRAWS[draw](case.shape, rng) for draw in case.draws)
    return tuple(a if a.dtype.kind == "i" else a.astype(case.dtype) for a in drawn)


def uniform(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Numbers in (0, 1)."""
    return np.resize(rng.uniform(1e-3, 1 - 1e-3, min(PERIOD, math.prod(shape))), shape)


def normal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Numbers of a normal distribution, on both sides of the kinks of activations."""
    return np.resize(3 * rng.normal(size=min(PERIOD, math.prod(shape))), shape)


def row_normal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A number for each row."""
    return normal(shape[:-1], rng)


def column_normal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A number for each column."""
    return normal(shape[-1:], rng)


def column_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A number in (0, 1) for each column."""
    return uniform(shape[-1:], rng)


def zeros(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """The state of an optimizer before its first step."""
    return np.zeros(shape)


def row_zeros(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A state that has a number for each row."""
    return np.zeros((*shape[:-1], 1))


def column_zeros(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A state that has a number for each column."""
    return np.zeros((*shape[:-2], 1, shape[-1]))


def one(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """The gradient of a loss with respect to itself."""
    return np.ones(())


def distributions(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Rows that sum to 1."""
    p = uniform(shape, rng)
    return p / p.sum(axis=-1, keepdims=True)


def log_distributions(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Rows of logarithms of probabilities."""
    return np.log(distributions(shape, rng))


def signs(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Numbers -1 and 1."""
    return np.sign(normal(shape, rng))


def labels(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A class for each row."""
    return rng.integers(shape[-1], size=shape[0])


def row_signs(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """-1 or 1 for each row."""
    return signs(shape[:1], rng)


def some_labels(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Three labels a row."""
    return rng.integers(shape[-1], size=(shape[0], 3))


def two(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A temperature."""
    return np.full(1, 2.0)


def halves(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Rows of two numbers for each column."""
    return normal((*shape[:-1], 2 * shape[-1]), rng)


def codes(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """For each row an index of a row of `table`, as a float as in networks."""
    return rng.integers(TABLE_ROWS, size=shape[0]).astype("float64")


def table(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """The rows of an embedding."""
    return normal((TABLE_ROWS, shape[-1]), rng)


def bags(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """For each row eight indices of rows of `table`."""
    return rng.integers(TABLE_ROWS, size=(shape[0], 8)).astype("float64")


def eights(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Rows of eight numbers."""
    return normal((*shape[:-1], 8), rng)


def fours(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Rows of four numbers."""
    return normal((*shape[:-1], 4), rng)


def bilinear_weight(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """The weight of a bilinear map of the columns and eight numbers to four."""
    return normal((4, shape[-1], 8), rng)


_ALL = (
    row_signs,
    some_labels,
    *(
        uniform,
        normal,
        row_normal,
        column_normal,
        column_uniform,
        zeros,
        row_zeros,
        column_zeros,
        one,
        two,
        distributions,
        log_distributions,
        signs,
        labels,
    ),
    *(halves, codes, table, bags, eights, fours, bilinear_weight),
)
DRAWS: dict[str, Callable[[tuple[int, ...], np.random.Generator], Array]] = {draw.__name__: draw for draw in _ALL}
