"""The NumPy reference against hand-checked values, central differences and the limits of its formulas."""

import math

import numpy as np
import pytest

import fastnn.reference as ref
from fastnn.testing.cases.ops import UPDATES
from fastnn.testing.cases.records import numbered
from test_reference_layers import layer_calls

pytestmark = pytest.mark.filterwarnings("error")

INF, NAN = math.inf, math.nan
DTYPES = [np.float32, np.float64]
OUTPUT_BACKWARD = {
    "sigmoid",
    "tanh",
    "exp",
    "softmax",
    "softmin",
    "log_softmax",
}  # their gradients take the output, not x

ACTIVATIONS = [
    ("sigmoid", {}),
    ("tanh", {}),
    ("relu", {}),
    ("leaky_relu", {"negative_slope": 0.1}),
    ("elu", {"alpha": 1.5}),
    ("selu", {}),
    ("celu", {"alpha": 1.5}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {"beta": 2.0, "threshold": 5.0}),
    ("softsign", {}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("relu6", {}),
    ("logsigmoid", {}),
    ("threshold", {"threshold": -0.5, "value": 2.0}),
    ("tanhshrink", {}),
    ("softshrink", {"lambd": 1.5}),
    ("hardshrink", {"lambd": 1.5}),
]


def difference_gradient(f, x, eps=1e-6):
    """Return the central differences of a scalar function of an array."""
    grad = np.empty_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = eps
        grad[index] = (f(x + step) - f(x - step)) / (2 * eps)
    return grad


def assert_gradient(grad, f, x):
    np.testing.assert_allclose(grad, difference_gradient(f, x), atol=1e-5, rtol=1e-3)


def assert_same(actual, expected):
    """Equal, NaN with NaN, and zeros with the same sign."""
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(np.signbit(actual) & (actual == 0), np.signbit(expected) & (actual == 0))


def backward(name, grad_output, x, *args, **kwargs):
    second = getattr(ref, name)(x, *args, **kwargs) if name in OUTPUT_BACKWARD else x
    return getattr(ref, f"{name}_backward")(grad_output, second, *args, **kwargs)


# Activations


@pytest.mark.parametrize(("name", "kwargs"), ACTIVATIONS)
def test_activation_gradient(name, kwargs):
    rng = np.random.default_rng(0)
    x = rng.uniform(-8, 8, size=(4, 10))
    grad_output = rng.normal(size=x.shape)
    grad = backward(name, grad_output, x, **kwargs)
    assert_gradient(grad, lambda x: (grad_output * getattr(ref, name)(x, **kwargs)).sum(), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "at_minus_inf", "at_minus_zero", "at_inf"),
    [
        ("sigmoid", 0.0, 0.5, 1.0),
        ("tanh", -1.0, -0.0, 1.0),
        ("relu", 0.0, -0.0, INF),
        ("leaky_relu", -INF, -0.0, INF),
        ("elu", -1.0, -0.0, INF),
        ("celu", -1.0, -0.0, INF),
        ("gelu", -0.0, -0.0, INF),
        ("silu", -0.0, -0.0, INF),
        ("mish", -0.0, -0.0, INF),
        ("softsign", -1.0, -0.0, 1.0),
        ("hardsigmoid", 0.0, 0.5, 1.0),
        ("hardswish", -0.0, -0.0, INF),
        ("hardtanh", -1.0, -0.0, 1.0),
        ("relu6", 0.0, -0.0, 6.0),
        ("threshold", 0.0, 0.0, INF),
        ("tanhshrink", -INF, -0.0, INF),
        ("softshrink", -INF, 0.0, INF),
        ("hardshrink", -INF, 0.0, INF),
    ],
)
def test_activation_limits(name, at_minus_inf, at_minus_zero, at_inf, dtype):
    x = np.array([-INF, -0.0, INF, NAN], dtype=dtype)
    assert_same(getattr(ref, name)(x), np.array([at_minus_inf, at_minus_zero, at_inf, NAN], dtype=dtype))


