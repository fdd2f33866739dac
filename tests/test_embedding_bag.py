"""Bags of rows of a table, rows of limited norm, and gradients divided by frequency: functions and layers."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn._core import threads
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient
from support.tables import TABLES
from test_distances import stored

NAN, INF = np.nan, np.inf
FORWARD_ONLY = ("max_norm", "norm_type")


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_those_of_torch(name, dtype, backend):
    a, tolerance = stored(f"table/{name}"), 1e-12 if dtype == "float64" else 1e-5
    a = {key: value if key == "codes" else value.astype(dtype) for key, value in a.items()}
    bag, options, weight = name.startswith("bag"), dict(TABLES[name]), a["weight"].copy()
    if "sample" in a:
        options["per_sample_weights"] = a["sample"]
    y = (F.embedding_bag if bag else F.embedding)(a["codes"], weight, **options)
    np.testing.assert_allclose(y, a["y"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(weight, a["after"], rtol=tolerance)
    options = {key: value for key, value in options.items() if key not in FORWARD_ONLY}
    backward = F.embedding_bag_backward if bag else F.embedding_backward
    gradient = backward(a["g"], a["codes"], weight, **options)
    if "sample" in a:
        gradient, of_samples = gradient
        np.testing.assert_allclose(of_samples, a["grad_sample"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradient, a["grad_weight"], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 1])
def test_gradients_are_central_differences(mode, padding_idx, rng, backend):
    codes, weight, g = rng.integers(0, 5, (4, 3)), rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
    options = {"mode": mode, "padding_idx": padding_idx}
    gradient = F.embedding_bag_backward(g, codes, weight, **options)
    assert_gradient(gradient, lambda w: (g * F.embedding_bag(codes, w, **options)).sum(), weight)
    if mode == "sum":
        sample = rng.normal(size=codes.shape)
        grads = F.embedding_bag_backward(g, codes, weight, per_sample_weights=sample, **options)
        calls = (
            lambda w: (g * F.embedding_bag(codes, w, per_sample_weights=sample, **options)).sum(),
            lambda s: (g * F.embedding_bag(codes, weight, per_sample_weights=s, **options)).sum(),
        )
        for gradient, f, at in zip(grads, calls, (weight, sample), strict=True):
            assert_gradient(gradient, f, at)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_gradients_of_bags_are_divided_by_frequency(mode, dtype, rng, backend):
    """By that of the row: PyTorch 2.13 divides by that of another one on the CPU."""
    codes, weight, g = rng.integers(0, 5, (4, 3)), np.zeros((6, 2), dtype), rng.normal(size=(4, 2)).astype(dtype)
    gradient = F.embedding_bag_backward(g, codes, weight, scale_grad_by_freq=True, mode=mode)
    upstream = np.repeat(g[:, None], 3, axis=1) / dtype.type(3 if mode == "mean" else 1)
    expected = F.embedding_backward(upstream, codes, weight, scale_grad_by_freq=True)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


def test_nan_in_bags(dtype, backend):
    weight = np.array([[1, NAN], [NAN, 2], [3, NAN], [0, 0]], dtype)
    codes = np.array([[0, 2], [1, 3], [2, 0]])
    np.testing.assert_array_equal(F.embedding_bag(codes, weight, mode="max"), [[3, NAN], [NAN, 2], [3, NAN]])
    g = np.ones((3, 2), dtype)
    gradient = F.embedding_bag_backward(g, codes, weight, mode="max")  # of the first NaN
    np.testing.assert_array_equal(gradient, [[0, 1], [1, 1], [2, 1], [0, 0]])
    np.testing.assert_array_equal(F.embedding_bag(codes, weight, mode="sum"), [[4, NAN], [NAN, 2], [4, NAN]])


def test_bags_without_codes(dtype, backend):
    weight = np.ones((3, 2), dtype)
    for mode in ("sum", "mean", "max"):
        assert F.embedding_bag(np.empty((0, 4), int), weight, mode=mode).shape == (0, 2)
        np.testing.assert_array_equal(F.embedding_bag(np.empty((2, 0), int), weight, mode=mode), np.zeros((2, 2)))
        np.testing.assert_array_equal(F.embedding_bag(np.empty(0, int), weight, [0, 0], mode=mode), np.zeros((2, 2)))
        all_padding = F.embedding_bag(np.ones((2, 3), int), weight, mode=mode, padding_idx=1)
        np.testing.assert_array_equal(all_padding, np.zeros((2, 2)))
        gradient = F.embedding_bag_backward(np.ones((2, 2), dtype), np.empty((2, 0), int), weight, mode=mode)
        np.testing.assert_array_equal(gradient, np.zeros((3, 2)))


def test_norms_of_extreme_rows(backend):
    weight = np.array([[3e25, 4e25], [3e-25, 4e-25], [NAN, 1], [3, 4]], "float32")
    y = F.embedding(np.array([0, 1, 2]), weight, max_norm=1.0)
    np.testing.assert_allclose(y[0], [0.6, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(y[1], np.array([3e-25, 4e-25], "float32"))
    np.testing.assert_array_equal(weight[2:], np.array([[NAN, 1], [3, 4]], "float32"))


@pytest.mark.parametrize("options", [{}, {"mode": "sum", "scale_grad_by_freq": True}, {"mode": "max"}])
def test_bits_are_those_of_any_threads_and_instruction_set(options, dtype, rng, isas):
    from fastnn._core import dispatch

    codes, weight = rng.integers(0, 9, (203, 7)), rng.normal(size=(9, 33)).astype(dtype)
    g = rng.normal(size=(203, 33)).astype(dtype)
    y, gradient = F.embedding_bag(codes, weight, **options), F.embedding_bag_backward(g, codes, weight, **options)
    before = threads.get_num_threads()
    try:
        for isa in isas:
            dispatch.set_isa(isa)
            for n in (1, 2):
                threads.set_num_threads(n)
                assert_same_bits(F.embedding_bag(codes, weight, **options), y)
                assert_same_bits(F.embedding_bag_backward(g, codes, weight, **options), gradient)
                halves = [F.embedding_bag(part, weight, **options) for part in (codes[:100], codes[100:])]
                assert_same_bits(np.concatenate(halves), y)
    finally:
        threads.set_num_threads(before)


W = np.zeros((7, 2))
WRONG = [
    (lambda: F.embedding_bag([0, 1], W), r"codes must have shape \(bags, size\) unless offsets are given"),
    (lambda: F.embedding_bag([[0, 1]], W, [0]), "codes must be a vector if offsets are given"),
    (lambda: F.embedding_bag([0, 1], W, [1]), "offsets must ascend from 0"),
    (lambda: F.embedding_bag([0, 1], W, [0, 2, 1]), "offsets must ascend from 0"),
    (lambda: F.embedding_bag([0, 1], W, [0, 3]), "offsets must ascend from 0"),
    (lambda: F.embedding_bag([0, 1], W, [0.0]), "offsets must be integers"),
    (lambda: F.embedding_bag([[0, 7]], W), r"codes\[0, 1\] is 7: codes must be"),
    (lambda: F.embedding_bag([[0]], W, mode="min"), "mode must be one of 'sum', 'mean', 'max', got 'min'"),
    (lambda: F.embedding_bag([[0]], W, per_sample_weights=[[1.0]]), 'per_sample_weights need mode="sum"'),
    (lambda: F.embedding_bag([[0]], W, mode="max", scale_grad_by_freq=True), "scale_grad_by_freq does not go"),
    (lambda: F.embedding_bag([[0]], W, max_norm=-1.0), "max_norm must be at least 0"),
    (lambda: F.embedding_bag([[0]], W.tolist(), max_norm=1.0), "weight must be an ndarray, which is updated in place"),
    (lambda: F.embedding_bag_backward(W, [[0]], W), r"grad_output must have shape \(1, 2\)"),
    (lambda: F.embedding([0], W, max_norm=1.0, norm_type=-1.0), "norm_type must be at least 0"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_wrong_arguments(call, message, backend):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
