"""The choice of an instruction set, and the completeness of the records and of the reference."""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import fastnn.functional as F
import fastnn.optim.functional as optim
from fastnn import reference
from fastnn._core import dispatch
from fastnn.functional.linear import ACTIVATIONS
from fastnn.testing.cases.ops import BY_NAME, MEASURES, OPS
from fastnn.testing.measure import assert_same_bits

BEST_FIRST = ["avx512", "avx2", "sse2", "neon"]
LANES = {"avx512": 16, "avx2": 8, "sse2": 4, "neon": 4}


def run(code, **environment):
    """Run code in a new process with changed environment variables."""
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, timeout=60
    )


def test_available_isas_come_best_first():
    available = dispatch.available_isas()
    assert available == [isa for isa in BEST_FIRST if isa in available]
    assert available[-1] in ("sse2", "neon")


def test_forced_isa_is_in_use(isa):
    assert dispatch.get_isa() == isa
    assert dispatch.lanes() == LANES[isa]
    np.testing.assert_array_equal(F.relu(np.array([-1.0, 2.0])), [0, 2])


def test_isas_differ_where_they_may(isas):
    """Without FMA a product rounds twice: proof that another code runs."""
    x = np.array([[1 + 2**-23]], "float32")
    for isa in isas:
        dispatch.set_isa(isa)
        square_less_rounded_square = F.linear(x, x, np.array([-1 - 2**-22], "float32"))
        np.testing.assert_array_equal(square_less_rounded_square, [[0 if isa == "sse2" else 2**-46]])


@pytest.mark.parametrize("name", ["avx1024", "", "AVX2", None, 2])
def test_unknown_isa(name):
    before = dispatch.get_isa()
    with pytest.raises(
        ValueError, match=f"isa must be one of {', '.join(dispatch.available_isas())} on this machine, got {name!r}"
    ):
        dispatch.set_isa(name)
    assert dispatch.get_isa() == before


def test_isa_from_the_environment(isa):
    code = "from fastnn._core import dispatch; print(dispatch.get_isa())"
    assert run(code, FASTNN_ISA=isa).stdout.strip() == isa
    assert run(code, FASTNN_ISA="").stdout.strip() == dispatch.available_isas()[0]


def test_unknown_isa_from_the_environment():
    process = run("import fastnn", FASTNN_ISA="mmx")
    assert process.returncode == 1
    assert f"isa must be one of {', '.join(dispatch.available_isas())} on this machine, got 'mmx'" in process.stderr


def test_every_kernel_has_a_record():
    covered = {kernel for op in OPS for kernel in op.kernels}
    assert covered | MEASURES == {name for name, _ in dispatch.kernels()}


def test_every_operation_has_a_record():
    of_parameters = {op.name for op in OPS if op.kind in ("update", "matrix update", "parameters")}
    assert {op.name for op in OPS} - of_parameters | BY_NAME == set(F.__all__)
    assert of_parameters == set(optim.__all__)


def test_records_of_forward_and_backward():
    names = {op.name for op in OPS}
    for op in OPS:
        assert op.backward is None or op.backward in names
        assert not op.name.endswith("_backward") or any(
            op.name in (forward.backward, f"{forward.name}_temperature_backward") for forward in OPS
        )


@pytest.mark.parametrize("name", sorted({*F.__all__, *optim.__all__} - BY_NAME))
def test_signature_is_that_of_the_reference(name):
    """Names, order and defaults; aside from `out`, and PyTorch's `dim` and `dtype` beside our `axis`."""
    function = getattr(F, name, None) or getattr(optim, name)
    given, known = inspect.signature(function).parameters, inspect.signature(getattr(reference, name)).parameters
    beside = ("out", "dim", "dtype") if "axis" in given else ("out", "dtype")
    expected = [(p.name, p.default) for p in known.values() if p.name not in beside]
    actual = [(p.name, p.default) for p in given.values() if p.name not in beside]
    assert actual == expected


def test_every_activation_can_be_fused():
    forward = {op.name for op in OPS if op.kind == "elementwise" and op.backward}
    assert set(ACTIVATIONS) == forward - {"affine", "reciprocal"}  # arithmetic with numbers


def test_kernels_know_their_groups():
    groups = dict(dispatch.kernels())
    assert dispatch.kernel_index("exp", "map1") == list(groups).index("exp")
    with pytest.raises(TypeError, match="kernel exp is of group 'map1', not 'map2'"):
        dispatch.kernel_index("exp", "map2")
    with pytest.raises(KeyError, match="nothing"):
        dispatch.kernel_index("nothing", "map1")


def test_changing_the_isa_changes_running_operations(isas):
    """Operations look the table up at each call, so what was imported before changes with it."""
    x = np.linspace(-3, 3, 100, dtype="float32")
    for isa in [i for i in isas if i != "sse2"]:
        dispatch.set_isa(isa)
        assert_same_bits(F.gelu(x), np.concatenate([F.gelu(x[:33]), F.gelu(x[33:])]))
