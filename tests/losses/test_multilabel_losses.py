"""Dice and the margin losses of several labels a row: values by Keras' and PyTorch's formulas, targets, networks."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support.losses import CLASSES, ROWS, make_trainer, parameters

NAN = np.nan


def keras_dice(y_true, y_pred, axis=None):
    overlap = np.sum(y_true * y_pred, axis=axis)
    return 1 - 2.0 * overlap / (np.sum(y_true, axis=axis) + np.sum(y_pred, axis=axis) + 1e-7)


def test_dice_is_keras(rng, backend):
    """Of all, and of each sample; of images too."""
    x, y = rng.uniform(size=(4, 5, 6)), rng.integers(2, size=(4, 5, 6))
    assert F.dice_loss(x, y, axis=None) == pytest.approx(keras_dice(y, x), rel=1e-12)
    np.testing.assert_allclose(F.dice_loss(x, y, "none"), keras_dice(y, x, (1, 2)), rtol=1e-12)
    w = rng.uniform(size=4)
    assert F.dice_loss(x, y, sample_weight=w) == pytest.approx(np.average(keras_dice(y, x, (1, 2)), weights=w))
    for axis in (1, None):
        value, grad = nn.DiceLoss(axis=axis)(x, y)
        assert value == pytest.approx(F.dice_loss(x, y, axis=axis))
        step = 1e-6 * np.eye(120)[7].reshape(x.shape)
        slope = (F.dice_loss(x + step, y, axis=axis) - F.dice_loss(x - step, y, axis=axis)) / 2e-6
        assert grad.shape == x.shape and grad.flat[7] == pytest.approx(slope, rel=1e-6)


def test_dice_of_empty_masks(dtype, isa, backend):
    zeros = np.zeros((2, 3), dtype)
    np.testing.assert_array_equal(F.dice_loss(zeros, zeros, "none"), [1, 1])
    np.testing.assert_allclose(F.dice_loss(zeros, zeros, "none", smooth=1.0), [0, 0], atol=1e-6)
    assert np.isfinite(F.dice_loss_backward(1.0, zeros, zeros)).all()
    assert np.isnan(F.dice_loss(np.full((1, 3), NAN, dtype), zeros[:1]))


def test_arguments_of_dice_are_checked(backend):
    x = np.ones((2, 3))
    for keywords, message in (({"axis": 0}, "axis must be 1 or None"), ({"smooth": -1}, "smooth must be at least")):
        with pytest.raises(ValueError, match=message):
            F.dice_loss(x, x, **keywords)
        with pytest.raises(ValueError, match=message):
            nn.DiceLoss(**keywords)
    with pytest.raises(ValueError, match="axis=None takes any"):
        F.dice_loss(x[0], x[0])
    with pytest.raises(ValueError, match="networks need axis=1"):
        make_trainer(nn.DiceLoss(axis=None)).step(np.ones((2, 3)), np.ones((2, 4)))
    assert repr(nn.DiceLoss(axis=None)).endswith(", axis=None)")


def by_hand(x, labels):
    total = sum(max(0.0, 1 - x[j] + x[i]) for j in labels for i in range(len(x)) if i not in labels)
    return total / len(x)


def test_margins_of_labels(rng, dtype, isa, backend):
    x = rng.normal(size=(4, 5)).astype(dtype)
    target = np.array([[3, 0, -1, 1], [-1, 2, 2, 2], [4, -7, 4, 4], [1, 1, 2, 0]])
    rows = [[3, 0], [], [4], [1, 1, 2, 0]]
    expected = [by_hand(row, labels) for row, labels in zip(x.tolist(), rows, strict=True)]
    np.testing.assert_allclose(F.multilabel_margin_loss(x, target, "none"), expected, rtol=1e-5)
    counts = np.zeros_like(x)
    for row, labels in zip(counts, rows, strict=True):
        np.add.at(row, labels, 1)
    np.testing.assert_array_equal(F.multilabel_margin_loss(x, counts), F.multilabel_margin_loss(x, target))
    once = F.multilabel_margin_loss(x[:1], counts[:1] > 0)
    np.testing.assert_array_equal(once, F.multilabel_margin_loss(x[:1], target[:1]))
    x[0, 1] = NAN  # no label: it is compared with both
    assert np.isnan(F.multilabel_margin_loss(x, target, "none")).tolist() == [True, False, False, False]
    assert np.isnan(F.multilabel_margin_loss_backward(1.0, x, target))[0].tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("loss", [nn.MultiLabelMarginLoss()], ids=repr)
def test_labels_are_checked(loss, rng, backend):
    y = np.tile([2, 0, -1, 9], (ROWS, 1))
    loss(np.ones((ROWS, 4)), y)  # what follows -1 is not read
    y[7] = [1, 4, -1, -1]
    message = r"\[7, 1\] is 4: labels must be between 0 and 3, or -1 after the last one"
    with pytest.raises(ValueError, match=f"target{message}"):
        loss(np.ones((ROWS, 4)), y)
    with pytest.raises(ValueError, match=f"y{message}"):
        make_trainer(loss).step(rng.normal(size=(ROWS, 3)), y)
    with pytest.raises(ValueError, match=r"target must have shape \(24, labels\)"):
        F.multilabel_margin_loss(np.ones((ROWS, 4)), y[:3])


def test_the_soft_margin_is_a_mean_of_cross_entropies(rng, backend):
    x, y, w = rng.normal(size=(6, 4)), rng.uniform(size=(6, 4)), rng.uniform(size=4)
    each = F.binary_cross_entropy_with_logits(x, y, "none")
    np.testing.assert_allclose(F.multilabel_soft_margin_loss(x, y, "none"), each.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(F.multilabel_soft_margin_loss(x, y, weight=w), (w * each).mean(), rtol=1e-12)
    huge = F.multilabel_soft_margin_loss(np.array([[1e300, -1e300]]), np.array([[1.0, 0.0]]))
    assert huge == 0
    bad = y.copy()
    bad[3, 2] = 1.5
    with pytest.raises(ValueError, match=r"target\[3, 2\] is 1.5: targets must be between 0 and 1"):
        nn.MultiLabelSoftMarginLoss()(x, bad)
    with pytest.raises(ValueError, match=r"y\[3, 2\] is 1.5: targets must be between 0 and 1"):
        make_trainer(nn.MultiLabelSoftMarginLoss()).step(x[:, :3].copy(), bad)


@pytest.mark.parametrize(
    "loss", [nn.DiceLoss(), nn.MultiLabelMarginLoss("sum"), nn.MultiLabelSoftMarginLoss(weight=[1, 0, 2, 1])], ids=repr
)
def test_networks_train_by_them(loss, x, rng, backend):
    y = rng.integers(2, size=(ROWS, CLASSES)).astype(float)
    w = rng.uniform(size=ROWS)
    trainer, twin = make_trainer(loss), make_trainer(loss)
    value, grad = loss(twin.net(x), y, w)
    twin.net.backward(grad)
    twin.optimizer.step()
    assert trainer.evaluate(x, y, sample_weight=w, batch_size=7)["loss"] == pytest.approx(value, rel=1e-12)
    assert trainer.step(x, y, w) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(parameters(trainer), parameters(twin), rtol=1e-11)


def test_a_mask_is_learned():
    x = np.random.default_rng(0).normal(size=(64, 6))
    net = nn.Sequential(nn.Linear(6, 6), nn.Sigmoid(), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.DiceLoss(), optim.Adam(net.parameters(), lr=0.1))
    assert trainer.fit(x, x > 0.5, epochs=60, batch_size=16, seed=0)["loss"][-1] < 0.2
