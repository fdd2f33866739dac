"""NaN, infinities, zeros of both signs, tiny and huge numbers in every argument: both backends do the same with them.

The rules, for every loss and activation, its value and its gradient:

- NaN is NaN in the same places.
- Infinities are equal, with their sign.
- Zeros have the same sign.

Nothing is said here about other numbers; test_ops.py compares those. The few exceptions are in ROUNDED.
"""

import math

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.testing.cases.ops import ACTIVATIONS, ELEMENTARY, LOSSES, ROWS, case_id

INF, NAN = math.inf, math.nan
# No two of them have a sum or product that only rounding decides to be 0.
NUMBERS = [0.0, 3e-45, 3e-31, 0.25, 0.5, 1.0, 3.0, 6.0, 20.0, 50.0, 200.0, 750.0, 1e4, 1e30, 3e38, 1e200, 1.7e308, INF]
TARGETS = [0.0, 1e-45, 0.25, 1.0, 3.0, 1e30, 3e38, 1.7e308, INF]
UPSTREAM = [1.0, 0.0, 1e-30, 1e30, INF]
WEIGHTS = [0.0, 1e-45, 0.5, 1.0, 1e30, 3e38]
VARIANCES = [0.0, 1e-45, 1e-6, 0.5, 1e30, 3e38, INF, NAN]
SCALARS = [1.0, -1.0, 0.0, -0.0, INF, -INF, NAN]

# In rows: sums of squares and of weighted terms stay finite in whatever order they are added.
ENTRIES = [0.0, 1.0, 3.0, 200.0, 1000.0, 1e18, INF]
SHARES = [0.0, 0.25, 1.0, INF, NAN]
ROW_WEIGHTS = [0.0, 0.5, 2.0]

# Terms of these cancel: rounding decides whether 0 is left, and of which sign; 0 times infinity is NaN.
ROUNDED = {"cosine_loss", "cosine_loss_backward", "entropy_with_logits_backward"}

PARAMETERS = {
    "leaky_relu": [{"negative_slope": value} for value in (0.0, -0.0, -1.0, 2.0, 3e38, INF, -INF)],
    "elu": [{"alpha": value} for value in (0.0, -0.0, -1.0, 2.5, 3e38, INF)],
    "celu": [{"alpha": value} for value in (-1.0, 2.5, 1e-30, 3e38, INF, -INF)],
    "softplus": [{"beta": b, "threshold": t} for b in (0.5, -1.0, 1e30, INF) for t in (20.0, -5.0, INF, -INF)],
    "hardtanh": [{"min_val": a, "max_val": b} for a, b in ((-0.0, 1.0), (-1.0, 0.0), (-INF, INF), (0.0, INF))],
    "threshold": [
        {"threshold": a, "value": b} for a, b in ((-0.0, -0.0), (0.0, 1e30), (-INF, 1.0), (INF, -INF), (3, 3))
    ],
    "softshrink": [{"lambd": value} for value in (0.0, -0.0, 1e-40, 3.0, 3e38, INF)],
    "hardshrink": [{"lambd": value} for value in (0.0, -0.0, 1e-40, 3.0, 3e38, INF)],
    "logit": [{"eps": value} for value in (0.0, 1e-40, 0.25, 0.5)],
    "huber_loss": [{"delta": 1e-30}, {"delta": 1e30}],
    "sigmoid_focal_loss": [{"alpha": 0.0}, {"alpha": 1.0, "gamma": 0.5}],
    "binary_cross_entropy_with_logits": [{"pos_weight": 0.0}],
    "gaussian_nll_loss": [{"eps": 1e-30}],
    "cross_entropy": [{"label_smoothing": 1.0}],
}
PLAIN = {"reduction", "weighted", "by_column", "ignore_index"}  # options that every loss has


def cases(ops):
    """Each operation with each of its parameters, once."""
    found = {}
    for op in ops:
        options = (*op.options, *PARAMETERS.get(op.name.removesuffix("_backward"), ()))
        for option in options:
            own = {name: value for name, value in option.items() if name not in PLAIN}
            found.setdefault(op.name + str(own), (op, own))
    return list(found.values())


def each(kind, ops=LOSSES):
    chosen = [op for op in ops if op.kind == kind and not op.name.endswith("_backward")]
    return pytest.mark.parametrize("case", cases(chosen), ids=case_id)


