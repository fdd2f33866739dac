"""Architectures in files: layers of own classes, and forged descriptions."""

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.files import format as files
from fastnn.testing.measure import assert_same_bits
from test_model import Scale


def test_a_layer_of_ones_own_is_told_or_registered(path, monkeypatch):
    table = np.array([[1.5, np.nan, -np.inf]], "float32")
    layer = Scale(np.float32(3), 4, [5, (6, None)], where=slice(2, 5), table=table, other=range(3), z={1: {"a": (2,)}})
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(layer), seed=0)
    net.save(path)
    with pytest.raises(fastnn.FileFormatError, match=r"layers=0?.*no layer class 'Scale' is known.*register_layer"):
        fastnn.load(path)
    for twin in (fastnn.load(path, layers={"Scale": Scale}), registered(monkeypatch, path)):
        config = twin[1][0].config()
        assert_same_bits(config.pop("table"), table)
        assert config == {
            "factor": 3.0, "extra": (4, [5, (6, None)]), "name": "scale", "pair": (1, 2.5), "where": slice(2, 5),
            "other": range(3), "z": {1: {"a": (2,)}},
        }  # fmt: skip
        assert twin["1.0.factor"] == 3
    with pytest.raises(TypeError, match=r"a layer class is a subclass of nn.Module, got"):
        fastnn.load(path, layers={"Scale": Scale(3)})
    with pytest.raises(TypeError, match="layers must be a dict"):
        fastnn.load(path, layers=[Scale])


def registered(monkeypatch, path):
    from fastnn.nn import loading, saving

    registered = {}
    for module in (loading, saving):
        monkeypatch.setattr(module, "REGISTERED", registered)
    assert fastnn.register_layer(Scale) is Scale
    assert fastnn.register_layer(Scale) is Scale
    with pytest.raises(ValueError, match=r"a layer class Scale is known already: test_model\.Scale"):
        fastnn.register_layer(type("Scale", (nn.Module,), {"__qualname__": "Another.Scale"}))
    with pytest.raises(ValueError, match=r"a layer class Tanh is known already: fastnn\.nn"):
        fastnn.register_layer(type("Tanh", (nn.Module,), {}))
    with pytest.raises(TypeError, match="a layer class is a subclass"):
        fastnn.register_layer(int)
    return fastnn.load(path)


BAD_ARCHITECTURES = [
    ({"layer": "Linear", "arguments": {"in_features": 10**6, "out_features": 10**6}}, "1000001000000 parameters, but"),
    ({"layer": "Linear", "arguments": {"in_features": 10**400, "out_features": 3}}, "Linear cannot be made"),
    ({"layer": "Linear", "arguments": {"in_features": "3", "out_features": 3}}, "in_features must be an integer"),
    ({"layer": "Linear", "arguments": {}}, "Linear cannot be made"),
    ({"layer": "Linear"}, "Linear without arguments"),
    ({"layer": "Module", "arguments": {}}, "no layer class 'Module'"),
    ({"layer": "os", "arguments": {}}, "no layer class 'os' is known"),
    ({"layer": 3}, "not a layer"),
    ({"layer": "Tanh", "arguments": {"p": 3}}, "Tanh cannot be made"),
    ({"layer": "Dropout", "arguments": {"p": {"float": "nan"}}}, "p must be at least 0"),
    ({"layer": "Dropout", "arguments": {"p": {"float": "1"}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"import": "os"}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"range": [1]}}}, "p must be a number, got range"),
    ({"layer": "Dropout", "arguments": {"p": {"slice": 3}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"array": [1], "dtype": "f4", "shape": [10**9]}}}, "nothing that fastnn"),
    ({"layer": "Dropout", "arguments": {"p": {"array": [1]}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"init": "Draw", "arguments": {}}}}, "nothing that fastnn|cannot be made"),
]


@pytest.mark.parametrize(("spec", "message"), BAD_ARCHITECTURES)
def test_a_forged_architecture_is_refused(spec, message, path):
    """Its hash is right, and it may ask for what it likes: no class but a layer's is found, no memory is taken."""
    net = {"layer": "Sequential", "arguments": {"layers": [spec], "seed": 0, "dtype": "float32"}}
    files.write(path, "model", {"0.weight": np.zeros((3, 3), "float32")}, {"architecture": net, "tick": 0})
    with pytest.raises(fastnn.FileFormatError, match=message):
        fastnn.load(path)
