"""No operation reads or writes a byte outside its arrays: they stand between pages that nobody may touch."""

import inspect
from functools import partial

import numpy as np
import pytest

from fastnn._core import dispatch, parametric
from fastnn._core import embedding as core_embedding
from fastnn._core import linear as core_linear
from fastnn._core.losses import Loss, RowLoss, VectorsLoss
from fastnn._core.softmax import Rows1, Rows2
from fastnn.testing.cases.ops import FUNCTIONS, UPDATES, case_id
from fastnn.testing.cases.records import Call, numbered, results
from fastnn.testing.measure import assert_same_bits
from support.guard import Guard

SIZES = range(1, 71)  # tails of all lengths behind no, one and some whole registers
GUARDS = [Guard(70 * 12 * 8) for _ in range(6)]


def guarded(call, end):
    """The call with its arrays at the end of their pages, or at the beginning."""
    rooms = iter(GUARDS)
    return call.mapped(lambda value: next(rooms).hold(value, end) if isinstance(value, np.ndarray) else value)


@pytest.mark.parametrize("op", FUNCTIONS, ids=case_id)
def test_inputs_and_out(op, dtype, isa, rng):
    options = {"weighted": True, "reduction": "none"} if "loss" in op.kind else op.options[-1]
    has_out = "out" in inspect.signature(op.function).parameters
    for n in SIZES:
        call = op.make(op.shape(n), dtype, rng, **options)
        expected = results(op.function, call)
        for end in (True, False):
            inside = guarded(call, end)
            if has_out:
                inside.kwargs["out"] = GUARDS[-1].hold(np.full_like(expected[0], 7), end)
            for a, e in zip(results(op.function, inside), expected, strict=True):
                assert_same_bits(a, e)


@pytest.mark.parametrize("op", UPDATES, ids=case_id)
def test_updates(op, dtype, isa, rng):
    options = op.options[-1] | numbered(op.function, 1)
    for n in SIZES:
        call = op.make((n,), dtype, rng, **options)
        expected = Call(tuple(array.copy() for array in call.args), call.kwargs)
        op.function(*expected.args, **expected.kwargs)
        for end in (True, False):
            inside = guarded(call, end)
            op.function(*inside.args, **inside.kwargs)
            for a, e in zip(inside.args, expected.args, strict=True):
                assert_same_bits(a, e)


def check_outputs(run, inputs, shapes):
    """run(*inputs, *outputs) writes the same wherever the outputs stand, and nothing else."""
    dtype = inputs[0].dtype
    expected = [np.zeros(shape, dtype) for shape in shapes]
    run(*inputs, *expected)
    for end in (True, False):
        outputs = [guard.hold(np.ones(shape, dtype), end) for guard, shape in zip(GUARDS, shapes, strict=False)]
        run(*inputs, *outputs)
        for a, e in zip(outputs, expected, strict=True):
            assert_same_bits(a, e)


ELEMENTWISE_LOSSES = [name for name, group in dispatch.kernels() if group == "loss"]
LOSSES_OF_ROWS = ["cosine_loss", "dice_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss"]
LOSSES_OF_VECTORS = {"cosine_embedding_loss": False, "triplet_margin_loss": True}  # whether they take three
LOSSES_OF_CLASSES = [
    name
    for name, group in dispatch.kernels()
    if group == "row_loss" and name not in LOSSES_OF_ROWS and name not in LOSSES_OF_VECTORS
]


@pytest.mark.parametrize("name", ELEMENTWISE_LOSSES)
def test_outputs_of_losses(name, dtype, isa, rng):
    kernel = Loss(name)
    for n in SIZES:
        x, t = rng.normal(size=(2, n)).astype(dtype)
        check_outputs(lambda x, t, values, grad: kernel.run(x, t, None, values, grad), (x, t), [(n,), (n,)])


