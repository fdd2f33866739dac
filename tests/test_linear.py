"""The affine map and its gradients: exact for small integers in small shapes, within the bound of theory for others."""

import itertools

import numpy as np
import pytest

import fastnn.functional as F
from fastnn import nn
from fastnn._core import linear as core
from fastnn.functional.linear import ACTIVATIONS
from fastnn.testing.measure import assert_same_bits, wide
from support.guard import Guard
from support.layers import assert_network_gradients, draw

SMALL = range(1, 25)  # past one tile, and one register, in every direction
LARGE = [(1, 1000, 1), (7, 300, 65), (130, 257, 33), (33, 513, 40), (250, 64, 100)]  # rows, in and out features


def integers(rng, dtype, *shape):
    return rng.integers(-4, 5, shape).astype(dtype)


def assert_within_bound(actual, x, weight, start, k):
    """|error| <= gamma_k (|x| |weight| + |start|), which bounds k multiply-adds in any order (Higham 2002, 3.1)."""
    unit = np.finfo(actual.dtype).eps / 2
    gamma = (k + 1) * unit / (1 - (k + 1) * unit)
    x, weight, start = map(wide, (x, weight, start))
    assert (np.abs(actual - (x @ weight + start)) <= gamma * (np.abs(x) @ np.abs(weight) + np.abs(start))).all()


def test_every_small_product_is_exact(dtype, isa, rng):
    x, weight, bias = integers(rng, dtype, 24, 24), integers(rng, dtype, 24, 24), integers(rng, dtype, 24)
    rows = {(m, k): x[:m, :k].copy() for m in SMALL for k in SMALL}
    weights = {(k, n): weight[:k, :n].copy() for k in SMALL for n in SMALL}
    for k in SMALL:
        expected = x[:, :k] @ weight[:k] + bias
        for m, n in itertools.product(SMALL, SMALL):
            y = core.linear(rows[m, k], weights[k, n], bias[:n], np.full((m, n), np.nan, dtype))
            if not np.array_equal(y, expected[:m, :n]):
                np.testing.assert_array_equal(y, expected[:m, :n], err_msg=f"{m} x {k} x {n}")


def test_every_small_gradient_is_exact(dtype, isa, rng):
    sizes = (1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 32, 33)
    for m, k, n in itertools.product(sizes, sizes, sizes):
        g, x, weight = integers(rng, dtype, m, n), integers(rng, dtype, m, k), integers(rng, dtype, k, n)
        for actual, expected in zip(
            F.linear_backward(g, x, weight), (g @ weight.T, x.T @ g, g.sum(axis=0)), strict=True
        ):
            if not np.array_equal(actual, expected):
                np.testing.assert_array_equal(actual, expected, err_msg=f"{m} x {k} x {n}")


@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_large_products_are_within_the_bound(shape, dtype, isa, rng):
    m, k, n = shape
    x, weight, bias, g = (rng.normal(size=s).astype(dtype) for s in ((m, k), (k, n), (n,), (m, n)))
    assert_within_bound(F.linear(x, weight, bias), x, weight, bias, k)
    assert_within_bound(F.linear(x, weight), x, weight, np.zeros(n, dtype), k)
    grad_x, grad_weight, grad_bias = F.linear_backward(g, x, weight)
    assert_within_bound(grad_x, g, weight.T, np.zeros(k, dtype), n)
    assert_within_bound(grad_weight, x.T, g, np.zeros(n, dtype), m)
    assert_within_bound(grad_bias, np.ones((1, m), dtype), g, np.zeros(n, dtype), m)


def test_no_features_give_the_bias(dtype, isa, threads):
    bias = np.arange(3, dtype=dtype)
    x, weight = np.empty((4, 0), dtype), np.empty((0, 3), dtype)
    np.testing.assert_array_equal(F.linear(x, weight, bias), np.tile(bias, (4, 1)))
    np.testing.assert_array_equal(F.linear(x, weight), np.zeros((4, 3)))
    grad_x, grad_weight, grad_bias = F.linear_backward(np.ones((4, 3), dtype), x, weight)
    assert (grad_x.shape, grad_weight.shape) == ((4, 0), (0, 3))
    np.testing.assert_array_equal(grad_bias, [4, 4, 4])


