"""Arrays whose meaning would be lost as plain numbers are refused by everything that takes arrays, with the way out."""

import numpy as np
import pytest

import fastnn
import fastnn.functional as F
from fastnn import data, metrics, nn, optim

GOOD = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
Y = np.array([0, 1, 0, 1])


class Units(np.ndarray):
    """A subclass, as those of packages for physical units."""


class Sparse:
    """What a sparse matrix looks like to us."""

    nnz = 1

    def toarray(self):
        return GOOD


class Table:
    """A data frame with a missing value: an array of objects."""

    def __array__(self, dtype=None, copy=None):
        return np.array([[1.0, None, 2.0]] * 4, dtype)


BAD = {
    "masked": (np.ma.masked_array(GOOD, GOOD > 0), r"masked array.*np\.ma\.filled"),
    "matrix": (GOOD.view(np.matrix), r"matrix, a subclass of ndarray.*np\.asarray"),
    "units": (GOOD.view(Units), r"Units, a subclass of ndarray"),
    "sparse": (Sparse(), r"sparse Sparse.*\.toarray\(\)"),
    "none": (None, "must be an array of numbers, got NoneType"),
    "none in a list": ([[1.0, None, 2.0]] * 4, "got list with None in it"),
    "none in objects": (np.array([[1.0, None, 2.0]] * 4), "got dtype object with None in it"),
    "missing in a table": (Table(), "got Table with None in it"),
    "records": (np.zeros(4, [("a", "f4"), ("b", "f4")]), "records with the fields a, b"),
    "times": (np.zeros((4, 3), "datetime64[s]"), r"got datetime64\[s\]"),
    "complex": (GOOD.astype("complex64"), "got complex64"),
    "words": (np.array([["a", "b", "c"]] * 4), "got <U1"),
}


def trainer():
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))


def regression():
    net = nn.Sequential(nn.Linear(3, 3), seed=0)
    return fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))


ENTRIES = {
    "relu": F.relu,
    "relu_backward": lambda a: F.relu_backward(GOOD, a),
    "softmax": F.softmax,
    "layer_norm": F.layer_norm,
    "linear": lambda a: F.linear(a, np.ones((3, 2), "f")),
    "weight": lambda a: F.linear(np.ones((2, 4), "f"), a),
    "mse_loss": lambda a: F.mse_loss(GOOD, a),
    "dropout": lambda a: F.dropout(a, seed=0),
    "layer": lambda a: nn.Linear(3, 2)(a),
    "predict": lambda a: trainer().net.predict(a),
    "step": lambda a: trainer().step(a, Y),
    "fit": lambda a: trainer().fit(a, Y, progress=False),
    "target of a step": lambda a: regression().step(GOOD, a),
    "target of fit": lambda a: regression().fit(GOOD, a, progress=False),
    "evaluate": lambda a: trainer().evaluate(a, Y),
    "batches": lambda a: trainer().fit([(a, Y)], progress=False),
    "validation": lambda a: trainer().fit(GOOD, Y, validation_data=(a, Y), progress=False),
    "explicit loss": lambda a: nn.MSELoss()(GOOD, a),
    "load_state_dict": lambda a: nn.Sequential(nn.Linear(4, 3)).load_state_dict({"0.weight": a, "0.bias": np.zeros(3)}),
    "sgd_step": lambda a: optim.functional.sgd_step(GOOD.copy(), a),
    "mse": lambda a: metrics.mse(GOOD, a),
    "class weights": lambda a: nn.CrossEntropyLoss(weight=a),
}


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_no_plain_array_of_numbers_is_refused(entry, bad, backend):
    value, message = BAD[bad]
    if value is None and entry in ("fit", "target of fit", "class weights", "layer_norm"):
        pytest.skip("None has a meaning here")
    with fastnn.use_backend(backend), pytest.raises(TypeError) as raised:
        ENTRIES[entry](value)
    assert np.any([part in str(raised.value) for part in ("must be", "is a ")])
    if entry == "relu":
        raised.match(message)


def test_plain_numbers_of_a_file_pass(tmp_path):
    np.save(tmp_path / "x.npy", GOOD)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert F.relu(mapped).tobytes() == F.relu(GOOD).tobytes()
    trainer().fit(mapped, Y, progress=False)


@pytest.mark.parametrize(
    "bad", [name for name in BAD if "none" in name or name in ("masked", "matrix", "units", "sparse")]
)
def test_data_functions_refuse_them_too(bad, tmp_path):
    value, _ = BAD[bad]
    calls = {
        "standardize": lambda: data.standardize(value),
        "shards": lambda: data.Shards.write(tmp_path / "shards", value, Y),
    }
    if "objects" not in bad and "list" not in bad:  # whatever can be split is, objects too
        calls["split"] = lambda: data.train_test_split(value, seed=0)
    for call in calls.values():
        with pytest.raises(TypeError):
            call()


def test_small_weights_that_are_masked_are_refused():
    masked = np.ma.masked_array(np.ones(4), [0, 1, 0, 0])
    for call in (
        lambda: trainer().step(GOOD, Y, sample_weight=masked),
        lambda: F.mse_loss(GOOD[:, 0].copy(), GOOD[:, 1].copy(), sample_weight=masked.astype("f")),
        lambda: metrics.accuracy(Y, Y, sample_weight=masked),
        lambda: metrics.accuracy(np.ma.masked_array(Y, Y > 0), Y),
        lambda: trainer().step(GOOD, np.ma.masked_array(Y, Y > 0)),
    ):
        with pytest.raises(TypeError, match="masked array"):
            call()
