"""The history of a run: one value an epoch in each record."""

import copy
import json
import math
import pickle
from collections.abc import Mapping

import numpy as np
import pytest

from fastnn.training import Callback, History
from test_trainer import CASES, N, make, weights


def test_history_has_a_value_an_epoch():
    _, trainer, x, y = make()
    history = trainer.fit(x, y, epochs=3, validation_data=(x, y))
    assert list(history) == ["loss", "accuracy", "seconds", "val_loss", "val_accuracy"]
    assert history.epochs == 3
    assert all(len(history[name]) == 3 for name in history)
    assert all(0 < seconds < 60 for seconds in history["seconds"])
    assert history.last == {name: history[name][2] for name in history}
    assert not history.interrupted
    assert repr(history).startswith("History(3 epochs: loss=")
    with pytest.raises(KeyError, match=r"no record 'lr'; there are loss, accuracy, seconds"):
        history["lr"]


def test_history_of_no_epochs_and_of_a_regression():
    net, trainer, x, y = make("mse")
    start = weights(net)
    history = trainer.fit(x, y, epochs=0)
    assert (history.epochs, list(history), weights(net)) == (0, [], start)
    assert repr(history) == "History(0 epochs)"
    assert list(trainer.fit(x, y)) == ["loss", "seconds"]


@pytest.mark.parametrize("case", [name for name in CASES if name != "python"])
@pytest.mark.parametrize("weighted", [False, True])
def test_records_are_exact_over_uneven_batches(case, weighted):
    """With lr = 0 the records of training, evaluation and validation are those of all samples at once."""
    _, trainer, x, y = make(case)
    trainer.net.layers[2].p = 0.0
    trainer.optimizer.lr = 0.0
    weight = np.random.default_rng(2).uniform(0, 3, N) if weighted else None
    y_pred = trainer.net.predict(x)
    target = y if y.dtype.kind in "iu" and trainer.loss.classes else y.astype(x.dtype)
    target = target.reshape(N, -1) if target.dtype == x.dtype else target
    expected, _ = trainer.loss(y_pred, target, weight)
    history = trainer.fit(x, y, batch_size=10, sample_weight=weight, validation_data=(x, y, weight), epochs=2)
    scores = trainer.evaluate(x, y, sample_weight=weight, batch_size=7)
    for value in (*history["loss"], *history["val_loss"], scores["loss"]):
        assert value == pytest.approx(expected, rel=1e-12)
    hits = right(trainer.loss, y_pred, target, weight)
    for value in (*history.records.get("accuracy", ()), *history.records.get("val_accuracy", ())):
        assert value == pytest.approx(hits, rel=1e-14)
    assert ("accuracy" in list(history)) == (hits is not None)
    assert scores.get("accuracy") == (None if hits is None else pytest.approx(hits, rel=1e-14))


def right(loss, y_pred, target, weight):
    """The accuracy by hand; None for a regression."""
    if loss.classes:
        counted = target != loss.params["ignore_index"] if target.ndim == 1 else np.full(N, True)
        hits = y_pred.argmax(1) == (target if target.ndim == 1 else target.argmax(1))
        return np.average(hits[counted], weights=None if weight is None else weight[counted])
    if loss.threshold is not None:
        return np.average(((y_pred > loss.threshold) == (target > 0.5)).mean(1), weights=weight)
    return None


ROWS = [{"loss": 3.0, "val_f1": 0.5}, {"loss": 1.0, "val_f1": math.nan}, {"loss": 1.0, "val_f1": 0.25}, {"loss": 2.0}]


def test_the_best_epoch_of_a_history():
    history = History([dict(row) for row in ROWS])
    assert history.best("loss") == {"epoch": 2, "loss": 1.0, "val_f1": pytest.approx(math.nan, nan_ok=True)}
    assert history.best("loss", "max")["epoch"] == 1
    assert history.best("val_f1") == {"epoch": 1, "loss": 3.0, "val_f1": 0.5}
    assert history.best("val_f1", mode="min")["epoch"] == 3
    with pytest.raises(KeyError, match="no record 'val_loss'; there are loss, val_f1"):
        history.best()
    with pytest.raises(ValueError, match="no epoch has a val_f1 that is a number"):
        History([{"val_f1": math.nan}]).best("val_f1")


