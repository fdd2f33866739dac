"""Losses of two classes: pos_weight, weight, and the focal losses beside their kin of several classes."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.losses import CLASSES, ROWS, make_trainer, parameters


def test_a_number_as_pos_weight_is_that_for_all_columns(dtype, backend, rng):
    scores, target = rng.normal(size=(9, 3)).astype(dtype), rng.integers(2, size=(9, 3)).astype(dtype)
    for arguments in ((scores, target), (scores[:, 0].copy(), target[:, 0].copy())):
        columns = np.full(arguments[0].shape[-1], 2.5)
        one, each = (F.binary_cross_entropy_with_logits(*arguments, pos_weight=w) for w in (2.5, columns))
        assert_same_bits(one, each)
    assert F.binary_cross_entropy_with_logits(scores, target, pos_weight=1) == pytest.approx(
        F.binary_cross_entropy_with_logits(scores, target), rel=1e-5
    )


def test_focal_losses_without_focus_are_cross_entropy(labels, rng, backend):
    scores, bits = rng.normal(size=(ROWS, CLASSES)), np.eye(CLASSES)[labels]
    assert F.softmax_focal_loss(scores, labels, gamma=0.0) == pytest.approx(F.cross_entropy(scores, labels))
    assert F.sigmoid_focal_loss(scores, bits, alpha=-1.0, gamma=0.0) == pytest.approx(
        F.binary_cross_entropy_with_logits(scores, bits)
    )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_losses_of_certain_predictions(gamma, dtype, backend):
    """A probability of 1, or 0, of the target: limits, and no NaN."""
    scores = np.array([[1e4, 0.0], [0.0, 1e4]], dtype)
    value = F.softmax_focal_loss(scores, np.array([0, 0]), "none", gamma=gamma)
    np.testing.assert_allclose(value, [0, 1e4], rtol=1e-6)
    grad = F.softmax_focal_loss_backward(1.0, scores, np.array([0, 0]), "sum", gamma=gamma)
    np.testing.assert_allclose(grad, [[0, 0], [-1, 1]], atol=1e-6)
    signs = np.array([1e4, -1e4, 1e4, -1e4], dtype)
    value = F.sigmoid_focal_loss(signs, np.array([1.0, 0, 0, 1], dtype), "none", alpha=-1.0, gamma=gamma)
    np.testing.assert_allclose(value, [0, 0, 1e4, 1e4], rtol=1e-6)
    grad = F.sigmoid_focal_loss_backward(1.0, signs, np.array([1.0, 0, 0, 1], dtype), "sum", alpha=-1.0, gamma=gamma)
    np.testing.assert_allclose(grad, [0, 0, 1, -1], atol=1e-6)


def test_accuracy_of_scores_with_targets_of_both_signs(x, rng, backend):
    target = rng.choice([-1.0, 1.0], (ROWS, 1))
    for loss in (nn.HingeLoss(), nn.SoftMarginLoss()):
        trainer = make_trainer(loss, n_out=1)
        hits = np.sign(trainer.net.predict(x)) == target
        assert trainer.evaluate(x, target, batch_size=7)["accuracy"] == pytest.approx(hits.mean())


def test_weights_of_elements_do_not_count_in_the_mean(dtype, isa, backend, rng):
    """PyTorch's `weight`: it multiplies losses, and "mean" divides by their number, or by the sample weights."""
    scores, y = rng.normal(size=(9, 3)).astype(dtype), rng.integers(2, size=(9, 3)).astype(dtype)
    each, samples = rng.uniform(size=(9, 3)).astype(dtype), rng.uniform(size=9).astype(dtype)
    for f, x in ((F.binary_cross_entropy_with_logits, scores), (F.binary_cross_entropy, F.sigmoid(scores))):
        plain = f(x, y, "none").astype("float64")
        for weight in (each, each[0], each[:, :1], each[0, 0], [1, 0, 2]):
            expected = weight * plain
            np.testing.assert_allclose(f(x, y, "none", weight=weight), expected, rtol=1e-5)
            assert f(x, y, weight=weight) == pytest.approx(expected.mean(), rel=1e-5)
            by_sample = np.average(expected.mean(axis=1), weights=samples)
            assert f(x, y, "mean", samples, weight=weight) == pytest.approx(by_sample, rel=1e-5)
            grad = getattr(F, f"{f.__name__}_backward")(1.0, x, y, weight=weight)
            single = getattr(F, f"{f.__name__}_backward")(np.ones_like(x), x, y, "none")
            np.testing.assert_allclose(grad, np.asarray(weight) * single / 27, rtol=1e-5)


def test_weights_of_elements_are_checked(backend):
    x = np.full((2, 3), 0.5)
    with pytest.raises(ValueError, match=r"weight of shape \(2,\) cannot be broadcast to the shape of input, \(2, 3\)"):
        F.binary_cross_entropy(x, x, weight=np.ones(2))
    with pytest.raises(ValueError, match="weight must be 0 or more and finite"):
        F.binary_cross_entropy_with_logits(x, x, weight=[-1.0, 1, 1])
    with pytest.raises(ValueError, match=r"weight must have shape \(outputs,\), got \(1, 3\)"):
        nn.BCELoss(weight=np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"weight must have shape \(4,\) one an output, got \(3,\)"):
        make_trainer(nn.BCEWithLogitsLoss(weight=np.ones(3))).step(np.ones((2, 3)), np.ones((2, 4)))


@pytest.mark.parametrize("pos_weight", [None, [2.0, 1.0, 0.5, 3.0]], ids=["plain", "pos_weight"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_training_with_weights_of_outputs(pos_weight, reduction, x, rng, backend):
    """Steps are those of the class by hand, with sample weights and over uneven batches."""
    weight, samples = np.array([0.5, 0.0, 2.0, 1.0]), rng.uniform(size=ROWS)
    y = rng.integers(2, size=(ROWS, CLASSES)).astype(float)
    loss = nn.BCEWithLogitsLoss(reduction, pos_weight=pos_weight, weight=weight)
    trainer = make_trainer(loss)
    for w in (None, samples):
        expected = loss(trainer.net.predict(x), y, w)[0]
        assert trainer.evaluate(x, y, sample_weight=w, batch_size=7)["loss"] == pytest.approx(expected, rel=1e-12)
        before, twin = parameters(trainer), make_trainer(loss)
        twin.net.parameters().data[...] = before
        value, grad = loss(twin.net(x), y, w)
        twin.net.backward(grad)
        twin.optimizer.step()
        assert trainer.step(x, y, w) == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(parameters(trainer), parameters(twin), rtol=1e-11)
    loss.weight = None
    assert trainer.evaluate(x, y)["loss"] == pytest.approx(loss(trainer.net.predict(x), y)[0], rel=1e-12)
    assert repr(nn.BCELoss(weight=[1, 2])) == "BCELoss(reduction='mean', weight=[1.0, 2.0])"
