"""Norms, distances, cosines, bilinear maps, one-hot rows, and normalization of groups: against PyTorch's numbers."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn._core import threads
from fastnn.testing.measure import assert_same_bits
from support import RECORDED
from support.gradients import assert_gradient

STORED = np.load(RECORDED / "torch_distances.npz")
WITH_FMA = [isa for isa in fastnn.available_isas() if isa != "sse2"]
NAN, INF = np.nan, np.inf


def stored(name):
    """The arrays of what PyTorch computed, by name."""
    return {key.removeprefix(f"{name}/"): STORED[key] for key in STORED.files if key.startswith(f"{name}/")}


# name of the case: keywords of the function
CASES = {
    **{f"{name}/{p}": {"p": p} for p in (0.5, 1.0, 2.0, 3.0, INF) for name in ("normalize", "pairwise_distance")},
    "normalize/axis": {"dim": 0},
    "normalize/eps": {"dim": -1, "eps": 2.5},
    "pairwise_distance/keepdim": {"eps": 1e-3, "keepdim": True},
    "cosine_similarity/rows": {},
    "cosine_similarity/axis": {"dim": 0},
    "cosine_similarity/eps": {"eps": 3.0},
    "bilinear/rows": {},
    "bilinear/axes": {},
    "group_norm/columns": {"num_groups": 3},
    "group_norm/positions": {"num_groups": 3},
    "group_norm/images": {"num_groups": 3},
    "group_norm/plain": {"num_groups": 2, "eps": 0.1},
    "instance_norm/positions": {},
    "instance_norm/images": {},
    "layer_norm/layer_norm": {"normalized_shape": (2, 5)},
    "layer_norm/layer_norm3": {"normalized_shape": (2, 2, 5)},
    "rms_norm/axes": {"normalized_shape": [2, 5]},
}
NORMS = ("group_norm", "instance_norm", "layer_norm", "rms_norm")


def call(name, arrays, g=None):
    """The function of a case or, with g, its gradients."""
    name, keywords = name.split("/")[0], CASES[name]
    x, *rest = arrays
    if name in NORMS:
        keywords = keywords | dict(zip(("weight", "bias"), rest, strict=False))
        rest = []
    if g is None:
        return getattr(F, name)(x, *rest, **keywords)
    keywords.pop("bias", None)
    rest = rest[:2] if name == "bilinear" else rest
    result = getattr(F, f"{name}_backward")(g, x, *rest, **keywords)
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", CASES)
def test_they_are_those_of_torch(name, dtype, backend):
    case, tolerance = stored(name), 1e-12 if dtype == "float64" else 2e-5
    arrays = [case[f"x{i}"].astype(dtype) for i in range(len(case)) if f"x{i}" in case]
    y = call(name, arrays)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, case["y"], rtol=tolerance, atol=tolerance)
    gradients = call(name, arrays, case["g"].astype(dtype))
    for i, gradient in enumerate(gradients[: len(arrays)]):
        assert gradient.dtype == dtype
        assert gradient.shape == arrays[i].shape
        np.testing.assert_allclose(gradient, case[f"grad{i}"], rtol=20 * tolerance, atol=20 * tolerance)


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("cosine_similarity/eps", "normalize/eps")])
def test_gradients_are_central_differences(name, backend):
    """Except where PyTorch's own are not: of a cosine with a norm below eps."""
    case = stored(name)
    arrays, g = [case[f"x{i}"] for i in range(len(case)) if f"x{i}" in case], case["g"]
    for i, gradient in enumerate(call(name, arrays, g)[: len(arrays)]):
        assert_gradient(
            gradient, lambda moved, i=i: (g * call(name, [*arrays[:i], moved, *arrays[i + 1 :]])).sum(), arrays[i]
        )