def test_a_history_as_a_table(tmp_path):
    path = tmp_path / "history.csv"
    History([dict(row) for row in ROWS]).to_csv(path)
    assert path.read_text() == "epoch,loss,val_f1\n1,3.0,0.5\n2,1.0,nan\n3,1.0,0.25\n4,2.0,nan\n"
    History().to_csv(path)
    assert path.read_text() == "epoch\n"


def test_a_history_is_a_mapping_of_names_to_lists():
    _, trainer, x, y = make()
    history = trainer.fit(x, y, epochs=2, validation_data=(x, y))
    names = ["loss", "accuracy", "seconds", "val_loss", "val_accuracy"]
    assert (list(history.keys()), len(history), list(reversed(history))) == (names, 5, names[::-1])
    assert [name for name, _ in history.items()] == names
    assert list(history.values()) == [history[name] for name in names]
    assert dict(history) == {**history} == history.records == json.loads(json.dumps(history)) == history.copy()
    assert "loss" in history and "lr" not in history
    assert history.get("lr") is None and history.get("loss") == history["loss"]
    assert (history | {"lr": [1.0]})["lr"] == ({"lr": [1.0]} | history)["lr"] == [1.0]
    assert isinstance(history, Mapping)
    for twin in (pickle.loads(pickle.dumps(history)), copy.deepcopy(history), copy.copy(history)):
        assert twin == history and type(twin) is History and dict(twin) == dict(history)


def test_a_history_in_the_middle_of_a_run_is_up_to_date():
    seen = []

    class Look(Callback):
        def on_epoch_end(self, run):
            run.logs["twice"] = 2 * run.logs["loss"]
            seen.append((len(run.history), dict(run.history)["twice"]))

    _, trainer, x, y = make()
    history = trainer.fit(x, y, epochs=2, callbacks=[Look()])
    assert seen == [(4, history["twice"][:1]), (4, history["twice"])]
    assert json.loads(json.dumps(history))["twice"] == history["twice"]


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.update(a=[1.0]), lambda h: h.clear(), lambda h: h.pop("loss"), lambda h: h.popitem(),
        lambda h: h.setdefault("a", []), lambda h: h.__setitem__("a", []), lambda h: h.__delitem__("loss"),
        lambda h: h.__ior__({}),
    ],
)  # fmt: skip
def test_a_history_is_read_only(change):
    history = History([{"loss": 1.0}])
    with pytest.raises(TypeError, match=r"a history is read-only: dict\(history\) is a copy"):
        change(history)
    assert dict(history) == {"loss": [1.0]}


def test_a_history_as_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(History([dict(row) for row in ROWS]))
    assert list(frame.columns) == ["loss", "val_f1"] and frame.shape == (4, 2)
    assert frame["loss"].tolist() == [3.0, 1.0, 1.0, 2.0] and frame["val_f1"].isna().tolist() == [
        False,
        True,
        False,
        True,
    ]


def test_a_history_in_a_notebook():
    html = History([{"<b>": float(i)} for i in range(100)], stopped="a & b")._repr_html_()
    assert "<th>&lt;b&gt;</th>" in html and "100 epochs: a &amp; b" in html and "<b>" not in html
    assert html.count("<tr>") == 12 and "<td>0</td>" in html and "<td>99</td>" in html
    assert "1 epochs" in History([{"loss": 1.0}], interrupted=True)._repr_html_()


def test_epochs_with_as_many_records_but_others():
    history = History([{"a": 1.0, "b": 2.0}, {"a": 3.0, "c": 4.0}])
    assert repr(dict(history)) == "{'a': [1.0, 3.0], 'b': [2.0, nan], 'c': [nan, 4.0]}"
    assert list(History([{"a": 1.0, "b": 2.0}, {"b": 3.0}, {"a": 1.0, "b": 2.0, "c": 3.0}])) == ["a", "b", "c"]


def test_the_records_as_json_has_them():
    history = History([{"loss": 2.0}, {"loss": np.inf, "val_loss": np.nan}, {"loss": 1.0, "val_loss": 3.0}])
    text = json.dumps(history.history, allow_nan=False)
    assert json.loads(text) == {"loss": [2.0, None, 1.0], "val_loss": [None, None, 3.0]}
