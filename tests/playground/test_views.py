"""The arrays that are drawn, by independent computations."""

import json
import math
import struct

import numpy as np
import pytest

from fastnn.playground import views
from fastnn.playground.presets import PRESETS
from fastnn.playground.session import Session
from fastnn.playground.settings import from_json


def session_of(epochs=20, **given):
    session = Session(from_json(given))
    if epochs:
        session.train(epochs)
    return session


def unpacked(message):
    """As static/wire.js reads it."""
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    arrays = {}
    for of in header["arrays"]:
        start = 4 + length + of["offset"]
        assert start % 4 == 0
        count = math.prod(of["shape"])
        arrays[of["name"]] = np.frombuffer(message, np.dtype(of["dtype"]), count, start).reshape(of["shape"])
    return header, arrays


def by_hand(session, X):
    """Outputs of the layers of a tanh network, in float64."""
    outputs, state = [], session.net.state_dict()
    weights = [state[name].astype("float64") for name in state]
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        X = X @ W + b
        outputs.append(X)
        X = np.tanh(X)
    return [np.tanh(z) for z in outputs[:-1]], outputs[-1]


def test_square_begins_at_the_top_left():
    assert views.square(1.0, 3)[[0, 1, 2, 8]].tolist() == [[-1, 1], [0, 1], [1, 1], [1, -1]]


@pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
def test_probabilities_are_a_softmax_at_the_temperature(temperature):
    session = session_of(data={"kind": "blobs", "classes": 3}, temperature=temperature)
    X = views.square(2.0, 5)
    _, z = by_hand(session, X)
    expected = np.exp(z / temperature) / np.exp(z / temperature).sum(axis=1, keepdims=True)
    assert np.allclose(views.probabilities(session, X), expected, atol=1e-4)


def test_probabilities_of_one_output_are_a_sigmoid():
    session = session_of(data={"kind": "moons"}, loss="BCEWithLogitsLoss", temperature=2.0)
    X = views.square(2.0, 5)
    z = by_hand(session, X)[1][:, 0]
    p = 1 / (1 + np.exp(-z / 2))
    assert np.allclose(views.probabilities(session, X), np.stack([1 - p, p], axis=1), atol=1e-5)


def test_entropy():
    assert views.entropy(np.array([[0.5, 0.5], [1.0, 0.0]])) == pytest.approx(math.log(2) / 2)
    assert math.isnan(views.entropy(np.array([[math.nan, 1.0]])))


def test_a_frame_is_what_the_network_computes():
    session = session_of(layers=[{"units": 3}, {"units": 2}])
    header, arrays = unpacked(views.packed(*views.frame(session)))
    half = header["extent"]
    assert half > np.abs(session.points.X_train).max()
    hidden, z = by_hand(session, views.square(half, views.BOUNDARY))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert np.abs(arrays["boundary"].reshape(2, -1) - 255 * p.T).max() < 1.1
    hidden, _ = by_hand(session, views.square(half, views.UNIT))
    units = np.concatenate(hidden, axis=1)
    low, high = arrays["unit_ranges"].T
    assert np.allclose(low, units.min(axis=0), atol=1e-5) and np.allclose(high, units.max(axis=0), atol=1e-5)
    assert np.abs(arrays["units"].reshape(5, -1) - 255 * ((units - low) / (high - low)).T).max() < 1.1
    warped, _ = by_hand(session, views.square(half, views.GRID))
    assert np.allclose(arrays["warp"][1], warped[1], atol=1e-5)  # two units are the axes
    assert arrays["warp_points"].shape == (2, 280, 2)
    weights = [session.net[i].weight.T.ravel() for i in (0, 2, 4)]  # (out, in), as the page reads them
    assert np.array_equal(arrays["weights"], np.concatenate(weights))
    assert header["hash"] == session.hash() and header["epoch"] == 20 and header["step"] == 20 * 18
    assert header["scores"]["test"] == session.score()[1]


