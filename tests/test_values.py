"""Values as JSON: what is written can be read back."""

import functools
import os

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from test_model import Scale


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8", "uint64", "bool", ">f4", ">i2"])
def test_arrays_among_arguments_are_tensors(dtype, path):
    table = (np.arange(10**5).reshape(2, -1) % 100).astype(dtype)
    layers = [Scale(1, table=table, z=(table, [table[::-1]])), nn.Sequential(Scale(2, table=table[:, :0]))]
    net = nn.Sequential(*layers, seed=0)
    net.save(path)
    assert os.path.getsize(path) < 4 * table.nbytes
    twin = fastnn.load(path, layers={"Scale": Scale})
    assert_same_bits(twin[0].config()["table"], table.astype(table.dtype.newbyteorder("=")))
    assert twin[0].config()["z"][1][0].tolist() == table[::-1].tolist()
    assert twin[1][0].config()["table"].shape == (2, 0)
    assert list(twin.state_dict()) == list(net.state_dict())


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (["x" * 100] * 2 * 10**5, ValueError, "takes .* bytes, of at most 16777216: keep many numbers in arrays"),
        (range(10**7), TypeError, "cannot hold range"),
        (np.zeros(2, "c8"), TypeError, "cannot hold ndarray"),
        (np.zeros(2, "datetime64[s]"), TypeError, "cannot hold ndarray"),
        (np.zeros(2, "longdouble"), TypeError, "cannot hold ndarray"),
        (np.longdouble(1), TypeError, "cannot hold longdouble"),
        (np.array(["a"]), TypeError, "cannot hold ndarray"),
        (1j, TypeError, "cannot hold complex"),
        (b"x", TypeError, "cannot hold bytes"),
        (functools.reduce(lambda inner, _: [inner], range(250), 1), ValueError, "nested deeper than 200 levels"),
        (functools.reduce(lambda inner, _: [inner], range(2000), 1), ValueError, "nested too deep"),
    ],
    ids=[str(i) for i in range(11)],
)
def test_what_could_not_be_read_back_is_not_written(value, error, message, path):
    path.write_bytes(b"old")
    with pytest.raises(error, match=message):
        nn.Sequential(Scale(1, z=value), seed=0).save(path)
    assert (path.read_bytes(), os.listdir(path.parent)) == (b"old", [path.name])


@pytest.mark.parametrize(
    "value", [range(10**6), range(5, -5, -2), slice(None, 2**70), 2**200, float("nan"), np.str_("ä\ud800"), "x" * 10**6,
              {(1, "a"): {None: True}}, np.int8(3), np.bool_(True), [[]] * 10**5]
)  # fmt: skip
def test_what_can_be_written_can_be_read_back(value, path):
    nn.Sequential(Scale(1, z=value), seed=0).save(path)
    again = fastnn.load(path, layers={"Scale": Scale})[0].config()["z"]
    assert again == value or (again != again and value != value)
