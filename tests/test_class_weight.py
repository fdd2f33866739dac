"""The argument `class_weight` of `fit`: it multiplies the weights of the samples, as in Keras."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.data import Shards, class_weights

N = 30
RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(N, 2)), np.sort(RNG.integers(0, 3, N))
BY_CLASS = np.array([0.5, 2.0, 1.0])
TWO = (LABELS > 0).astype(float)

CASES = {  # loss, outputs, targets, the classes of the targets, weights of classes
    "labels": (nn.CrossEntropyLoss, 3, LABELS, LABELS, BY_CLASS),
    "one hot": (nn.CrossEntropyLoss, 3, np.eye(3)[LABELS], LABELS, BY_CLASS),
    "binary": (nn.BCEWithLogitsLoss, 1, TWO, TWO.astype(int), BY_CLASS[:2]),
    "signs": (nn.HingeLoss, 1, 2 * TWO - 1, TWO.astype(int), BY_CLASS[:2]),
}


def make(case, dtype, **options):
    loss, outputs, targets, *_ = CASES[case]
    net = nn.Sequential(nn.Linear(2, outputs), seed=1, dtype=dtype)
    y = targets if targets.dtype.kind == "i" else targets.astype(dtype)
    return fastnn.Trainer(net, loss(**options), optim.SGD(net.parameters(), lr=0.1)), X.astype(dtype), y


def same(trainer, twin):
    assert trainer.history["loss"] == twin.history["loss"]
    np.testing.assert_array_equal(trainer.net.parameters().data, twin.net.parameters().data)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["array", "dict", "balanced"])
@pytest.mark.parametrize("weighted", [False, True])
def test_weights_of_classes_multiply_those_of_samples(case, kind, weighted, dtype, backend):
    *_, classes, table = CASES[case]
    given = {"array": table, "dict": dict(enumerate(table.tolist())), "balanced": "balanced"}[kind]
    table = class_weights(classes) if kind == "balanced" else table
    weight = np.linspace(0.5, 2, N) if weighted else np.ones(N)
    trainer, x, y = make(case, dtype)
    twin, *_ = make(case, dtype)
    weight = weight.astype(dtype)
    more = {"sample_weight": weight} if weighted else {}
    trainer.fit(x, y, epochs=2, batch_size=7, seed=0, class_weight=given, **more)
    twin.fit(x, y, epochs=2, batch_size=7, seed=0, sample_weight=table[classes] * weight)
    same(trainer, twin)


def test_a_dict_leaves_other_classes_at_one():
    trainer, x, y = make("labels", "float32")
    twin, *_ = make("labels", "float32")
    trainer.fit(x, y, seed=0, class_weight={1: 3.0})
    twin.fit(x, y, seed=0, class_weight=[1, 3, 1])
    same(trainer, twin)


def test_validation_has_no_weights_and_balance_is_of_what_is_trained_on(dtype, backend):
    trainer, x, y = make("labels", dtype)
    twin, *_ = make("labels", dtype)
    trainer.fit(x, y, seed=0, class_weight="balanced", validation_split=0.2, shuffle=False)
    kept, held = slice(0, 24), slice(24, None)
    weight = class_weights(y[kept], classes=3)[y[kept]]
    twin.fit(x[kept], y[kept], seed=0, sample_weight=weight, shuffle=False, validation_data=(x[held], y[held]))
    same(trainer, twin)
    assert trainer.history["val_loss"] == twin.history["val_loss"]


@pytest.mark.parametrize("kind", [BY_CLASS, "balanced"], ids=["array", "balanced"])
def test_a_drawn_part_of_the_samples(kind):
    trainer, x, y = make("labels", "float64")
    history = trainer.fit(x, y, seed=0, class_weight=kind, validation_split=0.2, batch_size=None)
    assert np.isfinite(history["loss"] + history["val_loss"]).all()


def test_ignored_samples_have_no_class():
    given = LABELS.copy()
    given[::4] = -100
    trainer, x, _ = make("labels", "float64")
    twin, *_ = make("labels", "float64")
    trainer.fit(x, given, seed=0, batch_size=None, class_weight="balanced")
    weight = np.where(given < 0, 1.0, class_weights(given)[np.maximum(given, 0)])
    twin.fit(x, given, seed=0, batch_size=None, sample_weight=weight)
    same(trainer, twin)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [BY_CLASS, "balanced"], ids=["array", "balanced"])
def test_shards(kind, weighted, tmp_path, dtype):
    trainer, x, y = make("labels", dtype)
    twin, *_ = make("labels", dtype)
    weight = RNG.random(N).astype(dtype) if weighted else None
    table = class_weights(LABELS) if isinstance(kind, str) else kind
    trainer.fit(Shards.write(tmp_path / "a", x, y, weight, rows=8), seed=0, batch_size=4, class_weight=kind)
    weight = (table[y] * (1.0 if weight is None else weight)).astype(dtype)
    twin.fit(Shards.write(tmp_path / "b", x, y, weight, rows=8), seed=0, batch_size=4)
    same(trainer, twin)


def test_batches_of_an_iterable():
    trainer, x, y = make("labels", "float32")
    twin, *_ = make("labels", "float32")
    trainer.fit([(x[:10], y[:10]), (x[10:], y[10:])], class_weight=BY_CLASS)
    weight = BY_CLASS[y]
    twin.fit([(x[:10], y[:10], weight[:10]), (x[10:], y[10:], weight[10:])])
    same(trainer, twin)


WRONG = {
    "word": ("labels", "equal", ValueError, "class_weight must be 'balanced', a dict .* got 'equal'"),
    "number": ("labels", 3.0, TypeError, "class_weight must be 'balanced', a dict .* got float"),
    "short": ("labels", [1, 2], ValueError, r"class_weight must have shape \(3,\) one a class, got \(2,\)"),
    "negative": ("labels", [1, 2, -1], ValueError, "class_weight must be 0 or more and finite"),
    "no class": ("labels", {3: 1.0}, ValueError, "class_weight has the class 3: class indices must be between 0 and 2"),
    "no weight": ("labels", {1: "a"}, TypeError, r"class_weight\[1\] must be a number, got 'a'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_weights_are_explained_and_change_nothing(name):
    case, given, error, message = WRONG[name]
    trainer, x, y = make(case, "float32")
    before = trainer.net.parameters().data.copy()
    with pytest.raises(error, match=message):
        trainer.fit(x, y, class_weight=given)
    np.testing.assert_array_equal(trainer.net.parameters().data, before)


def test_targets_without_one_class_each_are_explained():
    x, y = X.astype("float32"), np.zeros((N, 2), "float32")
    net = nn.Sequential(nn.Linear(2, 2), seed=0)
    optimizer = optim.SGD(net.parameters())
    with pytest.raises(TypeError, match=r"the targets of MSELoss.* are not classes: pass sample_weight"):
        fastnn.Trainer(net, nn.MSELoss(), optimizer).fit(x, y, class_weight=[1, 2])
    with pytest.raises(ValueError, match="samples with 2 targets of two classes have no one class"):
        fastnn.Trainer(net, nn.BCEWithLogitsLoss(), optimizer).fit(x, y, class_weight=[1, 2])
    heads = nn.Heads(a=nn.Linear(2, 1), b=nn.Linear(2, 2))
    net = nn.Sequential(nn.Linear(2, 2), heads, seed=0)
    loss = nn.HeadsLoss(heads, a=nn.MSELoss(), b=nn.CrossEntropyLoss())
    with pytest.raises(ValueError, match="samples of several heads have several classes"):
        fastnn.Trainer(net, loss, optim.SGD(net.parameters())).fit(
            x, {"a": y[:, :1], "b": LABELS % 2}, class_weight="balanced"
        )
    trainer, x, y = make("labels", "float32")
    with pytest.raises(ValueError, match=r"pass class_weight=fastnn.data.class_weights\(y\)"):
        trainer.fit([(x, y)], class_weight="balanced")
    with pytest.raises(ValueError, match=r"y\[5\] is 9: class indices must be between 0 and 2"):
        trainer.fit(x, np.where(np.arange(N) == 5, 9, y), class_weight="balanced", shuffle=False)
    with pytest.raises(ValueError, match="at least one sample that is not ignored"):
        trainer.fit(x, np.full(N, -100), class_weight="balanced")