def test_outputs_of_a_loss_of_pairs(dtype, isa, rng):
    kernel = Loss("gaussian_nll_loss", pair=True)
    for n in SIZES:
        x, t, var = rng.uniform(0.1, 1, (3, n)).astype(dtype)
        check_outputs(
            lambda x, t, var, grad, grad_var: kernel.run(x, t, None, None, grad, 1.0, (), var, grad_var),
            (x, t, var),
            [(n,), (n,)],
        )


@pytest.mark.parametrize("name", LOSSES_OF_CLASSES)
def test_outputs_of_losses_of_classes(name, dtype, isa, rng):
    """The last row is ignored, and its label is no class."""
    kernel = RowLoss(name)
    for n in SIZES:
        x, labels = rng.normal(size=(4, n)).astype(dtype), np.array([0, n - 1, n // 2, -9])
        check_outputs(
            lambda x, labels, values, grad: kernel.run(x, labels, None, values, grad, 1.0, (-9.0, 1.0, 1.0)),
            (x, labels),
            [(4,), (4, n)],
        )


@pytest.mark.parametrize("name", LOSSES_OF_ROWS)
def test_outputs_of_a_loss_of_rows(name, dtype, isa, rng):
    kernel = RowLoss(name, classes=False, like=True)
    for n in SIZES:
        x, t = rng.normal(size=(2, 3, n)).astype(dtype)
        t = t if name == "cosine_loss" else (t > 0).astype(dtype)
        check_outputs(lambda x, t, values, grad: kernel.run(x, t, None, values, grad), (x, t), [(3,), (3, n)])


@pytest.mark.parametrize("name", LOSSES_OF_VECTORS)
def test_outputs_of_a_loss_of_vectors(name, dtype, isa, rng):
    three, params = LOSSES_OF_VECTORS[name], (0.5, 2.0, 1e-6)
    kernel = VectorsLoss(name, three)
    for n in SIZES:
        x, t, extra = rng.normal(size=(3, 3, n)).astype(dtype)
        extra = extra if three else np.array([1, -1, 1], dtype)

        def run(x, t, extra, values, grad, grad_target, grad_extra=None, kernel=kernel):
            kernel.run(x, t, None, values, grad, 1.0, params, extra, grad_extra, grad_target)

        check_outputs(run, (x, t, extra), [(3,), *[(3, n)] * (3 if three else 2)])


def test_outputs_of_rows(dtype, isa, rng):
    softmax, entropy = Rows1("softmax"), Rows1("entropy")
    softmax_backward, entropy_backward = Rows2("softmax_backward"), Rows2("entropy_backward")
    for n in SIZES:
        x, g = np.exp(rng.normal(size=(2, 3, n))).astype(dtype)
        check_outputs(lambda x, y: softmax.run(x, y, 1.0), (x,), [x.shape])
        check_outputs(entropy.run, (x,), [(3,)])
        check_outputs(lambda g, x, y: softmax_backward.run(g, x, y, 1.0), (g, x), [x.shape])
        check_outputs(entropy_backward.run, (g[:, 0].copy(), x), [x.shape])


def test_outputs_of_linear_backward(dtype, isa, rng):
    for n in SIZES:
        for n_in, n_out in ((n, 9), (9, n)):
            g, x, weight = (rng.normal(size=shape).astype(dtype) for shape in ((3, n_out), (3, n_in), (n_in, n_out)))
            shapes = [x.shape, weight.shape, (n_out,)]
            check_outputs(core_linear.linear_backward, (g, x, weight), shapes)


def test_outputs_of_gradients_of_slopes_and_tables(dtype, isa, rng):
    for n in SIZES:
        g, x, weight = (rng.normal(size=shape).astype(dtype) for shape in ((3, n), (3, n), n))
        check_outputs(parametric.prelu_backward, (g, x, weight), [(3, n), (n,)])
        check_outputs(parametric.temperature_scale_backward, (g, x, weight[:1]), [(3, n), (1,)])
        codes = np.array([1, 0, 1], dtype)
        table_gradient = partial(core_embedding.embedding_backward, padding=-1)
        check_outputs(table_gradient, (g, codes), [(2, n)])
