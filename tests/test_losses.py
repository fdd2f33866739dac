"""Options of losses: weights of classes, ignored targets, several quantiles, variances, losses in Python."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support.measure import assert_same_bits

ROWS, CLASSES = 24, 4
OF_CLASSES = {
    "cross_entropy": nn.CrossEntropyLoss,
    "nll_loss": nn.NLLLoss,
    "softmax_focal_loss": nn.SoftmaxFocalLoss,
    "multi_margin_loss": nn.MultiMarginLoss,
}


def make_trainer(loss, n_out=CLASSES, dtype="float64"):
    net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, n_out), seed=1, dtype=dtype)
    return fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1))


def parameters(trainer):
    return trainer.net.parameters().data.copy()


@pytest.fixture
def x(rng):
    return rng.normal(size=(ROWS, 3))


@pytest.fixture
def labels(rng):
    return rng.integers(CLASSES, size=ROWS)


# -- targets that are ignored ------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("batch_size", [5, 8, ROWS])
def test_ignored_rows_do_not_count_for_accuracy(batch_size, x, labels, backend):
    trainer = make_trainer(nn.CrossEntropyLoss(ignore_index=1))
    hits = trainer.net.predict(x).argmax(1) == labels
    scores = trainer.evaluate(x, labels, batch_size=batch_size)
    assert scores["accuracy"] == pytest.approx(hits[labels != 1].mean(), rel=1e-14)


def test_labels_out_of_range_are_named_beside_ignored_ones(x, labels, backend):
    trainer = make_trainer(nn.CrossEntropyLoss())
    labels[1], labels[3] = -100, 12
    with pytest.raises(ValueError, match=r"y\[3\] is 12: class indices must be between 0 and 3"):
        trainer.fit(x, labels)
    with pytest.raises(ValueError, match=r"target\[3\] is 12: class indices must be between 0 and 3"):
        F.cross_entropy(trainer.net.predict(x), labels)


# -- weights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_CLASSES)
def test_weights_of_classes_are_weights_of_rows(name, labels, backend, rng):
    """Where they count in the mean: by that mean; elsewhere by the sum."""
    scores, weight = F.log_softmax(rng.normal(size=(ROWS, CLASSES))), np.array([0.5, 2.0, 0.0, 3.0])
    function, reduction = getattr(F, name), "sum" if name == "multi_margin_loss" else "mean"
    each = rng.uniform(0.5, 2, ROWS)
    value = function(scores, labels, reduction, each, weight=weight)
    assert value == pytest.approx(function(scores, labels, reduction, each * weight[labels]), rel=1e-13)


@pytest.mark.parametrize(
    ("loss", "attribute", "target"),
    [
        (nn.CrossEntropyLoss(), "weight", "labels"),
        (nn.MultiMarginLoss(weight=np.ones(CLASSES)), "weight", "labels"),
        (nn.BCEWithLogitsLoss(), "pos_weight", "bits"),
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


def test_a_number_as_pos_weight_is_that_for_all_columns(dtype, backend, rng):
    scores, target = rng.normal(size=(9, 3)).astype(dtype), rng.integers(2, size=(9, 3)).astype(dtype)
    for arguments in ((scores, target), (scores[:, 0].copy(), target[:, 0].copy())):
        columns = np.full(arguments[0].shape[-1], 2.5)
        one, each = (F.binary_cross_entropy_with_logits(*arguments, pos_weight=w) for w in (2.5, columns))
        assert_same_bits(one, each)
    assert F.binary_cross_entropy_with_logits(scores, target, pos_weight=1) == pytest.approx(
        F.binary_cross_entropy_with_logits(scores, target), rel=1e-5
    )


def test_balanced_weights():
    y = np.array([3, 0, 0, 3, 3, 3, 0, 1, -100])
    balanced = fastnn.data.class_weights(y)
    np.testing.assert_allclose(balanced, [8 / (3 * 3), 8 / (3 * 1), 0, 8 / (3 * 4)])
    assert np.mean(balanced[y[:-1]]) == pytest.approx(1)
    assert fastnn.data.class_weights(y, classes=6).shape == (6,)
    assert fastnn.data.class_weights(y, {1: 4.0, 3: 0.0}).tolist() == [1, 4, 1, 0]
    assert fastnn.data.class_weights(np.uint8([0, 1])).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], "even"), ValueError, "class_weight must be 'balanced' or a dict, got 'even'"),
        (([0.5, 1],), TypeError, "y must be integer class indices, got float64"),
        (([[0, 1]],), ValueError, r"y must have shape \(n,\), got \(1, 2\)"),
        (([-100],), ValueError, "y must have at least one sample"),
        (([0, -1],), ValueError, "y has the class -1: class indices must be between 0 and 0"),
        (([0, 1], {2: 1.0}), ValueError, "class_weight has the class 2"),
        (([0, 1], {1: -1.0}), ValueError, r"class_weight\[1\] must lie in"),
    ],
)
def test_wrong_arguments_of_balanced_weights(arguments, error, message):
    with pytest.raises(error, match=message):
        fastnn.data.class_weights(*arguments)


# -- single losses -----------------------------------------------------------------------------------------------------


def test_accuracy_of_scores_with_targets_of_both_signs(x, rng, backend):
    target = rng.choice([-1.0, 1.0], (ROWS, 1))
    for loss in (nn.HingeLoss(), nn.SoftMarginLoss()):
        trainer = make_trainer(loss, n_out=1)
        hits = np.sign(trainer.net.predict(x)) == target
        assert trainer.evaluate(x, target, batch_size=7)["accuracy"] == pytest.approx(hits.mean())


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


def test_the_divergence_is_the_mean_of_rows(backend, rng):
    log_p, q, each = F.log_softmax(rng.normal(size=(6, 4))), rng.dirichlet(np.ones(4), 6), rng.uniform(size=6)
    rows = (q * (np.log(q) - log_p)).sum(axis=1)
    assert F.kl_div(log_p, q, "batchmean") == pytest.approx(rows.mean())
    assert F.kl_div(log_p, q, "batchmean", each) == pytest.approx(np.average(rows, weights=each))
    assert np.isnan(F.kl_div(log_p, -q))
    np.testing.assert_allclose(F.kl_div_backward(1.0, log_p, q, "batchmean"), -q / 6)
    net = nn.Sequential(nn.Linear(3, 4), nn.LogSoftmax(), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.KLDivLoss("batchmean"), optim.SGD(net.parameters(), lr=0.0))
    x = rng.normal(size=(6, 3))
    expected = F.kl_div(net.predict(x), q, "batchmean", each)
    for batch_size in (4, 6):  # exact over uneven batches
        history = trainer.fit(x, q, sample_weight=each, batch_size=batch_size)
        assert history["loss"][0] == pytest.approx(expected)


def test_means_and_variances(x, rng, backend):
    """The network's second half becomes variances by softplus; the gradient is that of the whole."""
    loss, target = nn.GaussianNLLLoss(full=True), rng.normal(size=(ROWS, 2))
    outputs = rng.normal(size=(ROWS, 4))
    value, grad = loss(outputs, target)
    mean, raw = outputs[:, :2], outputs[:, 2:]
    variance = np.log1p(np.exp(raw))
    expected = 0.5 * (np.log(2 * np.pi * variance) + (mean - target) ** 2 / variance)
    assert value == pytest.approx(expected.mean())
    for index in ((0, 0), (3, 1), (5, 2), (7, 3)):
        moved = [outputs.copy() for _ in range(2)]
        moved[0][index] += 1e-6
        moved[1][index] -= 1e-6
        assert grad[index] == pytest.approx((loss(moved[0], target)[0] - loss(moved[1], target)[0]) / 2e-6, rel=1e-4)
    trainer = make_trainer(loss)
    before = trainer.evaluate(x, target)["loss"]
    assert before == pytest.approx(loss(trainer.net.predict(x), target)[0])
    assert trainer.fit(x, target, epochs=50)["loss"][-1] < before
    with pytest.raises(ValueError, match=r"y must have shape \(24, 2\) for 24 samples and 2 outputs"):
        trainer.step(x, np.zeros((ROWS, 4)))


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