@pytest.mark.parametrize("backend_dtype", ["float32", "float64"])
def test_running_statistics_of_instances_are_those_of_torch(backend_dtype, backend):
    case, tolerance = stored("running"), 1e-12 if backend_dtype == "float64" else 1e-5
    mean, var = np.zeros(4, backend_dtype), np.ones(4, backend_dtype)
    for i in range(2):
        F.instance_norm(case[f"batch{i}"].astype(backend_dtype), mean, var, momentum=0.3)
    np.testing.assert_allclose(mean, case["mean"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(var, case["var"], rtol=tolerance)
    x, g = case["x"].astype(backend_dtype), case["g"].astype(backend_dtype)
    y = F.instance_norm(x, mean, var, use_input_stats=False)
    np.testing.assert_allclose(y, case["y"], rtol=10 * tolerance, atol=tolerance)
    grad_x, grad_weight, grad_bias = F.instance_norm_backward(g, x, mean, var, use_input_stats=False)
    np.testing.assert_allclose(grad_x, case["grad_x"], rtol=10 * tolerance, atol=tolerance)
    np.testing.assert_allclose(grad_bias, g.sum(axis=(0, 2)), rtol=1e-4)
    np.testing.assert_allclose(grad_weight, (g * y).sum(axis=(0, 2)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0, INF])
@pytest.mark.parametrize("size", [1e25, 1e-25])
def test_extreme_numbers_do_not_overflow(p, size, backend):
    """Squares of numbers of this size are no floats."""
    rng = np.random.default_rng(0)
    x, other = (rng.normal(size=(3, 20)).astype("float32") * np.float32(size) for _ in range(2))
    wide = x.astype("float64"), other.astype("float64")
    np.testing.assert_allclose(F.normalize(x, p, eps=0.0), F.normalize(wide[0], p, eps=0.0), rtol=2e-5)
    distance = F.pairwise_distance(x, other, p, 0.0)
    np.testing.assert_allclose(distance, F.pairwise_distance(*wide, p, 0.0), rtol=2e-5)
    g = np.ones(3, "float32")
    gradient = F.pairwise_distance_backward(g, x, other, p, 0.0)[0]
    expected = F.pairwise_distance_backward(g.astype("float64"), *wide, p, 0.0)[0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)
    cosine = F.cosine_similarity(x, other, eps=0.0)
    np.testing.assert_allclose(cosine, F.cosine_similarity(*wide, eps=0.0), rtol=2e-5, atol=1e-6)
    y = F.group_norm(x, 5, eps=0.0)
    np.testing.assert_allclose(y, F.group_norm(wide[0], 5, eps=0.0), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 3.0, INF])
def test_nan_and_infinities(p, dtype, backend):
    x = np.array([[1, NAN, 2], [1, INF, 2], [-3, 0, 4], [0, 0, 0]], dtype)
    other = np.zeros_like(x)
    y = F.normalize(x, p)
    assert np.isnan(y[0]).all()
    if p:
        np.testing.assert_array_equal(y[1], [0, NAN, 0])
        np.testing.assert_array_equal(F.pairwise_distance(x, other, p, 0.0)[[0, 1, 3]], [NAN, INF, 0])
    np.testing.assert_array_equal(y[3], 0)
    grad_x, grad_other = F.pairwise_distance_backward(np.ones(4, dtype), x, other, p, 0.0)
    assert np.isnan(grad_x[0]).all()
    np.testing.assert_array_equal(grad_x[3], 0)
    np.testing.assert_array_equal(grad_other[2:], -grad_x[2:])
    cosine = F.cosine_similarity(x, np.ones_like(x))
    np.testing.assert_array_equal(np.isnan(cosine), [True, True, False, False])
    assert cosine[3] == 0
    assert np.isfinite(F.cosine_similarity_backward(np.ones(4, dtype), x, np.ones_like(x))[0][2:]).all()


def test_equal_largest_entries_share_the_gradient(backend):
    grad_x, _ = F.pairwise_distance_backward(np.ones(1), np.array([[2.0, -2.0, 1.0]]), np.zeros((1, 3)), INF, 0.0)
    np.testing.assert_array_equal(grad_x, [[0.5, -0.5, 0]])


def test_number_of_entries_that_are_not_0(dtype, backend):
    x = np.array([[0, 3, -4], [0, 0, 5]], dtype)
    np.testing.assert_array_equal(F.pairwise_distance(x, np.zeros_like(x), 0.0, 0.0), [2, 1])
    np.testing.assert_array_equal(F.normalize(x, 0), [[0, 1.5, -2], [0, 0, 5]])


@pytest.mark.parametrize("isa", WITH_FMA)
def test_bits_are_those_of_any_threads_and_rows(isa, dtype, rng, isas):
    """Same bits for one thread and two, for all rows and some, and for every instruction set."""
    from fastnn._core import dispatch

    x, other, g = (rng.normal(size=(301, 34)).astype(dtype) for _ in range(3))
    weight, vector = rng.normal(size=(3, 34, 34)).astype(dtype), rng.normal(size=34).astype(dtype)
    calls = [
        lambda s: F.normalize(x[s]),
        lambda s: F.normalize_backward(g[s], x[s]),
        lambda s: F.pairwise_distance(x[s], other[s]),
        lambda s: F.pairwise_distance_backward(g[s, 0].copy(), x[s], other[s])[0],
        lambda s: F.cosine_similarity(x[s], other[s]),
        lambda s: F.cosine_similarity_backward(g[s, 0].copy(), x[s], other[s])[1],
        lambda s: F.bilinear(x[s], other[s], weight),
        lambda s: F.bilinear_backward(np.ascontiguousarray(g[s, :3]), x[s], other[s], weight)[1],
        lambda s: F.group_norm(x[s], 2, vector, vector),
        lambda s: F.group_norm_backward(g[s], x[s], 17, vector)[0],
        lambda s: F.instance_norm(x[s].reshape(-1, 2, 17), weight=vector[:2], bias=vector[:2]),
    ]
    everything, before = slice(None), threads.get_num_threads()
    expected = [call(everything) for call in calls]
    grads = F.group_norm_backward(g, x, 2, vector)[1:]
    try:
        dispatch.set_isa(isa)
        for n in (1, 2):
            threads.set_num_threads(n)
            for call, y in zip(calls, expected, strict=True):
                assert_same_bits(call(everything), y)
                assert_same_bits(np.concatenate([call(slice(0, 100)), call(slice(100, None))]), y)
            for gradient, same in zip(F.group_norm_backward(g, x, 2, vector)[1:], grads, strict=True):
                assert_same_bits(gradient, same)
    finally:
        threads.set_num_threads(before)


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0)])
def test_empty_input(shape, dtype, backend):
    x = np.empty(shape, dtype)
    assert F.normalize(x).shape == F.normalize_backward(x, x).shape == shape
    np.testing.assert_array_equal(F.pairwise_distance(x, x), np.zeros(shape[0]))
    np.testing.assert_array_equal(F.cosine_similarity(x, x), np.zeros(shape[0]))
    assert F.cosine_similarity_backward(np.ones(shape[0], dtype), x, x)[0].shape == shape
    assert F.pairwise_distance_backward(np.ones(shape[0], dtype), x, x)[1].shape == shape
    y = F.bilinear(x, x, np.ones((2, shape[1], shape[1]), dtype), np.ones(2, dtype))
    np.testing.assert_array_equal(y, np.ones((shape[0], 2)))
    gradients = F.bilinear_backward(np.ones((shape[0], 2), dtype), x, x, np.ones((2, shape[1], shape[1]), dtype))
    assert [g.shape for g in gradients] == [shape, shape, (2, shape[1], shape[1]), (2,)]
    assert F.group_norm(x, 1).shape == F.group_norm_backward(x, x, 1)[0].shape == shape


