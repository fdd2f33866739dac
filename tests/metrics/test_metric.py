"""Metrics as objects: wrong ones, and those that do not fit the targets."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import metrics, nn, optim
from fastnn.functional import log_softmax, sigmoid, softmax
from fastnn.metrics.metric import METRICS
from test_metrics import N, check, inputs, trainer_for

pytestmark = pytest.mark.usefixtures("backend")


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ("f1", TypeError, "metrics must be a list of metrics, got 'f1'"),
        (["f2"], ValueError, r"metrics\[0\] must be one of 'accuracy', 'f1', .*, got 'f2'"),
        (["balanced_acc"], ValueError, r"got 'balanced_acc': did you mean balanced_accuracy\?"),
        (["auc"], ValueError, r"got 'auc': did you mean roc_auc\?"),
        (["mae", "cohens_kappa"], ValueError, r"metrics\[1\] must be .*got 'cohens_kappa': did you mean cohen_kappa\?"),
        (["top_0_accuracy"], ValueError, r"did you mean top_k_accuracy\?"),
        (["f1", metrics.F1()], ValueError, r"metrics\[1\]: there is a record named 'f1' already"),
        ([metrics.F1], TypeError, r"metrics\[0\] must be an object, not the class: write F1\(\)"),
        ([3], TypeError, r"metrics\[0\] must be a name, a metric of fastnn.metrics, a loss or a function, got int"),
    ],
)
def test_wrong_metrics_are_explained(chosen, error, message):
    with pytest.raises(error, match=message):
        trainer_for(nn.MSELoss(), 1, chosen)


def test_names_of_functions_are_names_of_metrics():
    _, x, _ = inputs()
    names = ["kappa", "cohen_kappa", "mcc", "matthews_corrcoef", "top_2_accuracy", metrics.Kappa("linear")]
    scores = trainer_for(nn.CrossEntropyLoss(), 3, names).evaluate(x, np.arange(N) % 3)
    assert scores["kappa"] == scores["cohen_kappa"]
    assert scores["mcc"] == scores["matthews_corrcoef"]
    other = trainer_for(nn.CrossEntropyLoss(), 3, [metrics.TopKAccuracy(2), "linear_kappa", "quadratic_kappa"])
    again = other.evaluate(x, np.arange(N) % 3)
    assert again["top_2_accuracy"] == scores["top_2_accuracy"]
    assert again["linear_kappa"] == scores["linear_kappa"]


def test_metrics_that_do_not_fit_the_targets_are_explained():
    _, x, _ = inputs()
    labels = np.arange(N) % 3
    with pytest.raises(ValueError, match="mae, mse, rmse and r2 need targets like the outputs, got class indices"):
        trainer_for(nn.CrossEntropyLoss(), 3, ["mae"]).fit(x, labels)
    with pytest.raises(ValueError, match="f1_binary: average='binary' is for two classes, there are 3"):
        trainer_for(nn.CrossEntropyLoss(), 3, [metrics.F1("binary")]).fit(x, labels)

    def loss(y_pred, y):
        return 0.0, np.zeros_like(y_pred)

    with pytest.raises(ValueError, match=r"metrics: y must be class indices or have shape \(61, 3\), like the outputs"):
        trainer_for(loss, 3, ["f1"]).fit(x, np.zeros((N, 2)))


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), lambda y_pred, y: (0.0, np.zeros_like(y_pred))])
@pytest.mark.parametrize("name", ["accuracy", "precision", "mcc", "kappa", "f1", "roc_auc", "hamming_loss", "log_loss"])
def test_metrics_of_labels_refuse_numbers(name, loss):
    _, x, _ = inputs()
    trainer = trainer_for(loss, 1, [name])
    number = np.linspace(-2.0, 2.0, N)[:, None]
    with pytest.raises(ValueError, match=rf"metrics: .*{name}.* need.* class indices or 0 and 1.*'mae'"):
        trainer.evaluate(x, number)
    if name not in ("roc_auc", "hamming_loss", "log_loss"):
        with pytest.raises(ValueError, match=rf"metrics: .*{name}.* need labels.*got -2 in y\[0\]"):
            trainer.fit(x, number)


@pytest.mark.parametrize("name", ["accuracy", "precision", "hamming_loss"])
def test_metrics_of_labels_take_labels_of_a_loss_of_regression(name):
    _, x, _ = inputs()
    labels = np.arange(N) % 2
    for y in (labels[:, None].astype("float64"), 2.0 * labels[:, None] - 1):
        assert name in trainer_for(nn.MSELoss(), 1, [name]).evaluate(x, y)
    rows = np.stack([0.75 - 0.5 * labels, 0.25 + 0.5 * labels], 1)
    assert name in trainer_for(nn.MSELoss(), 2, [name]).evaluate(x, rows)
    with pytest.raises(ValueError, match=r"rows of probabilities, got .* in y\[0\]"):
        trainer_for(nn.MSELoss(), 2, [name]).evaluate(x, 3 * rows)


COUNTED = ("mcc", "kappa", "balanced_accuracy", "specificity", "jaccard")
WHOLE = {"average_precision", "log_loss", "brier", "hamming_loss", "linear_kappa", "quadratic_kappa"}
NUMBERS = (
    "explained_variance",
    "max_error",
    "median_absolute_error",
    "pinball_loss",
    "d2_pinball",
    "d2_absolute_error",
)


def of_classes(y, pred, weight):
    """The metrics of predicted classes that the functions give."""
    average = "macro" if max(y.max(), pred.max()) > 1 else "binary"
    settings = {"sample_weight": weight}
    return {
        "mcc": metrics.matthews_corrcoef(y, pred, **settings),
        "kappa": metrics.cohen_kappa(y, pred, **settings),
        "linear_kappa": metrics.cohen_kappa(y, pred, weights="linear", **settings),
        "quadratic_kappa": metrics.cohen_kappa(y, pred, weights="quadratic", **settings),
        "balanced_accuracy": metrics.balanced_accuracy(y, pred, **settings),
        "adjusted_balanced_accuracy": metrics.balanced_accuracy(y, pred, adjusted=True, **settings),
        "specificity": metrics.specificity(y, pred, average=average, **settings),
        "specificity_micro": metrics.specificity(y, pred, average="micro", **settings),
        "jaccard": metrics.jaccard(y, pred, average=average, **settings),
        "jaccard_weighted": metrics.jaccard(y, pred, average="weighted", **settings),
        "hamming_loss": metrics.hamming_loss(y, pred, **settings),
    }


OBJECTS = [
    metrics.Kappa("linear"),
    metrics.Kappa("quadratic"),
    metrics.BalancedAccuracy(adjusted=True),
    metrics.Specificity("micro"),
    metrics.Jaccard("weighted"),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("target", ["indices", "one_hot"])
def test_classes(target, classes, weighted, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = rng.integers(0, classes, N)
    chosen = [*COUNTED, *OBJECTS, *(WHOLE - {"linear_kappa", "quadratic_kappa"})]
    trainer = trainer_for(nn.CrossEntropyLoss(), classes, chosen, dtype)
    out = trainer.net.predict(x)
    proba = softmax(out.astype("float64"))
    expected = of_classes(y, out.argmax(1), weight) | {
        "log_loss": metrics.log_loss(y, proba, sample_weight=weight),
        "brier": metrics.brier(y, proba, sample_weight=weight),
        "average_precision": metrics.average_precision(y, proba[:, 1] if classes == 2 else proba, sample_weight=weight),
    }
    check(trainer, x, y if target == "indices" else np.eye(classes, dtype=dtype)[y], weight, expected, WHOLE)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "loss",
    [nn.BCELoss(), nn.BCEWithLogitsLoss(), nn.FocalLoss(), nn.SoftMarginLoss()],
    ids=lambda loss: loss.name,
)
def test_two_classes_by_one_output(loss, weighted, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = rng.integers(0, 2, N)
    chosen = [*COUNTED, *OBJECTS, *(WHOLE - {"linear_kappa", "quadratic_kappa"})]
    trainer = trainer_for(loss, 1, chosen, dtype, [nn.Sigmoid()] * (loss.threshold == 0.5))
    out = trainer.net.predict(x)[:, 0].astype("float64")
    proba = out if loss.threshold == 0.5 else sigmoid(out)
    expected = of_classes(y, (proba > 0.5).astype(int), weight) | {
        "log_loss": metrics.log_loss(y, proba, sample_weight=weight),
        "brier": metrics.brier(y, proba, sample_weight=weight),
        "average_precision": metrics.average_precision(y, proba, sample_weight=weight),
    }
    check(trainer, x, 2 * y - 1 if loss.name == "soft_margin_loss" else y, weight, expected, WHOLE)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", [2, 3])
def test_several_labels_a_sample(labels, weighted, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = rng.integers(0, 2, (N, labels))
    chosen = ["jaccard", metrics.Jaccard("micro"), "log_loss", "brier", "average_precision", "hamming_loss"]
    trainer = trainer_for(nn.BCEWithLogitsLoss(), labels, chosen, dtype)
    out = trainer.net.predict(x).astype("float64")
    pred, settings = (out > 0).astype(int), {"sample_weight": weight}
    columns = list(zip(y.T, sigmoid(out).T, strict=True))
    expected = {
        "jaccard": metrics.jaccard(y, pred, average="macro", **settings),
        "jaccard_micro": metrics.jaccard(y, pred, average="micro", **settings),
        "log_loss": np.mean([metrics.log_loss(t, p, **settings) for t, p in columns]),
        "brier": np.mean([metrics.brier(t, p, **settings) for t, p in columns]),
        "average_precision": metrics.average_precision(y, out, **settings),
        "hamming_loss": metrics.hamming_loss(y, pred, **settings),
    }
    check(trainer, x, y, weight, expected, WHOLE)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
def test_numbers(outputs, weighted, dtype):
    rng, x, weight = inputs(dtype, weighted)
    y = rng.standard_normal((N, outputs)).astype(dtype)
    chosen = [*NUMBERS, metrics.PinballLoss(0.9), metrics.D2Pinball(0.25)]
    trainer = trainer_for(nn.L1Loss(), outputs, chosen, dtype)
    out = trainer.net.predict(x)
    expected = {name: getattr(metrics, name)(y, out, sample_weight=weight) for name in NUMBERS} | {
        "pinball_loss_0.9": metrics.pinball_loss(y, out, alpha=0.9, sample_weight=weight),
        "d2_pinball_0.25": metrics.d2_pinball(y, out, alpha=0.25, sample_weight=weight),
    }
    check(trainer, x, y, weight, expected, set(expected))


def test_every_name_is_a_metric_and_its_direction_is_known():
    for name, metric in METRICS.items():
        made = metric()
        assert made.name == (name if name != "top_k_accuracy" else "top_5_accuracy")
        assert fastnn.callbacks.EarlyStopping(f"val_{made.name}").monitor.larger == (
            not made.name.endswith(("error", "loss", "brier", "mae", "mse")) or made.name == "d2_absolute_error"
        )
        assert type(made).__name__ in metrics.__all__
    for made in (*OBJECTS, metrics.D2Pinball(0.9)):
        assert fastnn.callbacks.EarlyStopping(f"val_{made.name}").monitor.larger
    assert not fastnn.callbacks.EarlyStopping(metrics.PinballLoss(0.9).name).monitor.larger


def test_log_probabilities_are_probabilities_too():
    rng, x, _ = inputs()
    y = rng.integers(0, 3, N)
    trainer = trainer_for(nn.NLLLoss(), 3, ["log_loss", "brier", "average_precision"], "float64", [nn.LogSoftmax()])
    proba = np.exp(trainer.net.predict(x))
    expected = {name: getattr(metrics, name)(y, proba) for name in ("log_loss", "brier", "average_precision")}
    check(trainer, x, y, None, expected, WHOLE)


def test_soft_targets_are_those_of_the_cross_entropy():
    rng, x, _ = inputs()
    y = rng.random((N, 3))
    y /= y.sum(1, keepdims=True)
    trainer = trainer_for(nn.CrossEntropyLoss(), 3, ["log_loss"])
    assert trainer.evaluate(x, y)["log_loss"] == pytest.approx(trainer.evaluate(x, y)["loss"])
    expected = -(y * log_softmax(trainer.net.predict(x))).sum(1).mean()
    assert trainer.evaluate(x, y)["log_loss"] == pytest.approx(expected)


def test_classes_that_do_not_occur_and_ignored_targets_count_nowhere():
    rng, x, weight = inputs(weighted=True)
    y = rng.integers(-1, 3, N)
    chosen = [*COUNTED, *OBJECTS[:2], "log_loss", "brier", "hamming_loss"]
    trainer = trainer_for(nn.CrossEntropyLoss(ignore_index=-1), 5, chosen)
    out = trainer.net.predict(x)[y >= 0]
    expected = of_classes(y[y >= 0], out.argmax(1), weight[y >= 0])
    scores = trainer.evaluate(x, y, sample_weight=weight)
    for metric in trainer.metrics:
        if metric.name in expected:
            assert scores[metric.name] == pytest.approx(expected[metric.name], rel=1e-10), metric.name
    settings = {"labels": range(5), "sample_weight": weight[y >= 0]}
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(y[y >= 0], softmax(out), **settings))


def test_nothing_to_count_and_numbers_that_are_not_finite_have_no_value():
    _, x, _ = inputs()
    trainer = trainer_for(nn.CrossEntropyLoss(), 3, [*COUNTED, *WHOLE - {"linear_kappa", "quadratic_kappa"}])
    scores = trainer.evaluate(x[:0], np.zeros(0, int))
    assert all(math.isnan(scores[metric.name]) for metric in trainer.metrics)
    scores = trainer.evaluate(x, np.zeros(N, int), sample_weight=np.zeros(N))
    assert all(math.isnan(scores[metric.name]) for metric in trainer.metrics)
    trainer.net["0.weight"][0, 0] = np.nan
    scores = trainer.evaluate(x, np.arange(N) % 3)
    assert all(math.isnan(scores[name]) for name in ("log_loss", "brier", "average_precision"))
    regression = trainer_for(nn.MSELoss(), 1, NUMBERS)
    assert all(math.isnan(regression.evaluate(x[:0], np.zeros(0))[name]) for name in NUMBERS)
    assert all(math.isnan(regression.evaluate(x, np.full(N, np.nan))[name]) for name in NUMBERS)


def test_one_class_alone():
    _, x, _ = inputs()
    net = nn.Sequential(nn.Linear(3, 2, weight_init=0.0, bias_init=0.0), seed=0, dtype="float64")
    chosen = [*COUNTED, *OBJECTS[:2]]
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), metrics=chosen)
    scores = trainer.evaluate(x, np.zeros(N, int), sample_weight=np.full(N, 0.1))
    assert scores["mcc"] == 0
    assert scores["balanced_accuracy"] == 1
    assert scores["specificity"] == 1
    assert scores["jaccard"] == 0
    assert all(math.isnan(scores[name]) for name in ("kappa", "linear_kappa", "quadratic_kappa"))


@pytest.mark.parametrize("name", ["mcc", "kappa", "balanced_accuracy", "specificity", metrics.Kappa("linear")])
def test_metrics_of_one_label_refuse_several(name):
    rng, x, _ = inputs()
    trainer = trainer_for(nn.BCEWithLogitsLoss(), 3, [name])
    with pytest.raises(ValueError, match="is for one label a sample, and the targets have several"):
        trainer.evaluate(x, rng.integers(0, 2, (N, 3)))


def test_outputs_that_are_no_probabilities_are_explained():
    rng, x, _ = inputs()
    for name in ("log_loss", "brier"):
        trainer = trainer_for(nn.HingeLoss(), 1, [name])
        with pytest.raises(ValueError, match=f"{name} needs probabilities: use a loss of logits, like nn.CrossEntropy"):
            trainer.evaluate(10 * x, 2 * rng.integers(0, 2, N) - 1)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_refuse_class_indices(name):
    _, x, _ = inputs()
    trainer = trainer_for(nn.CrossEntropyLoss(), 3, [name])
    with pytest.raises(ValueError, match=f"metrics: {name} needs targets like the outputs, got class indices"):
        trainer.evaluate(x, np.arange(N) % 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.Kappa("cubic"), ValueError, "weights must be one of None, 'linear', 'quadratic', got 'cubic'"),
        (lambda: metrics.BalancedAccuracy(1), TypeError, "adjusted must be True or False, got int"),
        (
            lambda: metrics.Jaccard("samples"),
            ValueError,
            "average must be one of 'binary', 'micro', 'macro'",
        ),
        (lambda: metrics.Specificity(zero_division=3), ValueError, "zero_division must be at least"),
        (lambda: metrics.PinballLoss(2), ValueError, "alpha must be at least"),
        (lambda: metrics.D2Pinball("0.5"), TypeError, "alpha must be a number, got str"),
    ],
)
def test_wrong_settings_are_explained(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_metric_of_your_own_may_see_the_loss():
    class Threshold(metrics.Metric):
        name = "threshold"

        def of_outputs(self, y_true, y_pred, weight, loss):
            return loss.threshold

    _, x, _ = inputs()
    assert trainer_for(nn.BCELoss(), 1, [Threshold()], end=[nn.Sigmoid()]).evaluate(x, np.zeros(N))["threshold"] == 0.5


def test_class_indices_out_of_range_count_nowhere():
    rng, x, weight = inputs(weighted=True)
    y = rng.integers(0, 3, N)

    def loss(y_pred, target, sample_weight=None):
        return 0.0, np.zeros_like(y_pred)

    names = ["kappa", metrics.Kappa("linear"), "hamming_loss"]
    trainer = trainer_for(loss, 3, [*names, "log_loss", "average_precision"], end=[nn.Softmax()])
    known = np.arange(N) > 9
    expected = trainer.evaluate(x[known], y[known], sample_weight=weight[known])
    y[~known] = [-1, 3, 77, -7, 3, 4, 5, 6, -2, -3]
    scores = trainer.evaluate(x, y, sample_weight=weight)
    for metric in trainer.metrics:
        assert scores[metric.name] == pytest.approx(expected[metric.name], rel=1e-12), metric.name
