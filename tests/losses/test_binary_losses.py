"""Losses of two classes: pos_weight, and the focal losses beside their kin of several classes."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from support.losses import CLASSES, ROWS, make_trainer
from support.measure import assert_same_bits


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
