"""Metrics counted in the compiled loop: exact over uneven batches, weighted, and the same as the functions."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import metrics, nn, optim
from fastnn.functional import softmax

pytestmark = pytest.mark.usefixtures("backend")

N, FEATURES = 61, 3
CLASSIFICATION = ("accuracy", "precision", "recall", "f1")
REGRESSION = ("mae", "mse", "rmse", "r2")


def trainer_for(loss, n_out, chosen, dtype="float64", end=()):
    """A trainer whose steps change nothing, so that all batches are of the same network."""
    net = nn.Sequential(nn.Linear(FEATURES, n_out), *end, seed=1, dtype=dtype)
    return fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.0), metrics=chosen)


def inputs(dtype="float64", weighted=False):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((N, FEATURES)).astype(dtype)
    return rng, x, rng.integers(0, 4, N) / 2 if weighted else None


def records(trainer, x, y, weight):
    """Training, validation and evaluation, over batches that do not divide N."""
    history = trainer.fit(x, y, sample_weight=weight, batch_size=8, validation_data=(x[::-1], y[::-1], None if
                          weight is None else weight[::-1]))  # fmt: skip
    scores = trainer.evaluate(x, y, sample_weight=weight, batch_size=7)
    return history.last, scores


def check(trainer, x, y, weight, expected, whole=()):
    """Every record of every metric is what is expected; those in `whole` are not recorded while training."""
    last, scores = records(trainer, x, y, weight)
    for name, value in expected.items():
        assert scores[name] == pytest.approx(value, rel=1e-5 if x.dtype == "float32" else 1e-10, nan_ok=True), name
        assert last[f"val_{name}"] == pytest.approx(scores[name], rel=1e-10, nan_ok=True)
        if name in whole:
            assert name not in last
        else:
            assert last[name] == pytest.approx(scores[name], rel=1e-10, nan_ok=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("target", ["indices", "one_hot"])
def test_classes(target, classes, weighted, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = rng.integers(0, classes, N)
    objects = [metrics.F1("micro"), metrics.Recall("weighted"), metrics.TopKAccuracy(2), "roc_auc"]
    trainer = trainer_for(nn.CrossEntropyLoss(), classes, [*CLASSIFICATION, *objects], dtype)
    out = trainer.net.predict(x)
    pred, settings = out.argmax(1), {"average": "binary" if classes == 2 else "macro", "sample_weight": weight}
    proba = softmax(out.astype("float64"))
    expected = {name: getattr(metrics, name)(y, pred, **settings) for name in CLASSIFICATION[1:]} | {
        "accuracy": metrics.accuracy(y, pred, sample_weight=weight),
        "f1_micro": metrics.f1(y, pred, average="micro", sample_weight=weight),
        "recall_weighted": metrics.recall(y, pred, average="weighted", sample_weight=weight),
        "top_2_accuracy": metrics.top_k_accuracy(y, out, k=2, sample_weight=weight),
        "roc_auc": metrics.roc_auc(y, proba[:, 1] if classes == 2 else proba, sample_weight=weight),
    }
    check(trainer, x, y if target == "indices" else np.eye(classes, dtype=dtype)[y], weight, expected, {"roc_auc"})


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [nn.BCELoss(), nn.BCEWithLogitsLoss(), nn.MSELoss()], ids=lambda loss: loss.name)
def test_two_classes_by_one_output(loss, weighted, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = rng.integers(0, 2, N)
    trainer = trainer_for(loss, 1, [*CLASSIFICATION, "roc_auc"], dtype, [nn.Sigmoid()] * (loss.name[-1] == "y"))
    out = trainer.net.predict(x)[:, 0]
    pred = (out > (0.5 if loss.threshold is None else loss.threshold)).astype(int)
    expected = {name: getattr(metrics, name)(y, pred, sample_weight=weight) for name in CLASSIFICATION}
    expected["roc_auc"] = metrics.roc_auc(y, out, sample_weight=weight)
    check(trainer, x, y, weight, expected, {"roc_auc"})


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", [2, 3])
def test_several_labels_a_sample(labels, weighted, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = rng.integers(0, 2, (N, labels))
    trainer = trainer_for(nn.BCEWithLogitsLoss(), labels, [*CLASSIFICATION, metrics.F1("micro"), "roc_auc"], dtype)
    out = trainer.net.predict(x)
    settings = {"average": "macro", "sample_weight": weight}
    expected = {name: getattr(metrics, name)(y, (out > 0).astype(int), **settings) for name in CLASSIFICATION[1:]} | {
        "accuracy": np.average(((out > 0) == y).mean(1), weights=weight),
        "f1_micro": metrics.f1(y, (out > 0).astype(int), average="micro", sample_weight=weight),
        "roc_auc": metrics.roc_auc(y, out, sample_weight=weight),
    }
    check(trainer, x, y, weight, expected, {"roc_auc"})


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("far", [0.0, 1e3])
def test_regression(outputs, weighted, far, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = (rng.standard_normal((N, outputs)) + far).astype(dtype)
    trainer = trainer_for(nn.L1Loss(), outputs, REGRESSION, dtype)
    out = trainer.net.predict(x)
    check(trainer, x, y, weight, {name: getattr(metrics, name)(y, out, sample_weight=weight) for name in REGRESSION})


def test_classes_that_do_not_occur_are_left_out_of_the_mean():
    _, x, _ = inputs()
    trainer = trainer_for(nn.CrossEntropyLoss(), 6, ["f1"])
    y = trainer.net.predict(x).argmax(1) % 2
    check(trainer, x, y, None, {"f1": metrics.f1(y, trainer.net.predict(x).argmax(1), average="macro")})


def test_ignored_targets_count_nowhere(dtype):
    rng, x, weight = inputs(dtype, weighted=True)
    y = rng.integers(-1, 3, N)
    trainer = trainer_for(
        nn.CrossEntropyLoss(ignore_index=-1), 3, ["accuracy", "f1", "top_k_accuracy", "roc_auc"], dtype
    )
    history, scores = records(trainer, x, y, weight)
    known, _ = records(trainer, x[y >= 0], y[y >= 0], weight[y >= 0])
    for name in ("accuracy", "f1", "top_5_accuracy"):
        assert history[name] == pytest.approx(known[name], rel=1e-10)
    assert scores["roc_auc"] == known["val_roc_auc"]
    assert math.isnan(trainer.evaluate(x[:5], np.full(5, -1))["roc_auc"])


def spread(y_true, y_pred, sample_weight=None):
    return np.average((y_true - y_pred)[:, 0] ** 4, weights=sample_weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_function_sees_all_outputs_of_the_validation(weighted):
    rng, x, weight = inputs(weighted=weighted)
    y = rng.standard_normal((N, 1))
    trainer = trainer_for(nn.MSELoss(), 1, [spread])
    check(trainer, x, y, weight, {"spread": spread(y, trainer.net.predict(x), weight)}, {"spread"})


def test_metrics_of_a_loss_in_python():
    rng, x, _ = inputs()
    y = rng.integers(0, 3, N)

    def loss(y_pred, target):
        difference = softmax(y_pred) - np.eye(3)[target]
        return float((difference**2).sum()), difference

    trainer = trainer_for(loss, 3, ["accuracy", "f1"])
    pred = trainer.net.predict(x).argmax(1)
    check(trainer, x, y, None, {"accuracy": metrics.accuracy(y, pred), "f1": metrics.f1(y, pred, average="macro")})
    y[3] = 77  # nothing that a metric could count, or an error of its own
    difference = trainer.evaluate(x[4:], y[4:])["accuracy"]
    assert difference == pytest.approx(metrics.accuracy(y[4:], pred[4:]))


def test_evaluation_of_nothing_and_of_numbers_that_are_not_finite():
    _, x, _ = inputs()
    trainer = trainer_for(nn.CrossEntropyLoss(), 3, ["f1", "roc_auc", "top_k_accuracy"])
    scores = trainer.evaluate(x[:0], np.zeros(0, int))
    assert all(math.isnan(scores[name]) for name in ("loss", "f1", "roc_auc", "top_5_accuracy"))
    trainer.net["0.weight"][0, 0] = np.nan
    scores = trainer.evaluate(x, np.arange(N) % 3)
    assert math.isnan(scores["roc_auc"])
    assert scores["top_5_accuracy"] == 1
    regression = trainer_for(nn.MSELoss(), 1, REGRESSION)
    assert all(math.isnan(regression.evaluate(x[:0], np.zeros(0))[name]) for name in REGRESSION)
    assert math.isnan(regression.evaluate(x[:1], np.zeros(1))["r2"])


def test_ties_and_nan_rank_as_a_sort_ranks_them():
    net = nn.Sequential(nn.ReLU(), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.NLLLoss(), optim.SGD(net.parameters()), metrics=[metrics.TopKAccuracy(1)])
    rows = np.array([[1, 1, 0], [1, 1, 0], [0, 2, 3], [np.nan, 5, 1], [np.nan, 5, 1], [np.nan, 1, np.nan]])
    scores = trainer.evaluate(rows, np.array([0, 1, 2, 0, 1, 2]))
    assert scores["top_1_accuracy"] == pytest.approx(4 / 6)
