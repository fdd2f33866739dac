"""The same bits for every instruction set with FMA, number of threads, and way to cut the work.

sse2 is left out where instruction sets are compared: it has no FMA, so its products are rounded twice.
"""

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import fastnn._core
import fastnn.functional as F
from fastnn._core import dispatch, threads
from fastnn.testing.cases.ops import CASES, UPDATES, case_id
from fastnn.testing.cases.records import numbered, results
from fastnn.testing.measure import assert_same_bits

WITH_FMA = [isa for isa in dispatch.available_isas() if isa != "sse2"]
THREADS = (1, 2, 3, 5)
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=case_id)
SHAPES = {
    "rows": (70, 37),
    "class loss": (300, 37),
    "row loss": (300, 37),
    "linear": (150, 130),
    "norm": (150, 300),
    "embedding": (70, 37),
    "groups": (70, 37),
}  # more rows than a chunk, more columns than a tile
SHAPE = (3 * 4096 + 70,)  # some chunks


@EVERY_CASE
def test_same_bits_everywhere(case, dtype, rng, isas, cut_small_work):
    op, options = case
    call = op.make(SHAPES.get(op.kind, SHAPE), dtype, rng, **options)
    threads.set_num_threads(1)
    expected = results(op.function, call)
    for isa in WITH_FMA:
        dispatch.set_isa(isa)
        for n in THREADS:
            threads.set_num_threads(n)
            for a, e in zip(results(op.function, call), expected, strict=True):
                assert_same_bits(a, e)


@pytest.mark.parametrize("op", UPDATES, ids=case_id)
def test_updates_have_the_same_bits_everywhere(op, dtype, rng, isas, cut_small_work):
    call = op.make(SHAPE, dtype, rng, **op.options[-1], **numbered(op.function, 3))
    ends = []
    for isa in WITH_FMA:
        dispatch.set_isa(isa)
        for n in THREADS:
            threads.set_num_threads(n)
            copy = call._replace(args=tuple(array.copy() for array in call.args))
            op.function(*copy.args, **copy.kwargs)
            ends.append(copy.args)
    for end in ends[1:]:
        for a, e in zip(end, ends[0], strict=True):
            assert_same_bits(a, e)


@pytest.mark.parametrize("case", [case for case in CASES if case[0].kind == "elementwise"], ids=case_id)
def test_pieces_have_the_bits_of_the_whole(case, dtype, isa, rng):
    op, options = case
    call = op.make((531,), dtype, rng, **options)
    (whole,) = results(op.function, call)
    for cuts in ((1, 2), (16, 32), (7, 530), (100, 400)):
        pieces = [results(op.function, call.mapped(lambda v, p=p: v[p] if isinstance(v, np.ndarray) else v))[0]
                  for p in (slice(0, cuts[0]), slice(*cuts), slice(cuts[1], None))]  # fmt: skip
        assert_same_bits(np.concatenate(pieces), whole)


def test_dropout_of_pieces_has_the_bits_of_the_whole(dtype, isa, rng):
    x = rng.normal(size=531).astype(dtype)
    whole = F.dropout(x, 0.3, seed=1, stream=2, start=11)
    for cut in (1, 4, 16, 99, 256):
        pieces = [
            F.dropout(x[:cut], 0.3, seed=1, stream=2, start=11),
            F.dropout(x[cut:], 0.3, seed=1, stream=2, start=11 + cut),
        ]
        assert_same_bits(np.concatenate(pieces), whole)


@pytest.mark.parametrize("features", [1, 16, 33, 300])
def test_a_row_does_not_see_its_batch(features, dtype, isa, threads, rng):
    """Also where a product switches between tiles: 1 to 130 rows around row 0."""
    x = rng.normal(size=(130, features)).astype(dtype)
    weight, bias = rng.normal(size=(features, 19)).astype(dtype), rng.normal(size=19).astype(dtype)
    labels = rng.integers(features, size=130)
    functions = {
        "linear": lambda rows: F.linear(x[rows], weight, bias, "tanh"),
        "softmax": lambda rows: F.softmax(x[rows], temperature=0.7),
        "log_softmax": lambda rows: F.log_softmax(x[rows]),
        "entropy": lambda rows: F.entropy(F.softmax(x[rows])),
        "cross_entropy": lambda rows: F.cross_entropy(x[rows], labels[rows], "none", label_smoothing=0.1),
        "cross_entropy_backward": lambda rows: F.cross_entropy_backward(1.0, x[rows], labels[rows], "sum"),
        "linear_backward": lambda rows: F.linear_backward(x[rows], x[rows], np.outer(x[0], x[1]))[0],
        "layer_norm": lambda rows: F.layer_norm(x[rows], x[0], x[1]),
        "layer_norm_backward": lambda rows: F.layer_norm_backward(x[rows], x[rows], x[0])[0],
        "rms_norm": lambda rows: F.rms_norm(x[rows], x[0]),
        "batch_norm": lambda rows: F.batch_norm(x[rows], x[0], x[1] ** 2, x[0], x[1]),
    }
    for function in functions.values():
        whole = function(slice(None))
        for start, stop in ((0, 1), (0, 2), (3, 8), (5, 16), (100, 130), (129, 130)):
            assert_same_bits(function(slice(start, stop)), whole[start:stop])


def test_floating_point_environment_is_left_alone():
    """In a new process, where only fastnn could have changed the rounding; and in the code, if objdump is there."""
    code = """
import numpy as np
tiny = np.float32(1e-40)
import fastnn.functional as F
x = np.full(100_000, tiny)
F.exp(x), F.softmax(x), F.mse_loss(x, x), F.linear(x.reshape(1000, 100), x[:100].reshape(100, 1))
assert tiny / np.float32(2) != 0 and np.float64(1e-310) / 2 != 0
assert F.relu(x)[0] == tiny and F.log(np.array([5e-324]))[0] == np.log(5e-324)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    libraries = sorted(pathlib.Path(fastnn._core.__file__).parent.glob("*.so"))
    assert libraries
    for library in libraries if shutil.which("objdump") else ():
        listing = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", library], capture_output=True, text=True, check=True
        )
        assert "ldmxcsr" not in listing.stdout
