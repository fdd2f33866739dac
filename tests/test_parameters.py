"""What is done to parameters and gradients beside the updates: against the reference, everywhere the same bits."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
import fastnn.optim.functional as optim
from fastnn import nn
from fastnn._core import dispatch, threads
from fastnn.reference import parameters as reference
from fastnn.testing.cases.ops import PARAMETERS, case_id
from fastnn.testing.cases.records import Call
from fastnn.testing.measure import assert_same_bits, max_ulp, wide
from support.guard import Guard

CASES = [(op, options) for op in PARAMETERS for options in op.options]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=case_id)
EVERY_OP = pytest.mark.parametrize("op", PARAMETERS, ids=case_id)
WITH_FMA = [isa for isa in dispatch.available_isas() if isa != "sse2"]
INF, NAN = np.inf, np.nan


def outcome(function, call):
    """What a call returns, or makes of (a copy of) its first array."""
    first, *rest = call.args
    first = first.copy()
    value = function(first, *rest, **call.kwargs)
    return first if value is None else np.asarray(value, first.dtype)


def assert_near(op, call):
    with np.errstate(all="ignore"):
        expected = outcome(op.reference, call.mapped(wide))
    scale = None if op.scale is None else op.scale(*call.mapped(wide).args, **call.kwargs)
    assert max_ulp(outcome(op.function, call), expected, scale) <= op.tolerance[call.args[0].dtype]


def shape_of(op, n):
    return (5, n) if op.name == "max_norm_" else (n,)


@EVERY_CASE
def test_equals_reference(case, dtype, isa, rng):
    op, options = case
    lanes = dispatch.lanes() * 4 // dtype.itemsize
    for n in (0, 1, lanes - 1, lanes, lanes + 1, 4 * lanes, 5 * lanes + 3, 4099):
        assert_near(op, op.make(shape_of(op, n), dtype, rng, **options))
    for shape in ((2, 3, 5), (3, 0), (0, 3)):
        assert_near(op, op.make(shape, dtype, rng, **options))


@EVERY_CASE
def test_equals_reference_for_any_number_of_threads(case, dtype, threads, rng):
    op, options = case
    for n in (100, 3 * 4096 + 7):
        assert_near(op, op.make(shape_of(op, n), dtype, rng, **options))


@EVERY_CASE
def test_same_bits_everywhere(case, dtype, rng, isas, cut_small_work):
    op, options = case
    call = op.make(shape_of(op, 64 * 4096 + 4097), dtype, rng, **options)
    ends = []
    for isa in WITH_FMA:
        dispatch.set_isa(isa)
        for n in (1, 2, 3, 5):
            threads.set_num_threads(n)
            ends.append(outcome(op.function, call))
    for end in ends[1:]:
        assert_same_bits(end, ends[0])


@EVERY_CASE
def test_reference_backend(case, dtype, rng, reference_backend):
    op, options = case
    call = op.make(shape_of(op, 33), dtype, rng, **options)
    assert_same_bits(outcome(op.function, call), outcome(op.reference, call))


@EVERY_CASE
def test_nothing_outside_is_touched(case, dtype, isa, rng):
    op, options = case
    guards = [Guard(5 * 70 * 8) for _ in range(2)]
    for n in range(1, 71):
        call = op.make(shape_of(op, n), dtype, rng, **options)
        expected = outcome(op.function, call)
        for end in (True, False):
            held = Call(tuple(g.hold(a, end) for g, a in zip(guards, call.args, strict=False)), call.kwargs)
            value = op.function(*held.args, **held.kwargs)
            assert_same_bits(held.args[0] if value is None else np.asarray(value, dtype), expected)


def test_special_values_of_gradients(dtype, isa):
    grad = np.array([NAN, INF, -INF, 3, -3, 0.5, -0.0, 1, 1], dtype)
    param = np.array([1, 1, 1, -2, 0, INF, -0.0, NAN, -INF], dtype)
    clipped = grad.copy()
    optim.adjust_grad_(clipped, param, clip_value=1.0)
    assert_same_bits(clipped, np.array([NAN, 1, -1, 1, -1, 0.5, -0.0, 1, 1], dtype))
    optim.adjust_grad_(grad, param, clip_value=1.0, l1=0.25, l2=0.5)
    np.testing.assert_array_equal(grad, np.array([NAN, 1.75, -0.25, -0.25, -1, INF, 0, NAN, -INF], dtype))


def test_norm_of_large_and_special_numbers(dtype, isa):
    assert optim.total_norm(np.full(4, 1e25, dtype)) == pytest.approx(2e25, rel=1e-6)
    assert optim.total_norm(np.zeros(0, dtype)) == 0.0
    assert optim.total_norm(np.array([1, INF], dtype)) == INF
    assert np.isnan(optim.total_norm(np.array([1, NAN, INF], dtype)))


def test_max_norm_by_hand(dtype, isa):
    weight = np.array([[3, 0.3, NAN, 0], [4, 0.4, 1, 0]], dtype)
    optim.max_norm_(weight, 2.5)
    np.testing.assert_allclose(weight, np.array([[1.5, 0.3, NAN, 0], [2, 0.4, 1, 0]], dtype), rtol=1e-6)
    before = weight.copy()
    optim.max_norm_(weight[:, 1:].copy(), 2.5)
    assert_same_bits(weight, before)


def test_a_weight_of_one_copies(dtype, isa):
    average, x = np.array([NAN, INF, 1], dtype), np.array([1, 2, INF], dtype)
    optim.lerp_(average, x, 1.0)
    assert_same_bits(average, x)


@EVERY_OP
def test_wrong_arrays_change_nothing(op, dtype, rng):
    call = op.make((2, 6), dtype, rng, **op.options[-1])
    before = [array.copy() for array in call.args]
    frozen = call.args[0].copy()
    frozen.flags.writeable = False
    wrong = [(0, call.args[0].astype(int), TypeError, "must be float32 or float64, got int64")]
    if op.name != "total_norm":
        wrong += [
            (0, frozen, ValueError, "must be writable"),
            (0, np.repeat(call.args[0], 2, 1)[:, ::2], ValueError, "must be C-contiguous"),
            (0, call.args[0].tolist(), TypeError, "must be an ndarray"),
        ]
    if len(call.args) > 1:
        other = np.dtype("float64" if dtype == "float32" else "float32")
        wrong += [
            (1, call.args[1].astype(other), TypeError, "both must have one dtype"),
            (1, call.args[1][:1], ValueError, r"param must have the shape of \w+, \(2, 6\), got \(1, 6\)"),
        ]
    for i, value, error, message in wrong:
        with pytest.raises(error, match=message):
            op.function(*call.replaced(i, value).args, **call.kwargs)
    for array, was in zip(call.args, before, strict=True):
        assert_same_bits(array, was)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: optim.adjust_grad_(x, l1=0.1), ValueError, "param must be given where l1 or l2 is not 0"),
        (lambda x: optim.adjust_grad_(x, scale=NAN), ValueError, "scale must be a number, got nan"),
        (lambda x: optim.adjust_grad_(x, clip_value=-1.0), ValueError, r"clip_value must be at least 0.0, got -1"),
        (lambda x: optim.adjust_grad_(x, x, l2="1"), TypeError, "l2 must be a number, got str"),
        (lambda x: optim.max_norm_(x, -1.0), ValueError, r"max_norm must be at least 0.0, got -1.0"),
        (lambda x: optim.max_norm_(np.zeros(()), 1.0), ValueError, "one dimension or more, got a scalar"),
        (lambda x: optim.lerp_(x, x.copy(), 1.5), ValueError, r"weight must be at least 0.0 and at most 1.0, got 1.5"),
    ],
)
def test_wrong_numbers(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones(3))


def test_overlapping_arrays():
    whole = np.arange(8.0)
    expected = whole[:6] + 0.25 * (whole[2:] - whole[:6])
    optim.lerp_(whole[:6], whole[2:], 0.25)
    np.testing.assert_allclose(whole[:6], expected)


# -- parameters know what training is told about them ------------------------------------------------------------------


def make():
    inner = nn.Sequential(nn.Linear(3, 4, l1=0.5), nn.Tanh())
    return nn.Sequential(inner, nn.Linear(4, 2, l2=0.25, max_norm=3.0, penalize_bias=True), seed=0)


def test_settings_of_parameters():
    net = make()
    rows = {p.name: p.settings[0].item() for p in net.parameters()}
    assert rows == {
        "0.0.weight": (True, 0.5, 0.0, INF),
        "0.0.bias": (False, 0.0, 0.0, INF),
        "1.weight": (True, 0.0, 0.25, 3.0),
        "1.bias": (True, 0.0, 0.25, INF),
    }
    net[1].l1, net[1].max_norm = 2.0, None
    assert net.parameters()["1.weight"].settings[0].item() == (True, 2.0, 0.25, INF)
    part = net[0].parameters()
    assert [p.name for p in part] == ["0.weight", "0.bias"]
    assert part["0.weight"].settings[0].item() == (True, 0.5, 0.0, INF)
    assert [p.start for p in part] == [0, 16]
    assert "l2=0.25" in repr(net[1])


def test_settings_are_saved_as_they_are_now(tmp_path):
    net = nn.Sequential(nn.Linear(2, 3, l1=0.25, penalize_bias=True), nn.Tanh(), seed=0)
    net[0].l1, net[0].max_norm = 0.5, 2.0
    net.save(tmp_path / "net")
    twin = fastnn.load(tmp_path / "net")
    assert twin.parameters().settings.tolist() == net.parameters().settings.tolist()
    assert (twin[0].l1, twin[0].l2, twin[0].max_norm) == (0.5, 0.0, 2.0)


@pytest.mark.parametrize("network", [nn.Sequential(nn.Linear(2, 2)), nn.Residual(nn.Linear(2, 2))])
def test_networks_have_no_settings_of_their_own(network):
    for name in ("l1", "l2", "max_norm"):
        with pytest.raises(ValueError, match=f"{name} is a setting of single layers: set it for those in "):
            setattr(network, name, 0.1)


def test_a_part_of_the_parameters_behind_empty_ones():
    net = nn.Sequential(nn.Linear(0, 2), nn.Sequential(nn.Linear(2, 4)), seed=0)
    part = net[1].parameters()
    part["0.bias"].data[...] = 7
    assert (net[1][0].bias == 7).all()
    assert part.data.size == 32


def test_parameters_of_a_layer_of_ones_own_decay_by_dimension_or_as_told():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_parameter("matrix", (3, 3))
            self.add_parameter("scale", (3,))
            self.add_parameter("told", (3,), decay=True)
            self.l2 = 0.5

    params = nn.Sequential(Own(), seed=0).parameters()
    assert [(p.name, bool(p.settings["decay"][0]), float(p.settings["l2"][0])) for p in params] == [
        ("0.matrix", True, 0.5),
        ("0.scale", False, 0.0),
        ("0.told", True, 0.5),
    ]


@pytest.mark.parametrize("name", ["l1", "l2", "max_norm"])
def test_settings_out_of_range(name):
    for bad, error in ((-1, ValueError), (NAN, ValueError), (INF, ValueError), ("1", TypeError)):
        with pytest.raises(error, match=f"{name} must be"):
            nn.Linear(2, 2, **{name: bad})
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=f"{name} must be at least"):
        setattr(layer, name, -1.0)
    assert not getattr(layer, name)


def test_average_weight_is_that_of_the_compiled_one(dtype, rng):
    params = nn.Sequential(nn.Linear(5, 7), seed=0, dtype=dtype.name).parameters()
    for decay, start, every in ((NAN, 0, 1), (NAN, 3, 2), (0.3, 0, 1), (0.9, 2, 3)):
        settings = np.array([decay, start, every])
        mine, seen = np.zeros_like(params.data), np.zeros(1, "int64")
        average = fastnn.optim.WeightAverage(params)
        average.settings[...] = settings
        for _ in range(12):
            params.data[:35] = rng.normal(size=35)
            average.update()
            reference.average(mine, params.data, settings, seen)
            np.testing.assert_allclose(average.data, mine, atol=1e-6 if dtype == "float32" else 1e-14)
        assert (average.seen == seen).all()


# -- the parameters of a network ---------------------------------------------------------------------------------------


def test_iterating_yields_parameters_with_the_attributes_of_arrays(dtype):
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), dtype=dtype.name)
    for p, (name, view) in zip(net.parameters(), net.named_parameters(), strict=True):
        assert p.data is view and p.name == name
        assert (p.shape, p.ndim, p.size, p.dtype) == (view.shape, view.ndim, view.size, dtype)
        assert p.numel() == view.size and p.grad.shape == view.shape
        assert repr(p) == f"Parameter({name!r}, shape={view.shape}, {dtype})"
    assert sum(p.numel() for p in net.parameters()) == net.parameters().numel()


def test_parameters_are_equal_only_to_themselves():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    first, *rest = net.parameters()
    assert first == net.parameters()["0.weight"] and first not in rest
    assert len({first, *rest, first}) == 4


def test_a_loop_of_ones_own_updates_in_place():
    net = nn.Sequential(nn.Linear(2, 2), seed=0, dtype="float64")
    weight, before = net[0].weight, net[0].weight.copy()
    for p in net.parameters():
        p.grad += 1.0
        p.data -= 0.5 * p.grad
    assert net[0].weight is weight and np.array_equal(weight, before - 0.5)
    for name, message in (("data", r"set its values, p.data\[...\] = values"), ("requires_grad", '"frozen": True')):
        with pytest.raises(AttributeError, match=f"Parameter.{name} cannot be set: .*{message}"):
            setattr(net.parameters()["0.bias"], name, None)


@pytest.mark.parametrize("remake", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["copy", "pickle"])
def test_a_parameter_is_copied_without_its_network(remake):
    net = nn.Sequential(nn.Linear(2, 2), seed=0)
    weight = net.parameters()["0.weight"]
    twin = remake(weight)
    assert twin.owner() is None and weight.owner() is net.parameters()
    assert_same_bits(twin.data, weight.data)
    twin.data[...] = 7
    assert not (weight.data == 7).any()


def test_parts_know_the_whole():
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Sequential(nn.Linear(2, 3))), seed=0)
    whole, part = net.parameters(), net[1].parameters()
    assert part.root() is whole and net[1][0].parameters().root() is whole and whole.root() is whole
    assert part["0.0.weight"].data is whole["1.0.0.weight"].data
    assert part["0.0.weight"].owner() is part
    twin = copy.deepcopy(net)
    assert twin[1].parameters()["0.0.bias"].owner() is twin[1].parameters()
    assert twin[1].parameters().root() is twin.parameters()


class OnlyDLPack:
    """An array of another library that has nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_dlpack_shares_the_values_and_networks_take_it():
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    weight = net.parameters()["0.weight"]
    view = np.from_dlpack(weight)
    assert np.shares_memory(view, net[0].weight) and view.shape == (3, 2)
    net[0].weight[0, 0] = 7.0
    assert view[0, 0] == 7.0
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_array_equal(net.predict(OnlyDLPack(x)), net.predict(x))
    np.testing.assert_array_equal(net(OnlyDLPack(x)), net(x))
    assert np.shares_memory(fastnn._validation.from_any("x", OnlyDLPack(x)), x)
