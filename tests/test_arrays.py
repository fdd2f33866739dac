"""What arrays an operation accepts, writes and refuses, and what it returns."""

import inspect

import numpy as np
import pytest

import fastnn.functional as F
from fastnn._core import dispatch
from fastnn.testing.cases.ops import CASES, FUNCTIONS, case_id
from fastnn.testing.cases.records import results
from fastnn.testing.measure import assert_same_bits

SHAPE = (5, 7)


def some_call(op, dtype, rng, shape=SHAPE):
    return op.make(shape, dtype, rng, **op.options[0])


def array_places(op, kinds="fi"):
    """The places of those arguments that are arrays of floats, or of integers too."""
    args = some_call(op, np.dtype("float32"), np.random.default_rng(0)).args
    return [i for i, value in enumerate(args) if value.ndim and value.dtype.kind in kinds]


EVERY_OP = pytest.mark.parametrize("op", FUNCTIONS, ids=case_id)
OF_SEVERAL_ARRAYS = pytest.mark.parametrize("op", [op for op in FUNCTIONS if len(array_places(op)) > 1], ids=case_id)
OF_SEVERAL_FLOATS = pytest.mark.parametrize(
    "op", [op for op in FUNCTIONS if len(array_places(op, "f")) > 1], ids=case_id
)
EVERY_ELEMENTWISE = pytest.mark.parametrize("op", [op for op in FUNCTIONS if op.kind == "elementwise"], ids=case_id)
WITH_OUT = [op for op in FUNCTIONS if "out" in inspect.signature(op.function).parameters]
EVERY_OP_WITH_OUT = pytest.mark.parametrize("op", WITH_OUT, ids=case_id)

# Arguments that may have any rows and axes.
NORMS = ("layer_norm", "rms_norm", "batch_norm")
ANY_ROWS = [(name, 0) for name in ("linear", "prelu", "temperature_scale", "embedding", *NORMS)]
ANY_ROWS += [(name, i) for name in ("pairwise_distance", "cosine_similarity") for i in (0, 1)]  # broadcast
ANY_ROWS += [("embedding_bag", 0), ("embedding_bag", 1), ("embedding_bag_backward", 2)]
ANY_ROWS += [("embedding", 1), ("embedding_backward", 2)]  # as long as no code is beyond them


