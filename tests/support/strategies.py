"""Hypothesis strategies: arrays of any shape, layout and value."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = st.sampled_from([np.dtype("float32"), np.dtype("float64")])


@st.composite
def layouts(draw, ndim):
    """A change of layout: a transposition, and a step (also a negative one) along each axis."""
    axes = draw(st.permutations(range(ndim)))
    steps = draw(st.tuples(*[st.sampled_from([-3, -2, -1, 1, 2, 3])] * ndim))
    return lambda array: array.transpose(axes)[(..., *(slice(None, None, step) for step in steps))]


def numbers(dtype, largest=50.0, special=False):
    """Numbers of a dtype within bounds, or of any kind."""
    if special:
        return st.floats(width=8 * dtype.itemsize)
    return st.floats(-largest, largest, width=8 * dtype.itemsize)


@st.composite
def arrays(draw, min_dims=0, max_dims=3, min_side=0, max_side=12, special=False, dtype=None):
    """One array, seldom contiguous."""
    dtype = draw(DTYPES) if dtype is None else dtype
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side))
    array = draw(hnp.arrays(dtype, shape, elements=numbers(dtype, special=special)))
    return draw(layouts(array.ndim))(array)


@st.composite
def pairs(draw, **options):
    """Two arrays of one shape and dtype, each with a layout of its own."""
    first = draw(arrays(**options))
    second = draw(hnp.arrays(first.dtype, first.shape[::-1], elements=numbers(first.dtype)))
    return first, second.T


@st.composite
def products(draw, max_side=20):
    """x (..., in), weight (in, out) and bias (out,) of one dtype."""
    dtype = draw(DTYPES)
    n_in, n_out = draw(st.integers(0, max_side)), draw(st.integers(0, max_side))
    leading = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=max_side))
    shapes = (*leading, n_in), (n_out, n_in), (n_out,)
    x, weight, bias = (draw(hnp.arrays(dtype, shape, elements=numbers(dtype, 10.0))) for shape in shapes)
    return x, weight.T, bias[::-1]