def cast(values, dtype, signed=True):
    """The numbers in a dtype, each once; what it cannot hold is 0 or infinite. `signed` adds negatives and NaN."""
    with np.errstate(over="ignore", under="ignore"):
        values = np.array([*values, *(-np.array(values)), NAN] if signed else values).astype(dtype)
    bits = f"i{dtype.itemsize}"
    return np.unique(values.view(bits)).view(dtype)


def grid(*axes):
    """All combinations of the numbers of the axes, as arrays of one axis."""
    return [np.ascontiguousarray(axis.reshape(-1)) for axis in np.meshgrid(*axes, indexing="ij")]


def rows(values, columns=3):
    return np.stack(grid(*[values] * columns), axis=1)


def differences(actual, expected, rounded):
    """Where the two are not alike: a mask."""
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    nan = np.isnan(expected)
    wrong = np.isnan(actual) != nan
    wrong |= ~nan & (np.isinf(actual) | np.isinf(expected)) & (actual != expected)
    if not rounded:
        wrong |= (actual == 0) & (expected == 0) & (np.signbit(actual) != np.signbit(expected))
    return wrong


def assert_alike(name, *args, **kwargs):
    """Both backends give results that are alike; a failure shows some of the numbers that are not."""
    results = []
    for backend in ("native", "reference"):
        with fastnn.use_backend(backend):
            result = getattr(F, name)(*args, **kwargs)
        results.append(result if isinstance(result, tuple) else (result,))
    for native, reference in zip(*results, strict=True):
        native, reference = np.atleast_1d(native), np.atleast_1d(reference)
        wrong = differences(native, reference, name in ROUNDED)
        inputs = [np.asarray(arg) for arg in (*args, *kwargs.values()) if np.shape(arg)[:1] == wrong.shape[:1]]
        shown = [
            f"{[array[i].tolist() for array in inputs]}: {native[i]}, reference {reference[i]}"
            for i in np.unique(np.nonzero(wrong)[0])[:5]
        ]
        assert not wrong.any(), "\n".join([f"{name}, {np.sum(wrong)} of {wrong.size}", *shown])


@pytest.mark.parametrize("case", cases((*ELEMENTARY, *ACTIVATIONS)), ids=case_id)
def test_activations(case, dtype, isa):
    op, options = case
    x, g = cast([*NUMBERS, 0.1, 1e-40, 88.0, 104.0, 709.0], dtype), cast(UPSTREAM, dtype)
    one = op.backward is not None or op.name in ("exp", "expm1", "log", "log1p", "erf")
    assert_alike(op.name, *([x] if one else grid(g, x)), **options)


def elementwise(op, dtype):
    """Values of each array that a loss of elements takes."""
    axes = [cast(NUMBERS, dtype), cast(TARGETS, dtype)]
    return [*axes, cast(VARIANCES, dtype, signed=False)] if op.kind == "pair loss" else axes


def check_elementwise(op, options, dtype):
    axes, weights, g = elementwise(op, dtype), cast(WEIGHTS, dtype, signed=False), cast(UPSTREAM, dtype)
    arrays, (*weighed, weight) = grid(*axes), grid(*axes, weights)
    assert_alike(op.name, *arrays, reduction="none", **options)
    assert_alike(op.name, *weighed, reduction="none", sample_weight=weight, **options)
    assert_alike(op.backward, *grid(g, *axes), reduction="none", **options)
    g, *weighed, weight = grid(g, *axes, cast([0.0, 0.5, 1e30], dtype, signed=False))
    assert_alike(op.backward, g, *weighed, reduction="none", sample_weight=weight, **options)
    for reduction in ("sum", "mean"):
        for factor in SCALARS:
            assert_alike(op.backward, factor, *arrays, reduction=reduction, **options)


@each("loss")
def test_losses_of_elements(case, dtype, isa):
    check_elementwise(*case, dtype)


@each("pair loss")
def test_losses_of_pairs(case, dtype, isa):
    check_elementwise(*case, dtype)