@pytest.mark.parametrize("shape", [(0, 3, 2), (4, 3, 0), (0, 0, 0)], ids=str)
def test_empty_products(shape, dtype, isa, threads):
    m, k, n = shape
    x, weight, bias, g = np.ones((m, k), dtype), np.ones((k, n), dtype), np.ones(n, dtype), np.ones((m, n), dtype)
    assert F.linear(x, weight, bias).shape == (m, n)
    for gradient, like in zip(F.linear_backward(g, x, weight), (x, weight, bias), strict=True):
        assert_same_bits(gradient, np.zeros_like(like))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_zeros_are_not_skipped(bad, dtype, isa):
    """0 * inf is NaN, wherever in the product it is; a row without it does not see it."""
    for k, n in itertools.product((1, 2, 17, 300), (1, 5, 16, 40)):
        x, weight = np.zeros((3, k), dtype), np.zeros((k, n), dtype)
        x[1, k // 2] = bad
        np.testing.assert_array_equal(
            F.linear(x, weight), np.where(np.arange(3)[:, None] == 1, np.nan, np.zeros((3, n)))
        )
        weight[k // 2, n - 1] = bad
        assert np.isnan(F.linear(np.zeros((3, k), dtype), weight)[:, n - 1]).all()


def test_any_number_of_leading_axes(dtype, rng):
    x, weight, bias = (rng.normal(size=s).astype(dtype) for s in ((2, 3, 4), (4, 5), (5,)))
    flat = F.linear(x.reshape(6, 4), weight, bias)
    assert_same_bits(F.linear(x, weight, bias), flat.reshape(2, 3, 5))
    assert_same_bits(F.linear(x[1, 2], weight, bias), flat[5])
    assert F.linear(np.empty((2, 0, 4), dtype), weight).shape == (2, 0, 5)
    g = rng.normal(size=(2, 3, 5)).astype(dtype)
    expected = F.linear_backward(g.reshape(6, 5), x.reshape(6, 4), weight)
    for actual, e in zip(F.linear_backward(g, x, weight), expected, strict=True):
        assert_same_bits(actual, e.reshape(actual.shape))
    for actual, like in zip(F.linear_backward(g[0, 0], x[0, 0], weight), (x[0, 0], weight, bias), strict=True):
        assert actual.shape == like.shape


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_fused_activation_has_the_bits_of_the_two(activation, dtype, isa, threads, rng):
    x, weight, bias = (rng.normal(size=s).astype(dtype) for s in ((130, 21), (21, 70), (70,)))
    for rows in (1, 130):
        separate = getattr(F, activation)(F.linear(x[:rows], weight, bias))
        assert_same_bits(F.linear(x[:rows], weight, bias, activation), separate)


def test_errors(dtype):
    x, weight, bias = np.ones((2, 3), dtype), np.ones((3, 4), dtype), np.ones(4, dtype)
    wrong = [
        ((np.ones((2, 5), dtype), weight), r"x has 5 features, weight of shape \(3, 4\) takes 3"),
        ((np.array(1, dtype), weight), "x has no features"),
        ((x, np.ones(3, dtype)), r"weight must have shape \(in_features, out_features\), got \(3,\)"),
        ((x, weight, np.ones(3, dtype)), r"bias must have shape \(4,\) .*, got \(3,\)"),
        ((x, weight, bias, "rule"), "activation must be one of None, 'sigmoid', .*, got 'rule'"),
    ]
    for arguments, message in wrong:
        with pytest.raises(ValueError, match=message):
            F.linear(*arguments)
    with pytest.raises(ValueError, match=r"grad_output must have shape \(2, 4\) .*, got \(2, 3\)"):
        F.linear_backward(np.ones((2, 3), dtype), x, weight)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [
        (60, 300, 256),
        (125, 257, 512),
        (49, 513, 1024),
        (300, 20, 288),
        (301, 1024, 161),
        (65, 512, 256),
        (291, 768, 130),
    ],
)
def test_rows_that_fall_into_the_same_sets_of_the_caches(m, k, n, dtype, isa, threads):
    """Panels of such weights, and tiles of such rows, are copied together first; the products are the same."""
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-4, 5, shape).astype(dtype) for shape in ((m, k), (k, n)))
    g = rng.integers(-4, 5, (m, n)).astype(dtype)
    np.testing.assert_array_equal(F.linear(x, w, w[0]), x @ w + w[0])
    for actual, expected in zip(F.linear_backward(g, x, w), (g @ w.T, x.T @ g, g.sum(0)), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [63, 64, 128, 200, 391])
