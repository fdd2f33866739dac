"""`out=` and plain arrays take the compiled path of every function, and give the bits of the other one."""

import gc
import inspect

import numpy as np
import pytest

from fastnn import _validation as check
from fastnn.testing.cases.ops import FUNCTIONS, case_id
from fastnn.testing.cases.records import results
from fastnn.testing.measure import assert_same_bits

SHAPE = (6, 8)
TAKES_OUT = [op for op in FUNCTIONS if "out" in inspect.signature(op.function).parameters]
# What a loss reads besides, one number a column, is repeated; the others are checked in Python first.
CHECKED = (
    "bilinear", "cosine_embedding_loss", "cosine_similarity", "embedding_bag", "group_norm", "info_nce_loss",
    "instance_norm", "multilabel_margin_loss", "normalize", "pairwise_distance", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
)  # fmt: skip
SLOW = {"batch_norm_backward", *CHECKED, *(f"{name}_backward" for name in CHECKED)}


def plain(op, dtype, rng):
    return op.make(op.shape(8), dtype, rng, **op.options[0])


@pytest.fixture(scope="module", autouse=True)
def nobody_is_on_the_reference():
    gc.collect()  # a choice that is left in a cycle still counts


@pytest.fixture
def no_slow_path(monkeypatch):
    def fail(name, value, *more):
        raise AssertionError(f"{name} came to the slow path")

    def forbid():
        for module in (check, check.arrays, check.numbers, check.shapes, check.targets):
            for function in ("as_array", "as_target", "from_any"):
                monkeypatch.setattr(module, function, fail, raising=module is check)

    return forbid


@pytest.mark.parametrize("op", [op for op in FUNCTIONS if op.name not in SLOW], ids=case_id)
def test_plain_arrays_take_the_compiled_path(op, dtype, rng, no_slow_path):
    call = plain(op, dtype, rng)
    expected = results(op.function, call)
    no_slow_path()
    for actual, e in zip(results(op.function, call), expected, strict=True):
        assert_same_bits(actual, e)


@pytest.mark.parametrize("op", [op for op in TAKES_OUT if op.name not in SLOW], ids=case_id)
def test_out_takes_the_compiled_path_and_changes_no_bit(op, dtype, rng, no_slow_path):
    call = plain(op, dtype, rng)
    (expected,) = results(op.function, call)
    out = np.full_like(expected, 7)
    call.kwargs["out"] = out
    no_slow_path()
    assert op.function(*call.args, **call.kwargs) is out
    assert_same_bits(out, expected)


@pytest.mark.parametrize("op", TAKES_OUT, ids=case_id)
def test_out_that_overlaps_an_input_changes_no_bit(op, dtype, rng):
    """Its first elements lie in the last ones of each input in turn."""
    call = plain(op, dtype, rng)
    (expected,) = results(op.function, call)
    for i, array in enumerate(call.args):
        if not isinstance(array, np.ndarray) or not array.size:
            continue
        memory = np.zeros(array.size + expected.size, dtype)
        given = memory[: array.size].reshape(array.shape)
        given[...] = array
        start = array.size - 1
        out = memory[start : start + expected.size].reshape(expected.shape)
        args = (*call.args[:i], given, *call.args[i + 1 :])
        assert op.function(*args, **call.kwargs, out=out) is out
        assert_same_bits(out, expected)


@pytest.mark.parametrize("op", TAKES_OUT, ids=case_id)
def test_out_that_does_not_fit_is_refused(op, dtype, rng):
    call = plain(op, dtype, rng)
    (expected,) = results(op.function, call)
    other = "float64" if dtype == "float32" else "float32"
    read_only = expected.copy()
    read_only.flags.writeable = False
    wrong = (expected.astype(other), np.append(expected, expected), read_only, expected.tolist())
    for out in wrong:
        with pytest.raises((TypeError, ValueError), match=r"^out must"):
            op.function(*call.args, **call.kwargs, out=out)