@each("loss")
def test_reduced_losses(case, dtype):
    """One special number among others, with weights and without."""
    op, options = case
    x, t = np.full(5, 0.5, dtype), np.full(5, 1.0, dtype)
    for x[3], t[3] in ((INF, 1.0), (-INF, -1.0), (NAN, 1.0), (0.5, NAN), (-INF, 0.0), (0.0, INF), (INF, INF)):
        for weight in (None, np.array([1, 0, 2, 1, 1], dtype), np.array([1, 1, 2, 0, 1], dtype)):
            for reduction in ("sum", "mean"):
                assert_alike(op.name, x, t, reduction, weight, **options)
                for factor in (1.0, -0.0, -INF, NAN):
                    assert_alike(op.backward, factor, x, t, reduction, weight, **options)


@each("class loss")
def test_losses_of_rows(case, dtype, isa, rng):
    op, options = case
    x = rows(cast(ENTRIES, dtype))
    n = len(x)
    target = rng.integers(3, size=n)
    if "probabilities" in op.label:
        target = rows(cast(SHARES, dtype, signed=False))[rng.integers(len(SHARES) ** 3, size=n)]
    elif op.name == "cosine_loss":
        target = rng.permutation(x)
    extra = [{}]
    if op.name != "cosine_loss":
        extra = [{}, {"weight": np.array([0, 1, 2.5], dtype)}]
    if op.name != "cosine_loss" and "probabilities" not in op.label:
        extra += [{"ignore_index": 1}]
    upstream = cast([number for number in UPSTREAM if number < INF or op.backward not in ROUNDED], dtype)
    scalars = [number for number in SCALARS if abs(number) < INF or op.backward not in ROUNDED]
    for more in extra:
        for weight in (None, rng.choice(cast(ROW_WEIGHTS, dtype, signed=False), n)):
            keywords = {"sample_weight": weight, **options, **more}
            assert_alike(op.name, x, target, reduction="none", **keywords)
            assert_alike(op.backward, rng.choice(upstream, n), x, target, reduction="none", **keywords)
            for reduction in ("sum", "mean"):
                for factor in scalars:
                    assert_alike(op.backward, factor, x, target, reduction=reduction, **keywords)


@pytest.mark.parametrize("op", [op for op in ROWS if op.backward], ids=case_id)
def test_rows(op, dtype, isa, rng):
    x = rows(cast(ENTRIES, dtype))
    assert_alike(op.name, x)
    if op.name.startswith("entropy"):
        upstream = cast([number for number in UPSTREAM if number < INF or op.backward not in ROUNDED], dtype)
        assert_alike(op.backward, rng.choice(upstream, len(x)), x)


# What PyTorch 2.13 gives, or where it refuses, what is documented: function, arguments, gradient.
GRADIENTS = [
    ("rmse_loss", [NAN, 1.0], [0.0, 0.0], {}, [NAN, NAN]),
    ("rmse_loss", [NAN, 1.0], [0.0, 0.0], {"sample_weight": [0.0, 1.0]}, [NAN, NAN]),
    ("rmse_loss", [INF, 1.0], [0.0, 0.0], {}, [NAN, 0.0]),
    ("rmse_loss", [INF, 1.0], [0.0, 0.0], {"sample_weight": [0.0, 1.0]}, [0.0, 1.0]),
    ("binary_cross_entropy", [1.5, -0.25, -0.0], [0.0, 1.0, 0.0], {"reduction": "sum"}, [NAN, NAN, 0.0]),
    ("multi_margin_loss", [[0.0, NAN, 0.0]], [0], {}, [[NAN, NAN, 1 / 3]]),
    ("nll_loss", [[0.0, -1.0]], [0], {}, [[-1.0, 0.0]]),
]


@pytest.mark.parametrize(("name", "x", "target", "options", "expected"), GRADIENTS)
def test_gradients_of_special_values(name, x, target, options, expected, backend):
    x = np.array(x)
    grad = getattr(F, f"{name}_backward")(1.0, x, np.array(target), **options)
    np.testing.assert_allclose(grad, expected)


def test_variance_of_weight_0(dtype, isa, backend):
    """Nothing of a row without weight counts, be its error infinite."""
    x, var = np.array([INF, 1.0], dtype), np.ones(2, dtype)
    for grad in F.gaussian_nll_loss_backward(1.0, x, np.zeros(2, dtype), var, sample_weight=[0.0, 1.0]):
        assert grad[0] == 0
        assert np.isfinite(grad[1])


