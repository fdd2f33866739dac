"""Products with a weight of small integers: the bits of the reference, for any instruction set, threads and rows."""

import io

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn._core import int8 as core
from fastnn.nn.int8 import MOST, packed, quantized
from fastnn.reference.int8 import linear_int8, unpacked
from support.guard import Guard

SIZES = [(1, 1), (3, 5), (4, 16), (7, 17), (64, 31), (129, 48), (512, 100)]


def drawn(rng, rows, n_in, n_out, dtype):
    x = (rng.normal(size=(rows, n_in)) * np.exp(rng.normal(size=(rows, 1)))).astype(dtype)
    integers = rng.integers(-MOST, MOST + 1, size=(n_in, n_out)).astype("int8")
    return x, integers, rng.uniform(0.001, 0.1, n_out), rng.normal(size=n_out).astype(dtype)


@pytest.mark.parametrize(("n_in", "n_out"), SIZES)
def test_packed_integers_are_found_again(n_in, n_out, rng):
    integers = rng.integers(-MOST, MOST + 1, size=(n_in, n_out)).astype("int8")
    panels = packed(integers)
    np.testing.assert_array_equal(unpacked(panels, n_in, n_out), integers)
    offsets = panels[:, : 4 * core.COLUMNS].copy().view("int32").ravel()
    np.testing.assert_array_equal(offsets[:n_out], 128 * integers.sum(axis=0, dtype="int64"))


@pytest.mark.parametrize(("n_in", "n_out"), SIZES)
@pytest.mark.parametrize("rows", [1, 3, 4, 9, 300])
def test_bits_are_those_of_the_reference(rows, n_in, n_out, dtype, isa, rng):
    x, integers, scale, bias = drawn(rng, rows, n_in, n_out, dtype)
    for b in (bias, None):
        out = np.empty((rows, n_out), dtype)
        core.linear_int8(x, packed(integers), scale, b, out)
        assert out.tobytes() == linear_int8(x, integers, scale, b).tobytes()


def test_the_largest_sums_do_not_overflow(isa):
    n_in = core.MOST_IN
    integers = np.full((n_in, 1), MOST, "int8")
    out = np.empty((2, 1), "float64")
    core.linear_int8(np.ones((2, n_in)), packed(integers), np.ones(1), None, out)
    assert out.ravel().tolist() == [MOST * 127 * n_in * (1 / 127)] * 2


def test_bits_are_those_of_any_threads_and_rows(dtype, rng, cut_small_work):
    x, integers, scale, bias = drawn(rng, 301, 70, 50, dtype)
    whole = linear_int8(x, integers, scale, bias)
    for threads in (1, 2, 3):
        fastnn.set_num_threads(threads)
        for part in (slice(None), slice(0, 20), slice(20, 301)):
            out = np.empty_like(whole[part])
            core.linear_int8(x[part], packed(integers), scale, bias, out)
            assert out.tobytes() == whole[part].tobytes()


def test_nothing_beyond_the_arrays_is_touched(dtype, isa, rng):
    rooms = [Guard(1 << 16) for _ in range(5)]
    for rows, n_in, n_out in ((1, 1, 1), (3, 5, 17), (6, 33, 16), (5, 70, 31)):
        x, integers, scale, bias = drawn(rng, rows, n_in, n_out, dtype)
        expected = linear_int8(x, integers, scale, bias)
        for end in (True, False):
            arrays = x, packed(integers), scale, bias, np.full_like(expected, 7)
            held = [room.hold(array, end) for room, array in zip(rooms, arrays, strict=True)]
            core.linear_int8(*held)
            assert held[-1].tobytes() == expected.tobytes()


@pytest.mark.usefixtures("backend")
def test_special_rows(dtype):
    layer = nn.LinearInt8.of(nn.Linear(2, 3, seed=0, dtype=dtype))
    tiny = np.finfo(dtype).tiny
    x = np.array([[np.nan, 1], [np.inf, 1], [1, -np.inf], [0, 0], [tiny, 0]], dtype)
    y = layer(x)
    assert np.isnan(y[:3]).all()
    np.testing.assert_array_equal(y[3], layer.bias)
    np.testing.assert_allclose(y[4], layer.bias, rtol=1e-6)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("rows", [0, 1, 3, 40])
