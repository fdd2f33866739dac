"""Normalization as functions: PyTorch's numbers, accuracy far from 0, special rows and columns, running statistics.

The records of fastnn/testing/cases/ops.py test what all operations keep; test_normalized_networks.py is about layers
and networks.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnn
from fastnn import functional as F
from fastnn._core import dispatch, threads
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient
from support.normalized import STORED

EPS = 1e-5
NAN = np.nan


def data(*names):
    arrays = [STORED[f"data/{name}"].copy() for name in names]
    return arrays if len(arrays) > 1 else arrays[0]


# PyTorch


def calls():
    """Forward and backward call of each function that is stored, with the arguments that it was stored for."""
    x, g, w, b, mean, variance = data("x", "grad", "weight", "bias", "running_mean", "running_var")
    plain = {"eps": 0.1}
    return {
        "layer_norm": (lambda: F.layer_norm(x, w, b), lambda: F.layer_norm_backward(g, x, w)),
        "layer_norm plain": (lambda: F.layer_norm(x, **plain), lambda: F.layer_norm_backward(g, x, **plain)),
        "rms_norm": (lambda: F.rms_norm(x, w), lambda: F.rms_norm_backward(g, x, w)),
        "rms_norm plain": (lambda: F.rms_norm(x, **plain), lambda: F.rms_norm_backward(g, x, **plain)),
        "batch_norm": (
            lambda: F.batch_norm(x, mean, variance, w, b),
            lambda: F.batch_norm_backward(g, x, mean, variance, w),
        ),
        "batch_norm plain": (
            lambda: F.batch_norm(x, mean, variance, **plain),
            lambda: F.batch_norm_backward(g, x, mean, variance, **plain),
        ),
        "batch_norm training": (
            lambda: F.batch_norm(x, None, None, w, b, True),
            lambda: F.batch_norm_backward(g, x, None, None, w, True),
        ),
        "batch_norm training plain": (
            lambda: F.batch_norm(x, None, None, training=True, **plain),
            lambda: F.batch_norm_backward(g, x, None, None, training=True, **plain),
        ),
    }


@pytest.mark.parametrize("name", calls())
def test_functions_are_torchs(name, backend):
    forward, backward = calls()[name]
    y, *gradients = (STORED[key] for key in sorted(STORED) if key.startswith(f"function/{name}/"))
    np.testing.assert_allclose(forward(), y, rtol=1e-12, atol=1e-13)
    for actual, expected in zip(backward(), gradients, strict=False):  # those of vectors that are there
        np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_are_torchs(momentum, backend):
    """Over three batches of different sizes; None is the average of all."""
    mean, variance = np.zeros(4), np.ones(4)
    for i in range(3):
        factor = 1 / (i + 1) if momentum is None else momentum
        y = F.batch_norm(data(f"batch{i}"), mean, variance, training=True, momentum=factor)
        for j, actual in enumerate((y, mean, variance)):
            np.testing.assert_allclose(actual, STORED[f"running/{momentum}/{i}/{j}"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(F.batch_norm(data("x"), mean, variance), STORED[f"running/{momentum}/x/0"], rtol=1e-12)


# Numbers


def exact(x, axis, eps=EPS):
    """Normalized in extended precision."""
    x = x.astype("longdouble")
    centered = x - x.mean(axis, keepdims=True)
    centered -= centered.mean(axis, keepdims=True)
    return centered / np.sqrt((centered**2).mean(axis, keepdims=True) + eps)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, -1e6])
@pytest.mark.parametrize("shape", [(5, 7), (3, 5000), (5000, 3)])
def test_an_offset_costs_no_digits(offset, shape, dtype, isa, rng):
    """What is left of x beside the offset is normalized to the last places, here and in the gradient."""
    x = (rng.normal(size=shape) + offset).astype(dtype)
    g = rng.normal(size=shape).astype(dtype)
    tolerance = 16 * np.finfo(dtype).eps
    for axis, forward, backward in (
        (-1, F.layer_norm, lambda: F.layer_norm_backward(g, x)),
        (0, lambda x: F.batch_norm(x, None, None, training=True),
         lambda: F.batch_norm_backward(g, x, None, None, training=True)),
    ):  # fmt: skip
        xhat = exact(x, axis)
        np.testing.assert_allclose(forward(x), xhat, rtol=0, atol=tolerance * np.abs(xhat).max())
        grad_weight = backward()[1]
        terms = np.abs(g * xhat).sum(0)
        assert (np.abs(grad_weight - (g * xhat).sum(0)) <= tolerance * terms).all()


@given(st.floats(-1e6, 1e6, width=32), st.integers(1, 40), st.integers(2, 40))
def test_constant_rows_and_columns_become_the_bias(value, cols, rows):
    x, bias = np.full((rows, cols), value, "float32"), np.arange(cols, dtype="float32")
    running_mean, running_var = np.zeros((2, cols), "float32")
    near = {"rtol": 0, "atol": 1e-4}  # an error of the mean in its last place is divided by sqrt(eps)
    np.testing.assert_allclose(F.layer_norm(x, None, bias), x * 0 + bias, **near)
    y = F.batch_norm(x, running_mean, running_var, None, bias, training=True, momentum=1.0)
    np.testing.assert_allclose(y, x * 0 + bias, **near)
    np.testing.assert_allclose(running_mean, x[0], rtol=1e-7)
    assert (running_var >= 0).all()
    assert (running_var <= 1e-12 * value**2).all()


@given(st.integers(0, 5), st.integers(0, 9), st.sampled_from([NAN, np.inf, -np.inf]))
def test_a_special_value_stays_in_its_row_or_column(row, col, special):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 10)).astype("float32")
    g, weight, bias = rng.normal(size=(6, 10)).astype("float32"), x[0].copy(), x[1].copy()
    poisoned = x.copy()
    poisoned[row, col] = special
    in_row, in_column = np.zeros(x.shape, bool), np.zeros(x.shape, bool)
    in_row[row], in_column[:, col] = True, True
    for function, place in (
        (lambda x: F.layer_norm(x, weight, bias), in_row),
        (lambda x: F.layer_norm_backward(g, x, weight)[0], in_row),
        (lambda x: F.batch_norm(x, None, None, weight, bias, True), in_column),
        (lambda x: F.batch_norm_backward(g, x, None, None, weight, True)[0], in_column),
    ):
        y = function(poisoned)
        assert np.isnan(y[place]).all()
        assert_same_bits(y[~place], function(x)[~place])
    frozen = F.batch_norm_backward(g, poisoned, bias, bias * bias, weight)[0]
    assert_same_bits(frozen, F.batch_norm_backward(g, x, bias, bias * bias, weight)[0])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3), (0,)])
def test_empty_arrays(shape, dtype, backend):
    x = np.zeros(shape, dtype)
    ones, running = np.ones(shape[-1], dtype), (np.full(shape[-1], 3, dtype), np.full(shape[-1], 4, dtype))
    assert F.layer_norm(x, ones, ones).shape == F.rms_norm(x, ones).shape == shape
    for training in (False, True):
        assert F.batch_norm(x, *running, ones, ones, training).shape == shape
        assert (running[0] == 3).all()
        assert (running[1] == 4).all()
    gradients = F.layer_norm_backward(x, x), F.rms_norm_backward(x, x), F.batch_norm_backward(x, x, *running)
    for grad_x, *of_vectors in gradients:
        assert grad_x.shape == shape
        for gradient in of_vectors:
            assert_same_bits(gradient, np.zeros(shape[-1], dtype))


def test_one_feature(dtype, backend):
    x = np.array([[2.0], [-3.0]], dtype)
    np.testing.assert_array_equal(F.layer_norm(x), [[0], [0]])
    np.testing.assert_allclose(F.rms_norm(x), [[1], [-1]], rtol=1e-6)
    np.testing.assert_allclose(F.batch_norm(x, None, None, training=True), [[1], [-1]], rtol=1e-5)
    np.testing.assert_array_equal(F.layer_norm_backward(x, x)[0], [[0], [0]])


def test_the_default_of_rms_norm_is_the_machine_epsilon(dtype, backend):
    x = np.full((2, 3), 1e-4, dtype)
    eps = float(np.finfo(dtype).eps)
    for given_x in (x, memoryview(x)):
        np.testing.assert_array_equal(F.rms_norm(given_x), F.rms_norm(x, eps=eps))
        for a, e in zip(F.rms_norm_backward(given_x, given_x), F.rms_norm_backward(x, x, eps=eps), strict=True):
            np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("name", calls())
def test_gradients(name, backend):
    """By central differences; without weight and bias too, of both backends."""
    forward, backward = calls()[name]
    cells = dict(zip(forward.__code__.co_freevars, forward.__closure__, strict=True))
    x, g = cells["x"].cell_contents, data("grad")
    arrays = [x, *(cells[v].cell_contents for v in ("w", "b") if v in cells)]
    for array, gradient in zip(arrays, backward(), strict=False):

        def loss(moved, array=array):
            before = array.copy()
            array[...] = moved
            value = (g * forward()).sum()
            array[...] = before
            return value

        assert_gradient(gradient, loss, array.copy())


def test_running_statistics_have_the_same_bits_everywhere(dtype, rng, isas, cut_small_work):
    x, ends = (rng.normal(size=(150, 300)) + 100).astype(dtype), []
    for isa in [isa for isa in isas if isa != "sse2"]:
        dispatch.set_isa(isa)
        for n in (1, 2, 3, 5):
            threads.set_num_threads(n)
            running = np.zeros(300, dtype), np.ones(300, dtype)
            F.batch_norm(x, *running, training=True)
            ends.append(running)
    for end in ends[1:]:
        for a, e in zip(end, ends[0], strict=True):
            assert_same_bits(a, e)


# Errors

X = np.ones((4, 3))
V = np.ones(3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.layer_norm(np.float64(1)), ValueError, r"x must have shape \(..., features\), got a scalar"),
        (lambda: F.layer_norm(X, V[:2]), ValueError, r"weight must have shape \(3,\) for x of shape \(4, 3\), got"),
        (lambda: F.layer_norm(X, V, V.astype("f")), TypeError, "bias is float32 but x is float64"),
        (lambda: F.layer_norm(X, eps=-1), ValueError, "eps must be at least 0.0, got -1"),
        (lambda: F.layer_norm(X, eps=NAN), ValueError, "eps must be at least 0.0, got nan"),
        (lambda: F.layer_norm(X, eps=None), TypeError, "eps must be a number, got NoneType"),
        (lambda: F.rms_norm(X, V, "1"), TypeError, "eps must be a number, got str"),
        (lambda: F.rms_norm_backward(X[:2], X), ValueError, "grad_output must have the shape of x"),
        (lambda: F.layer_norm_backward(X.astype("f"), X), TypeError, "grad_output is float32|x is float64"),
        (lambda: F.batch_norm(X, V, None), ValueError, "running_var must be given unless training"),
        (lambda: F.batch_norm(X, None, V, training=True), ValueError, "running_mean must be given where the other"),
        (lambda: F.batch_norm(X, V, V, training=1), TypeError, "training must be True or False, got 1"),
        (lambda: F.batch_norm(X, V, V, momentum=2), ValueError, "momentum must be at least 0.0 and at most 1.0"),
        (lambda: F.batch_norm(X[:1], V, V, training=True), ValueError, "more than 1 row when training, got 1"),
        (lambda: F.batch_norm(V, V, V, training=True), ValueError, "more than 1 row when training, got 1"),
        (lambda: F.batch_norm(X, V[::-1], V, training=True), ValueError, "running_mean must be a writable, C-cont"),
        (lambda: F.batch_norm(X, V, [1.0] * 3, training=True), ValueError, "running_var must be a writable, C-cont"),
        (lambda: F.batch_norm_backward(X[:1], X[:1], V, V, training=True), ValueError, "more than 1 row when"),
        (lambda: F.batch_norm_backward(X, X, None, V), ValueError, "running_mean must be given unless training"),
    ],
)
def test_errors(call, error, message, backend):
    before = X.copy(), V.copy()
    with pytest.raises(error, match=message):
        call()
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(V, before[1])


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_eps_of_zero(dtype, backend):
    """0 / 0 is NaN, in that row or column alone."""
    equal, zero = np.array([[3, 3, 3], [1, 2, 3]], dtype), np.array([[0, 0, 0], [1, 2, 3]], dtype)
    with fastnn.use_backend(backend):
        for y in (F.layer_norm(equal, eps=0.0), F.rms_norm(zero, eps=0.0)):
            assert np.isnan(y[0]).all() and np.isfinite(y[1]).all()
        for backward, x in ((F.layer_norm_backward, equal), (F.rms_norm_backward, zero)):
            grad_x = backward(np.ones_like(x), x, eps=0.0)[0]
            assert np.isnan(grad_x[0]).all() and np.isfinite(grad_x[1]).all()
        y = F.batch_norm(np.array([[1, 5], [1, 6]], dtype), None, None, training=True, eps=0.0)
        assert np.isnan(y[:, 0]).all() and y[:, 1].tolist() == [-1, 1]
        y = F.batch_norm(np.array([[1, 5], [0, 6]], dtype), np.zeros(2, dtype), np.array([0, 1], dtype), eps=0.0)
        assert y[0, 0] == np.inf and np.isnan(y[1, 0]) and y[:, 1].tolist() == [5, 6]