def test_zeros_of_nothing(dtype, isa, backend):
    """The entropy of a certain outcome is 0, and the negative of a logarithm of 0 is -0 as in PyTorch."""
    certain = np.array([[1.0, 0.0]], dtype)
    assert not np.signbit(F.entropy(certain))[0]
    assert not np.signbit(F.entropy_with_logits(1000 * certain))[0]
    assert np.signbit(F.nll_loss(np.zeros((1, 2), dtype), np.array([0]), "none"))[0]


def test_root_of_nan_in_a_network(dtype, backend):
    """The program that a trainer compiles has the rule too: one NaN makes the loss NaN, also where its weight is 0."""
    net = nn.Sequential(nn.Linear(1, 1), seed=0, dtype=dtype.name)
    trainer = fastnn.Trainer(net, nn.RMSELoss(), optim.SGD(net.parameters(), lr=0.1))
    net[0].weight[...] = INF
    x, target = np.array([[1.0], [0.0]], dtype), np.ones((2, 1), dtype)  # outputs are infinite and NaN
    assert np.isnan(trainer.step(x, target, sample_weight=np.array([1.0, 0.0], dtype)))


PARAMETRIC = {
    "leaky_relu": ("negative_slope",),
    "elu": ("alpha",),
    "celu": ("alpha",),
    "softplus": ("beta", "threshold"),
    "hardtanh": ("min_val", "max_val"),
    "softshrink": ("lambd",),
    "hardshrink": ("lambd",),
}


@pytest.mark.parametrize(("name", "parameter"), [(name, p) for name, ps in PARAMETRIC.items() for p in ps])
@pytest.mark.parametrize("like", [np.array, list, np.float32])
def test_parameters_of_activations(name, parameter, like, backend):
    """NaN and what is no number are refused, for arrays and whatever takes the slow path."""
    x = np.ones(3, "float32") if like is np.float32 else like([1.0, 2.0])
    if like is list:
        x = np.asfortranarray(np.ones((3, 3)))[:, ::2]
    for function, args in ((getattr(F, name), (x,)), (getattr(F, f"{name}_backward"), (x, x))):
        with pytest.raises(ValueError, match=f"{parameter} must be a number, got nan"):
            function(*args, **{parameter: NAN})
        with pytest.raises(TypeError, match=f"{parameter} must be a number, got str"):
            function(*args, **{parameter: "a"})
        with pytest.raises(TypeError, match=f"{parameter} must be a number, got ndarray"):
            function(*args, **{parameter: np.ones(2)})
        with pytest.raises(TypeError, match=f"{parameter} must be a number, got NoneType"):
            function(*args, **{parameter: None})
    layer = {"leaky_relu": "LeakyReLU", "elu": "ELU", "celu": "CELU", "softplus": "Softplus", "hardtanh": "Hardtanh",
             "softshrink": "Softshrink", "hardshrink": "Hardshrink"}  # fmt: skip
    for bad, error in ((NAN, ValueError), ("a", TypeError)):
        with pytest.raises(error, match=f"{parameter} must be a number"):
            getattr(nn, layer[name])(**{parameter: bad})


@pytest.mark.parametrize(("name", "parameter"), [("celu", "alpha"), ("softplus", "beta")])
def test_parameters_to_divide_by(name, parameter, backend):
    for zero in (0.0, -0.0, 0, np.float32(0)):
        with pytest.raises(ValueError, match=f"{parameter} must not be 0"):
            getattr(F, name)(np.ones(3), **{parameter: zero})


def test_parameters_that_pytorch_takes_too(backend):
    """Negative and infinite ones are no error; what they give is PyTorch's."""
    x = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(F.elu(x, -1.0), [1 - np.exp(-1), 0, 2])
    np.testing.assert_allclose(F.elu(x, INF), [-INF, NAN, 2])
    np.testing.assert_allclose(F.celu(x, -1.0), [-np.expm1(1), 0, 2])
    np.testing.assert_allclose(F.softplus(x, -1.0), [-np.log1p(np.exp(1)), -np.log(2), -np.log1p(np.exp(-2))])
    np.testing.assert_array_equal(F.leaky_relu(x, INF), [-INF, NAN, 2])