def test_few_rows_take_wide_panels(m, n, dtype, isa, threads, rng):
    x, weight, bias = integers(rng, dtype, m, 40), integers(rng, dtype, 40, n), integers(rng, dtype, n)
    np.testing.assert_array_equal(F.linear(x, weight, bias), x @ weight + bias)


def test_linear_alone_is_its_function(dtype, backend, rng):
    layer = nn.Linear(2, 3, seed=0, dtype=dtype.name)
    x, upstream = draw(rng, (4, 5, 2), dtype), draw(rng, (4, 5, 3), dtype)
    assert_same_bits(layer(x), F.linear(x, layer.weight, layer.bias))
    grad_x, grad_weight, grad_bias = F.linear_backward(upstream, x, layer.weight)
    assert_same_bits(layer.backward(upstream), grad_x)
    np.testing.assert_array_equal(layer.gradient("weight"), grad_weight)
    np.testing.assert_array_equal(layer.gradient("bias"), grad_bias)
    assert_network_gradients(nn.Sequential(nn.Linear(2, 3), dtype="float64", seed=0), draw(rng, (4, 2)), rng)


def test_linear_starts_from_its_seed(dtype):
    """Uniform within 1 / sqrt(in_features), and the same on any machine and in either dtype."""
    first, second, other = (nn.Linear(9, 40, seed=seed, dtype=dtype.name) for seed in (0, 0, 1))
    assert_same_bits(first.weight, second.weight)
    assert_same_bits(first.bias, second.bias)
    assert (first.weight != other.weight).mean() > 0.99
    assert first.weight.shape == (9, 40)
    assert first.bias.shape == (40,)
    values = np.concatenate([first.weight.ravel(), first.bias])
    assert np.abs(values).max() <= 1 / 3
    np.testing.assert_allclose([values.mean(), values.std()], [0, 3**-1.5], atol=0.02)
    np.testing.assert_allclose(first.weight[0, :3], [0.07736879, 0.1124853, 0.0011458], rtol=1e-5)


def test_linear_without_bias(backend, rng):
    layer, x = nn.Linear(3, 2, bias=False, seed=0, dtype="float64"), draw(rng, (4, 3))
    assert layer.bias is None
    assert layer.gradient("bias") is None
    np.testing.assert_allclose(layer(x), x @ layer.weight, rtol=1e-13)
    net = nn.Sequential(nn.Linear(3, 2, bias=False), nn.Tanh(), nn.Linear(2, 2, bias=False), seed=0, dtype="float64")
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "2.weight"]
    assert_network_gradients(net, x, rng)


def test_weight_and_bias_can_be_assigned():
    layer = nn.Linear(2, 2)
    layer.weight, layer.bias = [[1, 2], [3, 4]], np.array([10, 20])
    np.testing.assert_array_equal(layer(np.ones((1, 2), "float32")), [[14, 26]])
    with pytest.raises(ValueError, match="broadcast"):
        layer.weight = np.zeros((3, 2))


@pytest.mark.parametrize("columns", [1024, 1101])
def test_few_rows_of_a_large_product_have_the_bits_of_many(columns, dtype, isa, rng):
    """Below 12 rows a large weight is read row by row; its last columns end at the end of a page."""
    x, bias = rng.normal(size=(60, 601)).astype(dtype), rng.normal(size=columns).astype(dtype)
    weight = Guard(601 * columns * 8).hold(rng.normal(size=(601, columns)).astype(dtype), True)
    for start in (bias, None):
        whole = F.linear(x, weight, start)
        for rows in range(1, 14):
            assert F.linear(x[:rows], weight, start).tobytes() == whole[:rows].tobytes(), rows


def test_few_rows_of_large_gradients_have_the_bits_of_many(dtype, isa, rng):
    g, x = rng.normal(size=(700, 9)).astype(dtype), rng.normal(size=(700, 1024)).astype(dtype)
    weight = rng.normal(size=(1024, 9)).astype(dtype)
    whole = F.linear_backward(g, x, weight)[1]
    part = F.linear_backward(np.ascontiguousarray(g[:, :3]), x, np.ascontiguousarray(weight[:, :3]))[1]
    assert np.ascontiguousarray(whole[:, :3]).tobytes() == part.tobytes()