def test_networks_of_any_number_of_rows(rows, dtype, rng):
    net = nn.Sequential(nn.LinearInt8.of(nn.Linear(6, 20, seed=0, dtype=dtype)), nn.Tanh(), dtype=dtype)
    x = rng.normal(size=(rows, 6)).astype(dtype)
    layer = net[0]
    expected = np.tanh(linear_int8(x, layer.integers, layer.scale, layer.bias))
    np.testing.assert_allclose(net.predict(x), expected, rtol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 64), "int8"), np.zeros((1, 192), "float32"), np.zeros((1, 384), "int8")[:, ::2]]
)
def test_buffers_of_another_size_are_refused(wrong):
    layer = nn.LinearInt8(6, 3)
    net = nn.Sequential(layer)
    layer._buffers["weight"] = wrong
    with pytest.raises(ValueError, match="weight must be int8 of shape"):
        net.predict(np.ones((1, 6), "float32"))


def test_a_program_has_a_data_form():
    net = nn.Sequential(nn.LinearInt8(6, 20)).eval()
    (operation,) = (o for o in net.plan_program("predict", 4, 6).to_dict()["operations"] if o["kind"] == "linear_int8")
    assert {"x", "weight", "scale", "bias", "y"} <= set(operation["operands"])


def test_rounding_is_as_small_as_it_says(dtype, rng):
    linear = nn.Linear(300, 40, seed=1, dtype=dtype)
    layer = nn.LinearInt8.of(linear)
    wide = linear["weight"].astype("float64")
    error = np.abs(layer.integers * layer.scale - wide)
    assert (error <= np.abs(wide).max(axis=0) / 126 * (1 + 1e-6)).all()
    x = rng.normal(size=(50, 300)).astype(dtype)
    rounded = np.abs(x).max(axis=1, keepdims=True) / 254 * np.abs(layer.integers * layer.scale).sum(axis=0)
    bound = np.abs(x) @ error + rounded
    assert (np.abs(layer(x) - linear(x)) <= bound * (1 + 1e-5)).all()


def test_columns_of_zeros_and_weights_that_are_not_finite():
    integers, scale = quantized(np.array([[0.0, 2.0], [0.0, -1.0]]), MOST)
    assert integers.tolist() == [[0, 63], [0, -32]]  # -31.5 rounds to the even one
    assert scale.tolist() == [0.0, 2.0 / 63]
    layer = nn.Linear(2, 1, weight_init=[[np.nan], [1.0]])
    with pytest.raises(ValueError, match="weight must be finite to be rounded to integers"):
        nn.LinearInt8.of(layer)
    with pytest.raises(TypeError, match="linear must be a Linear, got ReLU"):
        nn.LinearInt8.of(nn.ReLU())
    with pytest.raises(ValueError, match="in_features must be"):
        nn.LinearInt8(core.MOST_IN + 1, 1)


def test_it_has_no_gradient():
    net = nn.Sequential(nn.LinearInt8(2, 3), nn.ReLU(), nn.Linear(3, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), fastnn.optim.SGD(net.parameters(), lr=0.1))
    trainer.step(np.ones((2, 2), "float32"), np.zeros((2, 1), "float32"))  # what is behind it can be trained
    with pytest.raises(ValueError, match="LinearInt8 is for inference and has no gradient"):
        net(np.ones((2, 2), "float32"))
    assert net.eval()(np.ones((2, 2), "float32")).shape == (2, 1)


def test_a_file_holds_it():
    layer = nn.LinearInt8.of(nn.Linear(5, 3, seed=0))
    net, file = nn.Sequential(layer, nn.ReLU()), io.BytesIO()
    net.save(file)
    twin = fastnn.load(file.getvalue())
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    assert twin.predict(x).tobytes() == net.predict(x).tobytes()
    np.testing.assert_array_equal(twin[0].integers, layer.integers)
    other = nn.Sequential(nn.LinearInt8(5, 3), nn.ReLU())
    other.predict(x)  # compiled before the values come
    other.load_state_dict(net.state_dict())
    assert other.predict(x).tobytes() == net.predict(x).tobytes()
