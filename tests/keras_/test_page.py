"""Each row of docs/from_keras.md holds: the column of fastnn everywhere, beside Keras' where that is installed."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim

TEXT = (Path(__file__).parents[2] / "docs" / "from_keras.md").read_text()
TABLES = {
    section.split("\n", 1)[0]: re.findall(r"^\| `(.*)` \| `(.*)` \|$", section, flags=re.M)
    for section in re.split(r"^## ", TEXT, flags=re.M)
}
RULES = [row for row in TABLES["Training"] if "optimizers" in row[0]]
CALLS = [row for row in TABLES["Training"] if "optimizers" not in row[0]]
RNG = np.random.default_rng(0)
K = RNG.integers(0, 4, 6)
ARRAYS = {"x": RNG.normal(size=(6, 4)).astype("float32"), "t": RNG.normal(size=(6, 4)).astype("float32"), "k": K,
          "p": RNG.uniform(0.1, 0.9, (6, 4)).astype("float32"), "o": np.eye(4, dtype="float32")[K]}  # fmt: skip
NAMES = {"fastnn": fastnn, "nn": nn, "optim": optim}
kept = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras on JAX


@pytest.fixture
def keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return pytest.importorskip("keras", reason="Keras is not installed, or has no backend", exc_type=ImportError)


def layers_of(text):
    """The layers of a cell, which has one or two."""
    found = eval(text, NAMES)
    return found if isinstance(found, tuple) else (found,)


def test_all_tables_are_found():
    assert [len(rows) for rows in (TABLES["Layers"], TABLES["Losses"], RULES, CALLS)] == [17, 9, 5, 10]


@pytest.mark.parametrize("row", TABLES["Layers"], ids=lambda row: row[1])
def test_our_layers_take_four_features(row):
    net = nn.Sequential(*layers_of(row[1]), seed=0)
    assert net.predict(ARRAYS["x"]).shape in ((6, 4), (6, 3))


@kept
@pytest.mark.parametrize("row", TABLES["Layers"], ids=lambda row: row[1])
def test_layers(row, keras):
    from fastnn.keras import from_keras

    model = keras.Sequential([keras.Input((4,)), eval(row[0], {"keras": keras})])
    net, layers = from_keras(model), layers_of(row[1])
    assert [repr(layer) for layer in net] == [repr(layer) for layer in nn.Sequential(*layers)]
    close(net.predict(ARRAYS["x"]), model(ARRAYS["x"], training=False), keras)


def close(a, b, keras):
    np.testing.assert_allclose(a, keras.ops.convert_to_numpy(b), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("row", TABLES["Losses"], ids=lambda row: row[1])
def test_our_losses_have_a_value_and_a_gradient(row):
    value, gradient = eval(row[1], NAMES | ARRAYS)
    assert np.isfinite(value) and gradient.shape == (6, 4)


@kept
@pytest.mark.parametrize("row", TABLES["Losses"], ids=lambda row: row[1])
def test_losses(row, keras):
    value, _ = eval(row[1], NAMES | ARRAYS)
    close(value, eval(row[0], {"keras": keras} | ARRAYS), keras)


def make(row):
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4), seed=0)
    return fastnn.Trainer(net, nn.MSELoss(), eval(row[1], NAMES | {"net": net}))


@pytest.mark.parametrize("row", RULES, ids=lambda row: row[1])
def test_our_optimizers_train(row):
    trainer = make(row)
    assert trainer.optimizer.compat == "keras"
    first, *_, last = (trainer.step(ARRAYS["x"], ARRAYS["t"]) for _ in range(50))
    assert last < first


@kept
@pytest.mark.parametrize("row", RULES, ids=lambda row: row[1])
def test_optimizers(row, keras):
    trainer = make(row)
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((4,)), dense(8, activation="tanh"), dense(4)])
    model.set_weights([value.copy() for _, value in trainer.net.named_parameters()])  # JAX would share memory
    model.compile(optimizer=eval(row[0], {"keras": keras}), loss="mse")
    for _ in range(10):
        trainer.step(ARRAYS["x"], ARRAYS["t"])
        model.train_on_batch(ARRAYS["x"], ARRAYS["t"])
    np.testing.assert_allclose(
        trainer.net.predict(ARRAYS["x"]), model.predict_on_batch(ARRAYS["x"]), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row[1])
def test_our_calls(row, tmp_path, capsys):
    trainer = make(RULES[0])
    names = NAMES | {"trainer": trainer, "net": trainer.net, "path": tmp_path / "net.safetensors"}
    names |= {"x": ARRAYS["x"], "y": ARRAYS["t"], "xv": ARRAYS["x"], "yv": ARRAYS["t"]}
    for call in row[1].split("`, `"):
        assert eval(call, names) is not None or call == "net.save(path)"


@kept
@pytest.mark.parametrize("row", CALLS, ids=lambda row: row[0])
def test_calls_of_keras(row, keras, tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    model.compile(optimizer="sgd", loss="mse")
    names = {"keras": keras, "model": model, "path": str(tmp_path / "net.keras"), "folder": str(tmp_path)}
    names |= {"x": ARRAYS["x"], "y": ARRAYS["t"], "xv": ARRAYS["x"], "yv": ARRAYS["t"]}
    for call in row[0].split("`, `"):
        eval(call, names)