def test_more_units_are_seen_along_their_principal_directions(rng):
    outputs = rng.normal(size=(200, 5)) * [1, 4, 2, 9, 1] + 3
    axes, center = views.directions(outputs.astype("float32"))
    assert np.allclose(center, outputs.mean(axis=0), atol=1e-4)
    _, _, rows = np.linalg.svd(outputs - outputs.mean(axis=0))
    for axis, row in zip(axes.T, rows, strict=False):
        assert abs(axis @ row) == pytest.approx(1, abs=1e-3)
        assert axis[np.abs(axis).argmax()] > 0


def test_directions_of_few_units_and_of_none_that_are_numbers():
    assert views.directions(np.ones((4, 1), "float32"))[0].tolist() == [[1, 0]]
    assert views.directions(np.full((4, 3), np.nan, "float32"))[0].shape == (3, 2)


def test_states_of_units():
    outputs = np.array([[0.0, 1.0, 0.5, 1.0]] * 9 + [[0.0, 1.0, 0.7, 0.1]] * 1, "float32")
    assert views.unit_states(outputs, "ReLU").tolist() == [1, 1, 0, 0]
    assert views.unit_states(outputs, "Sigmoid").tolist() == [2, 2, 0, 0]
    assert views.unit_states(np.concatenate([outputs] + [outputs[:9]]), "Sigmoid").tolist() == [2, 2, 0, 2]


@pytest.mark.parametrize("norm", ["none", "BatchNorm1d", "LayerNorm"])
@pytest.mark.parametrize("activation", ["Identity", "ReLU", "Sigmoid"])
def test_health_is_that_of_the_trainer(norm, activation):
    layer = {"units": 4, "norm": norm, "activation": activation, "dropout": 0.1}
    session = session_of(layers=[layer, layer])
    before = session.hash()
    found = views.health(session)
    rows = views.HEALTH_ROWS
    expected = session.trainer.health(session.points.X_train[:rows], session.points.y_train[:rows]).layers
    linear = [layer for layer in expected if "Linear" in layer.name]
    assert [layer["gradient"] for layer in found] == [layer.grad_norm for layer in linear]
    dead = [layer.dead for layer in expected if not math.isnan(layer.dead)]
    assert [layer["dead"] for layer in found[:-1] if not math.isnan(layer["dead"])] == dead
    assert len(dead) == (0 if activation == "Identity" else 2)
    assert session.hash() == before


@pytest.mark.parametrize("preset", PRESETS)
def test_frames_of_all_presets(preset):
    session = Session(from_json(PRESETS[preset]))
    for epochs in (0, 120):
        if epochs:
            session.train(epochs)
        header, arrays = unpacked(views.packed(*views.frame(session)))
        assert len(header["health"]) == len(session.settings.layers) + 1
        assert arrays["units"].shape[0] == sum(layer.units for layer in session.settings.layers)
        assert arrays["boundary"].std() > 0


def test_a_frame_after_an_explosion_has_no_nan_in_its_header():
    session = Session(from_json(PRESETS["explodes"]))
    session.train(500)
    header, _ = unpacked(views.packed(*views.frame(session)))
    assert header["exploded"] and header["scores"]["train"]["loss"] is None


def test_the_points():
    rows = [[i, i * i, "ab"[i % 2]] for i in range(20)]
    session = session_of(0, data={"kind": "own", "table": {"columns": ["w", "h", "kind"], "rows": rows}})
    header, arrays = unpacked(views.packed(*views.points(session)))
    assert (header["classes"], header["columns"], header["task"]) == (["a", "b"], ["w", "h", "kind"], "classification")
    assert arrays["features"].shape == (20, 2) and header["train"] == 14
    assert set(arrays["targets"]) == {0, 1}


def test_finite():
    assert views.finite({"a": [1, math.nan], "b": (math.inf, "x")}) == {"a": [1, None], "b": [None, "x"]}
