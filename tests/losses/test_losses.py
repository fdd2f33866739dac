"""Losses in general: weights that change and are copied, quantiles, and losses in Python."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.losses import CLASSES, ROWS, make_trainer, parameters

# -- weights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "attribute", "target"),
    [
        (nn.CrossEntropyLoss(), "weight", "labels"),
        (nn.MultiMarginLoss(weight=np.ones(CLASSES)), "weight", "labels"),
        (nn.BCEWithLogitsLoss(), "pos_weight", "bits"),
        (nn.BCEWithLogitsLoss(), "weight", "bits"),
        (nn.BCEWithLogitsLoss(pos_weight=2.0), "pos_weight", "bits"),
    ],
)
def test_other_weights_count_at_once(loss, attribute, target, x, labels, backend):
    y = labels if target == "labels" else np.eye(CLASSES)[labels]
    trainer = make_trainer(copy.deepcopy(loss))
    for weights in ([0.5, 2.0, 1.0, 3.0], None, [1.0, 0.0, 4.0, 1.0]):
        trainer.step(x, y)
        setattr(trainer.loss, attribute, weights)
        expected = type(loss)(**{attribute: weights})(trainer.net.predict(x), y)[0]
        assert trainer.evaluate(x, y)["loss"] == pytest.approx(expected, rel=1e-13)
        assert trainer.step(x, y) == pytest.approx(expected, rel=1e-13)
    with pytest.raises(ValueError, match="read-only"):
        getattr(trainer.loss, attribute)[0] = 7.0
    with pytest.raises(ValueError, match="must be"):
        setattr(trainer.loss, attribute, [-1.0, 1, 1, 1])


def test_weights_are_copies_and_go_along_in_copies_of_the_loss():
    weight = np.array([0.5, 2.0])
    loss = nn.CrossEntropyLoss(weight=weight)
    weight[0] = 7.0
    for each in (loss, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert each.weight.tolist() == [0.5, 2.0]
    assert repr(loss) == "CrossEntropyLoss(reduction='mean', ignore_index=-100, label_smoothing=0, weight=[0.5, 2.0])"
    assert repr(nn.HingeLoss(squared=True)) == "HingeLoss(reduction='mean', margin=1, squared=True)"


# -- single losses -----------------------------------------------------------------------------------------------------


def test_several_quantiles_of_one_target(x, rng, backend, dtype):
    y, q = rng.normal(size=ROWS).astype(dtype), (0.1, 0.5, 0.9)
    scores = rng.normal(size=(ROWS, 3)).astype(dtype)
    expected = np.mean([F.quantile_loss(scores[:, i].copy(), y, q=q[i]) for i in range(3)])
    for target in (y, y[:, None], np.repeat(y[:, None], 3, axis=1)):
        assert F.quantile_loss(scores, target, q=q) == pytest.approx(expected, rel=1e-5)
    trainers = [make_trainer(nn.QuantileLoss(q=q), 3, dtype.name) for _ in range(2)]
    losses = [t.step(x.astype(dtype), y if i else y[:, None]) for i, t in enumerate(trainers)]
    assert losses[0] == losses[1]
    assert_same_bits(*map(parameters, trainers))


def test_quantiles_are_found():
    """A network of biases alone ends at the quantiles of the targets."""
    y = np.random.default_rng(0).exponential(size=2000)
    net = nn.Sequential(nn.Linear(1, 3), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.QuantileLoss(q=(0.25, 0.5, 0.9)), optim.SGD(net.parameters(), lr=0.5))
    trainer.fit(np.zeros((2000, 1)), y, epochs=300, batch_size=None)
    np.testing.assert_allclose(net.predict(np.zeros((1, 1)))[0], np.quantile(y, [0.25, 0.5, 0.9]), atol=0.05)


# -- losses written in Python ------------------------------------------------------------------------------------------


def squares(y_pred, y, sample_weight=None):
    """Mean squared error as one writes it, weighted by rows."""
    w = np.ones(len(y)) if sample_weight is None else sample_weight
    scale = w[:, None] / (w.sum() * y.shape[1])
    return (scale * (y_pred - y) ** 2).sum(), 2 * scale * (y_pred - y)


def squares_by_rows(y_pred, y, sample_weight=None):
    """The same, with one value a row."""
    return ((y_pred - y) ** 2).mean(axis=1), squares(y_pred, y, sample_weight)[1]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("function", [squares, squares_by_rows])
def test_a_loss_in_python_is_the_compiled_one(function, weighted, x, rng, backend):
    """In steps, in epochs of uneven batches, and in validation."""
    y, w = rng.normal(size=(ROWS, CLASSES)), rng.uniform(0.5, 2, ROWS) if weighted else None
    trainer, twin = make_trainer(function), make_trainer(nn.MSELoss())
    assert trainer.step(x, y, w) == pytest.approx(twin.step(x, y, w), rel=1e-12)
    validation = (x, y) if w is None else (x, y, w)
    history, expected = (
        t.fit(x, y, epochs=3, batch_size=7, sample_weight=w, validation_data=validation, seed=0)
        for t in (trainer, twin)
    )
    for record in ("loss", "val_loss"):
        np.testing.assert_allclose(history[record], expected[record], rtol=1e-12)
    np.testing.assert_allclose(parameters(trainer), parameters(twin), rtol=1e-10)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_loss_in_python_with_weights_that_are_zero(batch_size, x, rng, backend):
    """A batch without weight has the mean of nothing, and does not count for the epoch."""
    y, w = rng.normal(size=(ROWS, CLASSES)), (np.arange(ROWS) >= 10).astype(float)

    def loss(y_pred, target, weight):
        value, grad = squares_by_rows(y_pred, target, weight)
        return value, np.nan_to_num(grad)

    trainer, twin = make_trainer(loss), make_trainer(nn.MSELoss())
    with np.errstate(all="ignore"):
        histories = [t.fit(x, y, batch_size=batch_size, sample_weight=w, shuffle=False) for t in (trainer, twin)]
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-12)
    np.testing.assert_allclose(parameters(trainer), parameters(twin), rtol=1e-10)
