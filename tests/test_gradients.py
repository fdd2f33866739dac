"""Every gradient against central differences of its operation in float64, and twice the same."""

import numpy as np
import pytest

import fastnn.functional as F
from fastnn.testing.cases.ops import FUNCTIONS, case_id
from fastnn.testing.cases.records import Call, results
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient

# A gradient that is divided by how often a row occurs is no derivative.
DIFFERENTIABLE = [
    (op, options) for op in FUNCTIONS if op.backward for options in op.options if "scale_grad_by_freq" not in options
]
REDUCTIONS = ("mean", "sum", "none")


def away_from(kinks, x):
    """x, with what is too near to a kink moved away from it."""
    for kink in kinks:
        x = np.where(np.abs(x - kink) < 1e-3, kink + 0.01, x)
    return x


def smooth_call(op, options, rng, shape=(3, 5)):
    """A call whose input, or its difference to the target, is away from kinks and small enough for differences."""
    call = op.make(shape, np.dtype("float64"), rng, **options)
    x = call.args[0]
    if op.kind == "loss":
        return call.replaced(0, call.args[1] + away_from(op.kinks, x - call.args[1])) if op.kinks else call
    if op.name not in ("log", "log1p", "entropy"):
        x = np.clip(x, -9, 9)
    return call.replaced(0, away_from(op.kinks, x))


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=case_id)
def test_gradient(case, rng):
    op, options = case
    call = smooth_call(op, {k: v for k, v in options.items() if k != "activation"}, rng)
    (y,) = results(op.function, call)
    upstream = rng.normal(size=y.shape)
    backward = getattr(F, op.backward)
    sizes = {
        "bilinear": 3,
        "linear": 2,
        "dropout": 0,
        "rrelu": 1,
        "layer_norm": 2,
        "batch_norm": 4,
    }  # of what gradients take; others take all
    given = (y,) if op.takes_output else call.args[: sizes.get(op.name, sizes.get(op.kind))]
    backward_call = Call((upstream, *given), {k: v for k, v in call.kwargs.items() if k != "bias"})
    gradients = results(backward, backward_call)
    gradients = gradients[: len(call.args) - op.constants]  # others are of keywords
    taken = range(op.constants, op.constants + len(gradients))  # not of codes; nor of running statistics and targets
    places = {"batch_norm": (0, 3, 4), "gaussian_nll_loss": (0, 2)}.get(op.name, taken)
    for i, gradient in zip(places, gradients, strict=True):
        assert_gradient(
            gradient,
            lambda x, i=i: (upstream * op.function(*call.replaced(i, x).args, **call.kwargs)).sum(),
            call.args[i],
        )
    for again, gradient in zip(results(backward, backward_call), gradients, strict=False):
        assert_same_bits(again, gradient)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_softmax_gradients(name, temperature, axis, rng):
    """With respect to x, along every axis, and to the temperature."""
    function, (x, upstream) = getattr(F, name), rng.normal(size=(2, 2, 3, 4))
    y = function(x, axis, temperature)
    gradient = getattr(F, f"{name}_backward")(upstream, y, axis, temperature)
    assert_gradient(gradient, lambda x: (upstream * function(x, axis, temperature)).sum(), x)
    slope = getattr(F, f"{name}_temperature_backward")(upstream, y, x, axis, temperature)
    assert type(slope) is float
    assert_gradient([slope], lambda t: (upstream * function(x, axis, t[0])).sum(), np.array([temperature]))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_entropy_gradient_along_every_axis(axis, rng):
    p = rng.uniform(0.1, 1, (2, 3, 4))
    upstream = rng.normal(size=np.delete(p.shape, axis))
    assert_gradient(F.entropy_backward(upstream, p, axis), lambda p: (upstream * F.entropy(p, axis)).sum(), p)


@pytest.mark.parametrize("weights", ["none", "of rows", "of elements"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("op", [op for op in FUNCTIONS if op.kind == "loss" and op.backward], ids=case_id)
def test_loss_gradients(op, reduction, weights, rng):
    (x, target), _ = smooth_call(op, {}, rng)
    weight = {"none": None, "of rows": rng.uniform(0.1, 2, 3), "of elements": rng.uniform(0.1, 2, x.shape)}[weights]
    upstream = rng.normal(size=x.shape) if reduction == "none" else rng.normal()
    gradient = getattr(F, op.backward)(upstream, x, target, reduction, weight)
    assert_gradient(gradient, lambda x: (upstream * op.function(x, target, reduction, weight)).sum(), x)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("targets", ["labels", "one-hot", "probabilities", "any weights"])
def test_cross_entropy_gradients(targets, smoothing, reduction, weighted, rng):
    x, labels = rng.normal(size=(4, 5)) * 3, rng.integers(5, size=4)
    probabilities = rng.dirichlet(np.ones(5), 4)
    target = {"labels": labels, "one-hot": np.eye(5, dtype=int)[labels], "probabilities": probabilities,
              "any weights": 3 * probabilities}[targets]  # fmt: skip
    weight = rng.uniform(0.1, 2, 4) if weighted else None
    upstream = rng.normal(size=4) if reduction == "none" else rng.normal()
    arguments = target, reduction, weight, smoothing
    gradient = F.cross_entropy_backward(upstream, x, *arguments)
    assert_gradient(gradient, lambda x: (upstream * F.cross_entropy(x, *arguments)).sum(), x)