def test_more_limits():
    x = np.array([-INF, INF, NAN])
    assert_same(ref.gelu(x, "tanh"), [-0.0, INF, NAN])
    assert_same(ref.softplus(x), [0.0, INF, NAN])
    np.testing.assert_allclose(ref.selu(x), [-1.7580993408473766, INF, NAN])
    np.testing.assert_array_equal(ref.exp(x), [0, INF, NAN])
    np.testing.assert_array_equal(ref.expm1(x), [-1, INF, NAN])
    np.testing.assert_array_equal(ref.log(np.array([0, -1, INF])), [-INF, NAN, INF])
    np.testing.assert_array_equal(ref.log1p(np.array([-1, -2, INF])), [-INF, NAN, INF])
    np.testing.assert_array_equal(ref.erf(x), [-1, 1, NAN])
    np.testing.assert_allclose(ref.erf(np.array([0.5])), 0.5204998778130465, rtol=1e-15)


@pytest.mark.parametrize(("name", "kwargs"), ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_smooth_gradients_saturate_without_nan(name, kwargs, dtype):
    largest = np.finfo(dtype).max
    x = np.array([-INF, -largest, -1e4, 1e4, largest, INF], dtype=dtype)
    grad = backward(name, np.ones_like(x), x, **kwargs)
    left = {"leaky_relu": 0.1, "logsigmoid": 1.0}.get(name, 1.0 if "shrink" in name else 0.0)
    right = {"selu": 1.0507009873554805}.get(name, 1.0)
    bounded = {"sigmoid", "tanh", "softsign", "hardsigmoid", "hardtanh", "relu6", "logsigmoid"}
    right = 0.0 if name in bounded else right
    np.testing.assert_allclose(grad, np.array([left] * 3 + [right] * 3), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "x", "slopes"),
    [
        ("relu", [-1.0, -0.0, 0.0, 1.0, NAN], [0, 0, 0, 1, 1]),
        ("leaky_relu", [-1.0, 0.0, 1.0, NAN], [0.01, 0.01, 1, 0.01]),
        ("elu", [0.0, 1.0, NAN], [1, 1, NAN]),
        ("hardtanh", [-1.0, 0.0, 1.0, NAN], [0, 1, 0, 1]),
        ("relu6", [0.0, 3.0, 6.0, NAN], [0, 1, 0, 1]),
        ("threshold", [-1.0, 0.0, 1.0, NAN], [0, 0, 1, 1]),
        ("softshrink", [-1.0, -0.5, 0.0, 0.5, 1.0, NAN], [1, 0, 0, 0, 1, 1]),
        ("hardshrink", [-1.0, -0.5, 0.0, 0.5, 1.0, NAN], [1, 0, 0, 0, 1, 1]),
        ("hardsigmoid", [-3.0, 0.0, 3.0, NAN], [0, 1 / 6, 0, 0]),
        ("hardswish", [-3.0, 0.0, 3.0, NAN], [0, 0.5, 1, NAN]),
    ],
)
def test_slopes_at_kinks_are_those_of_torch(name, x, slopes):
    x = np.array(x)
    np.testing.assert_array_equal(backward(name, np.ones_like(x), x), slopes)


@pytest.mark.parametrize(
    "name", ["sigmoid", "gelu", "gelu_tanh", "silu", "mish", "softplus", "logsigmoid", "tanhshrink"]
)
def test_tails_are_accurate(name):
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 60
    exact = {
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
        "gelu_tanh": lambda x: x / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf(0.044715) * x**3))),
        "silu": lambda x: x / (1 + mp.exp(-x)),
        "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
        "softplus": lambda x: mp.log1p(mp.exp(x)),
        "logsigmoid": lambda x: -mp.log1p(mp.exp(-x)),
        "tanhshrink": lambda x: x - mp.tanh(x),
    }[name]
    stem, *approximate = name.split("_")
    x = np.array([-30.0, -10.5, -6.0, -3.0, -1e-3, 1e-3, 2.0, 9.0, 19.0])
    expected = [float(exact(mp.mpf(value))) for value in x]
    np.testing.assert_allclose(getattr(ref, stem)(x, *approximate), expected, rtol=4e-13)
    if name != "sigmoid":  # its gradient takes the output, in which 1 - output is already rounded
        slopes = [float(mp.diff(exact, mp.mpf(value))) for value in x]
        np.testing.assert_allclose(backward(stem, np.ones_like(x), x, *approximate), slopes, rtol=4e-13)