def test_one_hot(backend):
    y = F.one_hot(np.array([[2, 0], [1, 1]], "int8"))
    assert y.dtype == "int64"
    np.testing.assert_array_equal(y, np.eye(3)[[[2, 0], [1, 1]]])
    assert F.one_hot(np.array(1), 3).tolist() == [0, 1, 0]
    assert F.one_hot(np.empty((0, 2), int), 4).shape == (0, 2, 4)


X = np.ones((2, 4))
WRONG = [
    (lambda: F.normalize(X[0]), "dim must be between -1 and 0 for x of shape"),
    (lambda: F.normalize(X, -1), "p must be at least 0"),
    (lambda: F.normalize(X, eps=-1), "eps must be at least 0"),
    (lambda: F.normalize_backward(X[:1], X), "grad_output must have the shape of x"),
    (lambda: F.cosine_similarity(X, X[:, :3]), "x1 and x2 must have shapes that can be broadcast"),
    (lambda: F.cosine_similarity_backward(X, X, X), r"grad_output must have shape \(2,\) for these x1 and x2"),
    (lambda: F.pairwise_distance(np.array(1.0), np.array(2.0)), "x1 and x2 must have at least one axis"),
    (lambda: F.bilinear(X, X, X), r"weight must have shape \(out_features, in1_features, in2_features\)"),
    (lambda: F.bilinear(X, X, np.ones((2, 4, 3))), r"x2 must have shape \(..., 3\)"),
    (lambda: F.bilinear(X, X[:1], np.ones((2, 4, 4))), "x1 and x2 must have the same axes"),
    (lambda: F.group_norm(X, 3), "num_groups must divide the number of channels, 4, got 3"),
    (lambda: F.group_norm(X[0], 2), r"x must have shape \(rows, channels, ...\)"),
    (lambda: F.instance_norm(X), "more than one position"),
    (lambda: F.instance_norm(X[..., None] * np.ones(2), np.ones(4)), "must both be given"),
    (lambda: F.one_hot(np.empty(0, int)), "labels is empty"),
    (lambda: F.one_hot([0, -1]), r"labels\[1\] is -1: labels must be at least 0"),
    (lambda: F.one_hot([0, 3], 3), r"labels\[1\] is 3: labels must be between 0 and 2"),
    (lambda: F.one_hot([0.0]), "labels must be integers"),
    (lambda: F.layer_norm(X, normalized_shape=(4, 2)), r"the shape of x must end with normalized_shape, \(4, 2\)"),
    (lambda: F.layer_norm(X, np.ones(8), normalized_shape=(2, 4)), r"the shape of weight must be normalized_shape"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_wrong_arguments(call, message, backend):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