def misaligned(array):
    storage = np.zeros(array.nbytes + array.itemsize, "uint8")
    view = storage[1 : 1 + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def strided(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


class Wrapped:
    """An array of another library."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class Capsule:
    """An array of another library that knows DLPack only."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **kwargs):
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


LAYOUTS = {
    "read only": read_only,
    "strided": strided,
    "reversed": lambda array: array[::-1].copy()[::-1],
    "reversed rows": lambda array: array[..., ::-1].copy()[..., ::-1],
    "Fortran order": np.asfortranarray,
    "misaligned": misaligned,
    "memoryview": memoryview,
    "__array__": Wrapped,
    "__dlpack__": Capsule,
}


@EVERY_OP
def test_any_layout_gives_the_same(op, dtype, rng):
    call = some_call(op, dtype, rng)
    expected = results(op.function, call)
    for name, layout in LAYOUTS.items():
        for i in array_places(op):
            value = op.function(*call.replaced(i, layout(call.args[i])).args, **call.kwargs)
            actual = value if isinstance(value, tuple) else (value,)
            for a, e in zip(actual, expected, strict=True):
                assert np.asarray(a, e.dtype).tobytes() == e.tobytes(), name


@EVERY_OP
def test_inputs_stay_as_they_are(op, dtype, rng):
    call = some_call(op, dtype, rng)
    before = [value.tobytes() for value in call.args]
    values = results(op.function, call)
    for array in values:
        assert not any(np.shares_memory(array, value) for value in call.args)
        array[...] = 7
    assert [value.tobytes() for value in call.args] == before


@EVERY_OP_WITH_OUT
def test_out_is_filled_and_returned(op, dtype, isa, rng):
    call = some_call(op, dtype, rng)
    (expected,) = results(op.function, call)
    out = np.full_like(expected, 7)
    assert op.function(*call.args, **call.kwargs, out=out) is out
    assert_same_bits(out, expected)


@EVERY_OP_WITH_OUT
def test_out_may_be_an_input(op, dtype, isa, rng):
    call = some_call(op, dtype, rng)
    (expected,) = results(op.function, call)
    for i, value in enumerate(call.args):
        if value.shape == expected.shape:
            copy = value.copy()
            assert op.function(*call.replaced(i, copy).args, **call.kwargs, out=copy) is copy
            assert_same_bits(copy, expected)


@EVERY_OP_WITH_OUT
def test_out_may_overlap_an_input(op, dtype, rng):
    """Shifted to either side, by less than a register and by more."""
    call = some_call(op, dtype, rng, (40, 9))
    (expected,) = results(op.function, call)
    for i, value in enumerate(call.args):
        for shift in (-20, -1, 1, 20):
            storage = np.zeros(value.size + expected.size + 40, dtype)
            x = storage[20:][: value.size].reshape(value.shape)
            x[...] = value
            out = storage[20 + shift :][: expected.size].reshape(expected.shape)
            op.function(*call.replaced(i, x).args, **call.kwargs, out=out)
            assert_same_bits(out, expected)


@EVERY_OP_WITH_OUT
def test_out_must_be_right(op, dtype, rng):
    call = some_call(op, dtype, rng)
    (right,) = results(op.function, call)
    other = np.dtype("float64" if dtype == "float32" else "float32")
    wrong = [
        (right.tolist(), TypeError, "out must be an ndarray, got list"),
        (right.astype(other), TypeError, f"out must be {dtype}, got {other}"),
        (right.astype(dtype.newbyteorder()), TypeError, "out must be"),
        (right[:-1], ValueError, r"out must have shape \(5, [\d, ]+\), got \(4, [\d, ]+\)"),
        (np.asfortranarray(right), ValueError, "out must be C-contiguous"),
        (misaligned(right), ValueError, "out must be aligned"),
        (read_only(right), ValueError, "out must be writable"),
    ]
    for out, error, message in wrong:
        with pytest.raises(error, match=message):
            op.function(*call.args, **call.kwargs, out=out)


@EVERY_OP
def test_wrong_dtypes(op, dtype, rng):
    call = some_call(op, dtype, rng)
    wrong = [
        (dtype.newbyteorder(), "must be in native byte order, got"),
        ("float16", "must be float32 or float64, got float16"),
        ("complex128", "must be float32 or float64, got complex128"),
        (object, "must be float32 or float64, got object"),
    ]
    places = array_places(op, "f")
    for i in places[:1] if op.kind == "class loss" else places:  # targets may be class indices
        for bad, message in wrong:
            with pytest.raises(TypeError, match=message):
                op.function(*call.replaced(i, call.args[i].astype(bad)).args, **call.kwargs)
        for bad in ("text", {"a": 1}, object()):
            with pytest.raises(TypeError, match="must be"):
                op.function(*call.replaced(i, bad).args, **call.kwargs)


@EVERY_OP
@pytest.mark.parametrize("kind", ["int64", "uint8", "bool", "list"])
def test_integers_booleans_and_lists_become_float64(op, kind, rng, backend):
    """As in NumPy, in each argument in turn."""
    call = some_call(op, np.dtype("float64"), rng)
    for i in array_places(op, "f"):
        whole = (np.abs(call.args[i]) > 0.5).astype("float64" if kind == "list" else kind)
        if op.kind == "embedding" and kind == "bool":
            continue
        expected = results(op.function, call.replaced(i, whole.astype("float64")))
        given = whole.tolist() if kind == "list" else whole
        actual = op.function(*call.replaced(i, given).args, **call.kwargs)
        for a, e in zip(actual if isinstance(actual, tuple) else (actual,), expected, strict=True):
            assert_same_bits(np.asarray(a), e)


OF_SCALARS = [op for op in FUNCTIONS if op.kind in ("elementwise", "loss", "pair loss")]


@pytest.mark.parametrize("op", OF_SCALARS, ids=case_id)
def test_a_scalar_gives_a_numpy_scalar(op, dtype, rng, backend):
    """On both backends; also a Python number, which is a float64."""
    call = some_call(op, dtype, rng, ())
    for args, expected in ((call.args, dtype.type), ([value.item() for value in call.args], np.float64)):
        result = op.function(*args, **call.kwargs)
        assert {type(value) for value in (result if isinstance(result, tuple) else (result,))} == {expected}


@OF_SEVERAL_FLOATS
def test_mixed_dtypes(op, dtype, rng):
    other = np.dtype("float64" if dtype == "float32" else "float32")
    call = some_call(op, dtype, rng)
    for i in array_places(op, "f"):
        with pytest.raises(TypeError, match=r"is float\d\d but \w+ is float\d\d: both must have one dtype"):
            op.function(*call.replaced(i, call.args[i].astype(other)).args, **call.kwargs)


@OF_SEVERAL_ARRAYS
def test_wrong_shapes(op, dtype, rng):
    """Every array has one row too few, or an axis too many, in turn."""
    call = some_call(op, dtype, rng)
    for i in array_places(op):
        if (op.name, i) in ANY_ROWS:
            continue
        for wrong in (call.args[i][:-1], call.args[i][np.newaxis, np.newaxis]):
            with pytest.raises((ValueError, TypeError), match=r"\("):
                op.function(*call.replaced(i, wrong).args, **call.kwargs)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_reference_backend(case, dtype, rng, reference_backend):
    op, options = case
    call = op.make(SHAPE, dtype, rng, **options)
    for actual, expected in zip(results(op.function, call), results(op.reference, call), strict=True):
        assert_same_bits(actual, expected)


@EVERY_OP_WITH_OUT
def test_reference_backend_fills_out(op, dtype, rng, reference_backend):
    call = some_call(op, dtype, rng)
    (expected,) = results(op.reference, call)
    out = np.zeros_like(expected)
    assert op.function(*call.args, **call.kwargs, out=out) is out
    assert_same_bits(out, expected)


@EVERY_OP
def test_reference_backend_raises_the_same(op, dtype, rng, reference_backend):
    call = some_call(op, dtype, rng)
    first = array_places(op, "f")[op.constants]
    wrong = call.replaced(first, call.args[first].astype("float16"))
    messages = []
    for on in (False, True):
        dispatch.set_reference(on)
        with pytest.raises(TypeError) as caught:
            op.function(*wrong.args, **wrong.kwargs)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("name", ["exp", "relu", "sigmoid", "gelu", "softplus", "hardtanh"])
def test_nan_stays_in_its_lane(name, dtype, isa):
    """At every position of a body and of every tail."""
    function = getattr(F, name)
    for n in range(1, 3 * dispatch.lanes() + 2):
        x = np.full((n, n), 0.5, dtype)
        np.fill_diagonal(x, np.nan)
        expected = np.full((n, n), function(np.full(1, 0.5, dtype))[0])
        np.fill_diagonal(expected, np.nan)
        for row, expected_row in zip(function(x), expected, strict=True):
            np.testing.assert_array_equal(row, expected_row)
        for row, expected_row in zip(x, expected, strict=True):
            np.testing.assert_array_equal(function(row), expected_row)


@EVERY_ELEMENTWISE
def test_nan_in_any_argument_stays_there_only(op, dtype, isa, rng):
    """A comparison with NaN is false, so relu_backward and its like pass the gradient: the reference says which do."""
    call = some_call(op, dtype, rng, (37,))
    for i in range(len(call.args)):
        value = call.args[i].copy()
        value[::5] = np.nan
        damaged = call.replaced(i, value)
        (actual,), (expected,) = results(op.function, damaged), results(op.reference, damaged)
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
        others = np.arange(37) % 5 != 0
        assert_same_bits(actual[others], results(op.function, call)[0][others])