# Softmax


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_softmax_gradients(name, axis, temperature):
    rng = np.random.default_rng(0)
    x, grad_output = rng.normal(size=(2, 3, 4, 5))[:, 0]
    f = getattr(ref, name)
    assert_gradient(
        backward(name, grad_output, x, axis, temperature),
        lambda x: (grad_output * f(x, axis, temperature)).sum(),
        x,
    )
    slope = getattr(ref, f"{name}_temperature_backward")(grad_output, f(x, axis, temperature), x, axis, temperature)
    assert isinstance(slope, float)
    assert_gradient(slope, lambda t: (grad_output * f(x, axis, float(t))).sum(), np.array(temperature))


def test_softmax_special_rows():
    x = np.array([[0, 0, -INF], [1000, 1000, -1000], [INF, 0, 0], [-INF, -INF, -INF], [NAN, 0, 0]])
    expected = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [NAN] * 3, [NAN] * 3, [NAN] * 3])
    np.testing.assert_array_equal(ref.softmax(x), expected)
    np.testing.assert_allclose(ref.log_softmax(x[:1]), [[-math.log(2), -math.log(2), -INF]])
    grad_output = np.array([[1.0, 2.0, 3.0]])
    slope = ref.softmax_temperature_backward(grad_output, ref.softmax(x[:1]), x[:1])
    assert slope == 0.0
    for shape in [(0, 3), (3, 0), (0,)]:
        assert ref.softmax(np.empty(shape)).shape == ref.log_softmax(np.empty(shape)).shape == shape


def test_entropy():
    assert ref.entropy(np.full(10, 0.1)) == pytest.approx(math.log(10))
    assert ref.entropy(np.array([1.0, 0.0, 0.0])) == 0.0
    p = ref.softmax(np.random.default_rng(0).normal(size=(3, 4)))
    grad_output = np.array([1.0, -2.0, 0.5])
    grad = ref.entropy_backward(grad_output, p, 1)
    assert_gradient(grad, lambda p: (grad_output * ref.entropy(p, 1)).sum(), p)


# Linear


