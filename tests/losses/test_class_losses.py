"""Losses over classes: ignored targets, and weights of classes."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.losses import CLASSES, ROWS, make_trainer, parameters

OF_CLASSES = {
    "cross_entropy": nn.CrossEntropyLoss,
    "nll_loss": nn.NLLLoss,
    "softmax_focal_loss": nn.SoftmaxFocalLoss,
    "multi_margin_loss": nn.MultiMarginLoss,
}


@pytest.mark.parametrize("weight", [None, np.array([0.5, 2.0, 1.0, 3.0])], ids=["plain", "weighted"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_ignored_rows_are_as_if_they_were_not_there(name, reduction, weight, labels, dtype, backend, rng):
    """Whatever is in them; the label that is ignored may be a class too."""
    scores, kept = rng.normal(size=(ROWS, CLASSES)).astype(dtype), labels != 2
    scores[~kept] = rng.choice([np.nan, np.inf, -np.inf], (np.sum(~kept), CLASSES))
    each = rng.uniform(0.5, 2, ROWS).astype(dtype)
    function, backward = getattr(F, name), getattr(F, f"{name}_backward")
    for ignored, target in ((2, labels), (-100, np.where(kept, labels, -100)), (99, np.where(kept, labels, 99))):
        for sample_weight in (None, each):
            options = {"reduction": reduction, "weight": weight}
            more = options | {"sample_weight": sample_weight, "ignore_index": ignored}
            fewer = options | {"sample_weight": None if sample_weight is None else each[kept]}
            value, expected = function(scores, target, **more), function(scores[kept], labels[kept], **fewer)
            above = 1.0 if reduction != "none" else np.ones(ROWS, dtype)
            grad = backward(above, scores, target, **more)
            grad_expected = backward(above if reduction != "none" else above[kept], scores[kept], labels[kept], **fewer)
            rtol = 64 * np.finfo(dtype).eps
            np.testing.assert_allclose(value[kept] if reduction == "none" else value, expected, rtol=rtol)
            np.testing.assert_allclose(grad[kept], grad_expected, rtol=rtol, atol=np.finfo(dtype).eps)
            assert not grad[~kept].any()
            assert reduction != "none" or not value[~kept].any()


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_batch_of_ignored_rows_is_nan_and_teaches_nothing(name, x, labels, backend):
    trainer, twin = make_trainer(OF_CLASSES[name]()), make_trainer(OF_CLASSES[name]())
    target = np.where(np.arange(ROWS) < 8, -100, labels)
    assert np.isnan(trainer.step(x[:8], target[:8]))
    assert_same_bits(parameters(trainer), parameters(twin))
    history = trainer.fit(x, target, batch_size=8, shuffle=False)
    expected = twin.fit(x[8:], target[8:], batch_size=8, shuffle=False)
    assert_same_bits(parameters(trainer), parameters(twin))
    for record in ("loss", "accuracy"):
        assert history[record] == expected[record]
    scores = trainer.evaluate(x[:8], target[:8])
    assert np.isnan(scores["loss"])
    assert "accuracy" not in scores


def test_labels_out_of_range_are_named_beside_ignored_ones(x, labels, backend):
    trainer = make_trainer(nn.CrossEntropyLoss())
    labels[1], labels[3] = -100, 12
    with pytest.raises(ValueError, match=r"y\[3\] is 12: class indices must be between 0 and 3"):
        trainer.fit(x, labels)
    with pytest.raises(ValueError, match=r"target\[3\] is 12: class indices must be between 0 and 3"):
        F.cross_entropy(trainer.net.predict(x), labels)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_weights_of_classes_are_weights_of_rows(name, labels, backend, rng):
    """Where they count in the mean: by that mean; elsewhere by the sum."""
    scores, weight = F.log_softmax(rng.normal(size=(ROWS, CLASSES))), np.array([0.5, 2.0, 0.0, 3.0])
    function, reduction = getattr(F, name), "sum" if name == "multi_margin_loss" else "mean"
    each = rng.uniform(0.5, 2, ROWS)
    value = function(scores, labels, reduction, each, weight=weight)
    assert value == pytest.approx(function(scores, labels, reduction, each * weight[labels]), rel=1e-13)


def test_no_class_is_ignored_of_probabilities(dtype, backend):
    """As in PyTorch, an error instead of an argument without effect."""
    x, target = np.zeros((2, 3), dtype), np.full((2, 3), 1 / 3, dtype)
    for call in (
        lambda: F.cross_entropy(x, target, ignore_index=1),
        lambda: F.cross_entropy_backward(1.0, x, target, ignore_index=1),
        lambda: nn.CrossEntropyLoss(ignore_index=1)(x, target),
    ):
        with pytest.raises(ValueError, match="ignore_index=1 is for class indices, but target has probabilities"):
            call()
    assert F.cross_entropy(x, target) == pytest.approx(np.log(3))


@pytest.mark.parametrize("batch_size", [5, 8, ROWS])
def test_ignored_rows_do_not_count_for_accuracy(batch_size, x, labels, backend):
    trainer = make_trainer(nn.CrossEntropyLoss(ignore_index=1))
    hits = trainer.net.predict(x).argmax(1) == labels
    scores = trainer.evaluate(x, labels, batch_size=batch_size)
    assert scores["accuracy"] == pytest.approx(hits[labels != 1].mean(), rel=1e-14)