@pytest.mark.parametrize("leading", [(), (5,), (2, 3), (0,)])
def test_linear_gradients(leading):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(*leading, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    grad_output = rng.normal(size=(*leading, 3))
    grad_x, grad_weight, grad_bias = ref.linear_backward(grad_output, x, weight)
    assert_gradient(grad_x, lambda x: (grad_output * ref.linear(x, weight, bias)).sum(), x)
    assert_gradient(grad_weight, lambda weight: (grad_output * ref.linear(x, weight, bias)).sum(), weight)
    assert_gradient(grad_bias, lambda bias: (grad_output * ref.linear(x, weight, bias)).sum(), bias)


def test_linear_with_activation_and_without_features():
    x, weight, bias = np.array([[1.0, -1.0]]), np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([-1.0, 1.0])
    np.testing.assert_array_equal(ref.linear(x, weight), [[2, -3]])
    np.testing.assert_array_equal(ref.linear(x, weight, bias, activation="relu"), [[1, 0]])
    np.testing.assert_array_equal(ref.linear(np.empty((2, 0)), np.empty((0, 2)), bias), [bias, bias])
    grads = ref.linear_backward(np.ones((2, 2)), np.empty((2, 0)), np.empty((0, 2)))
    assert [grad.shape for grad in grads] == [(2, 0), (0, 2), (2,)]


def test_backpropagation_worked_by_hand():
    x, target = np.array([[0.1, 0.2]]), np.array([[0.4, 0.6]])
    weight1, weight2 = np.array([[0.3, 0.4], [0.25, 0.35]]), np.array([[0.45, 0.7], [0.4, 0.6]])
    hidden = ref.linear(x, weight1, activation="sigmoid")
    np.testing.assert_allclose(hidden, [[0.51998934, 0.52747230]], atol=5e-9)
    output = ref.linear(hidden, weight2, activation="sigmoid")
    np.testing.assert_allclose(output, [[0.60944600, 0.66384491]], atol=1e-8)
    assert 0.5 * ref.mse_loss(output, target, "sum") == pytest.approx(0.02397190, abs=1e-8)
    grad = ref.sigmoid_backward(ref.mse_loss_backward(0.5, output, target, "sum"), output)
    grad_weight = ref.linear_backward(grad, hidden, weight2)[1]
    assert grad_weight[0, 0] == pytest.approx(0.02592286, abs=1e-8)
    ref.sgd_step(weight2, grad_weight, lr=0.5)
    assert weight2[0, 0] == pytest.approx(0.43703857, abs=1e-8)


# Losses


def loss_cases():
    """Return name -> (input, target, extra arguments), with no element on a kink."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(2, 5, 3)) * 2
    p, labels = ref.sigmoid(x), (target > 0).astype(float)
    classes = np.array([0, 2, 1, 1, 0])
    return {
        "l1_loss": (x, target, {}),
        "mse_loss": (x, target, {}),
        "rmse_loss": (x, target, {}),
        "huber_loss": (x, target, {"delta": 0.7}),
        "smooth_l1_loss": (x, target, {"beta": 0.7}),
        "binary_cross_entropy": (p, labels, {}),
        "binary_cross_entropy_with_logits": (x, labels, {}),
        "sigmoid_focal_loss": (x, labels, {"gamma": 1.5}),
        "hinge_loss": (x, 2 * labels - 1, {"margin": 0.7}),
        "soft_margin_loss": (x, 2 * labels - 1, {}),
        "quantile_loss": (x, target, {"q": np.array([0.1, 0.5, 0.9])}),
        "log_cosh_loss": (x, target, {}),
        "mape_loss": (x, target, {}),
        "msle_loss": (p + 1, labels + 1, {}),
        "tweedie_loss": (p, labels, {}),
        "gamma_loss": (x, labels + 1, {"log_input": True}),
        "dice_loss": (p, labels, {"smooth": 1.0}),
        "multilabel_margin_loss": (x, np.array([[0, 2, -1], [1, -1, 0], [-1, 0, 0], [2, 1, 0], [1, 2, -1]]), {}),
        "multilabel_soft_margin_loss": (x, labels, {"weight": np.array([0.5, 2.0, 1.0])}),
        "hinge_embedding_loss": (x, 2 * labels - 1, {"margin": 0.7}),
        "cosine_loss": (x, target, {}),
        "poisson_nll_loss": (p, labels + 1, {"log_input": False, "full": True}),
        "kl_div": (ref.log_softmax(x), p, {}),
        "cross_entropy": (x, classes, {"label_smoothing": 0.1}),
        "nll_loss": (ref.log_softmax(x), classes, {}),
        "softmax_focal_loss": (x, classes, {}),
        "multi_margin_loss": (x, classes, {"p": 2}),
    }


LOSSES = loss_cases()


# Every public function: dtypes and warnings


def all_calls(dtype):
    """Return name -> function of no arguments, on inputs full of special values."""
    limits = np.finfo(dtype)
    extremes = [limits.max, limits.min, limits.tiny, limits.smallest_subnormal]
    x = np.array([NAN, INF, -INF, 0, -0.0, 1, -3, 5, *extremes], dtype=dtype).reshape(4, 3)
    g, weight, target = x[::-1].copy(), np.ones((3, 2), dtype), np.array([0, 1, 2, 0])
    elementary = ("exp", "expm1", "log", "log1p", "erf", "logit")
    with_backward = [*(name for name, _ in ACTIVATIONS), *elementary, "softmax", "softmin", "log_softmax"]
    calls = {}
    for name in with_backward:
        calls[name] = lambda name=name: getattr(ref, name)(x)
    for name in with_backward:
        calls[f"{name}_backward"] = lambda name=name: backward(name, g, x)
    for name, (_, t, _) in LOSSES.items():
        t = target if t.ndim == 1 else t[:4] if name == "multilabel_margin_loss" else x
        calls[name] = lambda name=name, t=t: getattr(ref, name)(x, t, "mean", np.ones(4))
        calls[f"{name}_backward"] = lambda name=name, t=t: getattr(ref, f"{name}_backward")(1.0, x, t)
    calls["gaussian_nll_loss"] = lambda: ref.gaussian_nll_loss(x, x, np.abs(x))
    calls["gaussian_nll_loss_backward"] = lambda: ref.gaussian_nll_loss_backward(1.0, x, x, np.abs(x))[1]
    signs = np.array([1, -1, 1, -1], dtype)
    several = {"margin_ranking_loss": (x, x[::-1], np.sign(g)), "cosine_embedding_loss": (x, g, signs),
               "info_nce_loss": (x, g)}  # fmt: skip
    several |= dict.fromkeys(("triplet_margin_loss", "triplet_margin_with_distance_loss"), (x, g, x + 1))
    for name, arrays in several.items():
        calls[name] = lambda name=name, arrays=arrays: getattr(ref, name)(*arrays)
        calls[f"{name}_backward"] = lambda name=name, arrays=arrays: getattr(ref, f"{name}_backward")(1.0, *arrays)[1]
    for name in ["softmax", "softmin", "log_softmax"]:
        slope = getattr(ref, f"{name}_temperature_backward")
        calls[slope.__name__] = lambda slope=slope: slope(g, x, x)
    for op in UPDATES:
        calls[op.name] = lambda op=op: run_step(op.name, x, g, len(op.options[-1]["states"]))
    of_rows, of_columns = np.zeros_like(x[:, :1]), np.zeros_like(x[:1])
    calls["adafactor_step"] = lambda: changed(ref.adafactor_step, x, g, of_rows, of_columns, step=1)
    calls["muon_step"] = lambda: changed(ref.muon_step, x, g, np.zeros_like(x))
    return (
        calls
        | layer_calls(x, g)
        | {
            **{
                name: lambda name=name: getattr(ref, name)(x, g)
                for name in ("add", "subtract", "multiply", "divide", "affine_backward", "reciprocal_backward")
            },
            "affine": lambda: ref.affine(x, 2.0, 0.5),
            "reciprocal": lambda: ref.reciprocal(x, 2.0),
            "target_gradient": lambda: ref.target_gradient("kl_div", 1.0, x, g),
            "entropy": lambda: ref.entropy(x),
            "entropy_backward": lambda: ref.entropy_backward(g[:, 0], x),
            "entropy_with_logits": lambda: ref.entropy_with_logits(x),
            "entropy_with_logits_backward": lambda: ref.entropy_with_logits_backward(g[:, 0], x),
            "linear": lambda: ref.linear(x, weight, weight[0], "gelu"),
            "linear_backward": lambda: ref.linear_backward(g[:, :2], x, weight)[0],
            "layer_norm": lambda: ref.layer_norm(x, x[0], x[1]),
            "layer_norm_backward": lambda: ref.layer_norm_backward(g, x, x[0])[0],
            "rms_norm": lambda: ref.rms_norm(x, x[0]),
            "rms_norm_backward": lambda: ref.rms_norm_backward(g, x, x[0])[0],
            "batch_norm": lambda: ref.batch_norm(x, x[0].copy(), x[1].copy(), x[0], x[1], True),
            "batch_norm_backward": lambda: ref.batch_norm_backward(g, x, None, None, x[0], True)[0],
            "dropout": lambda: ref.dropout(x, seed=0),
            "rrelu": lambda: ref.rrelu(x, training=True, seed=0),
            "rrelu_backward": lambda: ref.rrelu_backward(g, x, training=True, seed=0),
            "dropout_backward": lambda: ref.dropout_backward(x, seed=0),
            "total_norm": lambda: ref.total_norm(x),
            "adjust_grad_": lambda: changed(ref.adjust_grad_, g, x, scale=0.5, clip_value=2.0, l1=0.1, l2=0.1),
            "max_norm_": lambda: changed(ref.max_norm_, x, 2.0),
            "lerp_": lambda: changed(ref.lerp_, g, x, 0.3),
            "uniform": lambda: ref.uniform(2**64 - 1, 2**64 - 1, 2**62, 5, dtype),
        }
    )


def run_step(name, x, g, n_states):
    """Take one step from a copy of x and return it."""
    param, states = x.copy(), [np.zeros_like(x) for _ in range(n_states)]
    options = {"sgd_step": {"lr": 0.1, "momentum": 0.9}, "rmsprop_step": {"centered": True, "momentum": 0.9}}
    function = getattr(ref, name)
    function(param, g, *states, **options.get(name, {}), **numbered(function, 1))
    return param


def changed(function, first, *args, **kwargs):
    """A copy of the first array after a call that changes it."""
    first = first.copy()
    assert function(first, *args, **kwargs) is None
    return first


WITHOUT_DTYPE = {"one_hot", "permutation", "philox4x32", "philox_uint32"}


def test_every_function_is_called():
    assert set(all_calls(np.float64)) | WITHOUT_DTYPE == set(ref.__all__)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", all_calls(np.float64))
def test_dtype_is_kept_and_nothing_warns(name, dtype):
    with np.errstate(all="raise"):  # stricter than the default, which lets underflow pass
        result = all_calls(dtype)[name]()
    if name.endswith("temperature_backward") or name == "total_norm":
        assert isinstance(result, float)
    else:
        assert result.dtype == dtype
