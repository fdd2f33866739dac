"""Agreement of classes: scikit-learn's numbers, on any labels, weights, absent classes and single ones."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from fastnn import metrics
from metrics.test_classification import cases, quiet, same

WORDS = np.array(["ant", "bee", "cat", "dog", "eel", "fox"])


@given(cases(), st.sampled_from(["int64", "int8", "float32", "U"]))
def test_numbers_of_scikit_learn(case, dtype):
    rng, n, k, weight = case
    true, pred = rng.integers(0, k, (2, n)) if dtype != "U" else WORDS[rng.integers(0, k, (2, n))]
    true, pred = true.astype(dtype), pred.astype(dtype)
    settings = {"sample_weight": weight}
    same(metrics.matthews_corrcoef(true, pred, **settings), quiet(sk.matthews_corrcoef, true, pred, **settings))
    same(metrics.hamming_loss(true, pred, **settings), sk.hamming_loss(true, pred, **settings))
    for adjusted in (False, True):
        expected = quiet(sk.balanced_accuracy_score, true, pred, adjusted=adjusted, **settings)
        expected = math.nan if math.isinf(expected) else expected  # adjusted, of one class: (score - 1) / 0
        same(metrics.balanced_accuracy(true, pred, adjusted=adjusted, **settings), expected)
    for weights in (None, "linear", "quadratic"):
        expected = quiet(sk.cohen_kappa_score, true, pred, weights=weights, **settings)
        same(metrics.cohen_kappa(true, pred, weights=weights, **settings), float(expected))


@given(cases(classes=(2, 6)), st.sampled_from([None, "linear", "quadratic"]))
def test_kappa_of_some_labels_in_their_order(case, weights):
    rng, n, k, weight = case
    true, pred = WORDS[rng.integers(0, k, (2, n))]
    labels = rng.permutation(WORDS[:k])[: rng.integers(1, k + 1)]
    if np.isin(labels, true).any():
        settings = {"labels": labels, "weights": weights, "sample_weight": weight}
        expected = quiet(sk.cohen_kappa_score, true, pred, replace_undefined_by=0.25, **settings)
        same(metrics.cohen_kappa(true, pred, zero_division=0.25, **settings), float(expected))


@given(cases(classes=(1, 5)))
def test_hamming_loss_of_several_labels(case):
    rng, n, k, weight = case
    true, pred = rng.integers(0, 2, (2, n, k + 1))
    same(
        metrics.hamming_loss(true, pred, sample_weight=weight), float(sk.hamming_loss(true, pred, sample_weight=weight))
    )


@pytest.mark.parametrize(("true", "pred"), [([1, 1], [1, 1]), ([0, 0, 0], [0, 1, 1]), ([0, 1, 2], [2, 2, 2])])
def test_correlation_with_one_class_alone_is_what_is_asked(true, pred):
    assert metrics.matthews_corrcoef(true, pred) == quiet(sk.matthews_corrcoef, true, pred) == 0
    assert metrics.matthews_corrcoef(true, pred, zero_division=-1.0) == -1
    assert math.isnan(metrics.matthews_corrcoef(true, pred, zero_division=math.nan))


def test_weights_that_do_not_add_up_exactly_leave_one_class_undefined():
    weight = np.full(7, 0.1)
    for weights in (None, "linear", "quadratic"):
        assert math.isnan(metrics.cohen_kappa([1] * 7, [1] * 7, weights=weights, sample_weight=weight))
        assert math.isnan(metrics.cohen_kappa([1] * 7, [1] * 7, labels=[0, 1], weights=weights, sample_weight=weight))
    assert metrics.matthews_corrcoef([3] * 7, [3, 2, 3, 3, 2, 2, 3], sample_weight=weight) == 0
    assert math.isnan(metrics.balanced_accuracy([1] * 7, [1] * 7, adjusted=True, sample_weight=weight))


def test_large_counts_and_weights_do_not_overflow():
    true = np.repeat([0, 0, 1, 1], 250_000)
    pred = np.roll(true, 1000)
    expected = sk.matthews_corrcoef(true, pred)
    assert metrics.matthews_corrcoef(true, pred) == pytest.approx(expected, rel=1e-12)
    heavy = np.full(len(true), 1e250)
    assert metrics.matthews_corrcoef(true, pred, sample_weight=heavy) == pytest.approx(expected, rel=1e-12)
    assert metrics.cohen_kappa(true, pred, sample_weight=heavy) == pytest.approx(sk.cohen_kappa_score(true, pred))
    assert metrics.matthews_corrcoef(true, true) == 1
    assert metrics.matthews_corrcoef(true, 1 - true) == -1


def test_many_classes_need_no_square_of_memory():
    true = np.arange(200_000)
    assert metrics.matthews_corrcoef(true, true) == pytest.approx(1)
    assert metrics.cohen_kappa(true, true, weights="quadratic") == 1
    assert metrics.balanced_accuracy(true, true) == 1


def test_without_weight_there_is_no_value():
    arguments, none = ([0, 1, 1], [0, 1, 0]), {"sample_weight": [0, 0, 0]}
    for name in ("matthews_corrcoef", "cohen_kappa", "balanced_accuracy", "hamming_loss"):
        assert math.isnan(getattr(metrics, name)(*arguments, **none))
    assert metrics.cohen_kappa(*arguments, zero_division=0.0, **none) == 0


def test_calls_of_scikit_learn_s_own_tests():
    first = [0] * 40 + [1] * 60
    second = [0] * 20 + [1] * 20 + [0] * 10 + [1] * 50
    assert round(metrics.cohen_kappa(first, second), 3) == 0.348
    assert metrics.cohen_kappa(second, first) == pytest.approx(metrics.cohen_kappa(first, second))
    first = [0] * 46 + [1] * 44 + [2] * 10
    second = [0] * 50 + [1] * 40 + [2] * 10
    assert metrics.cohen_kappa(first, second) == pytest.approx(0.9315, abs=1e-4)
    assert metrics.cohen_kappa(first, second, weights="linear") == pytest.approx(0.9412, abs=1e-4)
    assert metrics.cohen_kappa(first, second, weights="quadratic") == pytest.approx(0.9541, abs=1e-4)
    assert metrics.matthews_corrcoef([0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]) == pytest.approx(-0.5)
    assert metrics.matthews_corrcoef([0, 1, 2, 0, 1, 2, 0, 1, 2], [1, 1, 1, 0, 0, 0, 2, 2, 2]) == pytest.approx(0)
    assert metrics.matthews_corrcoef([0, 0, 1, 2], [0, 0, 1, 2], sample_weight=[1, 1, 0, 0]) == 0
    assert metrics.balanced_accuracy([0, 0, 0], [0, 0, 1]) == pytest.approx(2 / 3)
    assert metrics.balanced_accuracy(["a", "b", "a", "b"], ["a", "a", "a", "b"]) == 0.75
    assert metrics.hamming_loss([[0, 1, 1], [1, 0, 1]], [[0, 0, 1], [1, 0, 1]]) == pytest.approx(1 / 6)
    assert metrics.hamming_loss([[1, 1], [0, 1]], [[0, 1], [0, 0]], sample_weight=[0.25, 0.75]) == 0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.matthews_corrcoef([[0, 1]], [[0, 1]]), ValueError, "y_true must have one label a sample"),
        (lambda: metrics.cohen_kappa([[0, 1]], [[0, 1]]), ValueError, "y_true must have one label a sample"),
        (
            lambda: metrics.cohen_kappa([0, 1], [0, 1], labels=[5]),
            ValueError,
            "labels: at least one of them must occur",
        ),
        (lambda: metrics.cohen_kappa([0, 1], [0, 1], labels=["a"]), ValueError, "labels has strings, y_true numbers"),
        (lambda: metrics.cohen_kappa([0, 1], [0, 1], labels=[1, 1]), ValueError, "labels must not have a label twice"),
        (lambda: metrics.cohen_kappa([0, 1], [0, 1], labels=[]), ValueError, "labels must be a list of at least one"),
        (
            lambda: metrics.cohen_kappa([0, 1], [0, 1], weights="cubic"),
            ValueError,
            "weights must be one of None",
        ),
        (lambda: metrics.cohen_kappa([0], [0], zero_division=2), ValueError, "zero_division must be at least -1.0 and"),
        (lambda: metrics.cohen_kappa(["a"], [0]), ValueError, "y_true has strings, y_pred numbers"),
        (lambda: metrics.balanced_accuracy([0], [0], adjusted=1), TypeError, "adjusted must be True or False, got int"),
        (lambda: metrics.balanced_accuracy([0.0], [math.nan]), ValueError, "y_pred must be labels, got nan"),
        (lambda: metrics.hamming_loss([0], [None]), TypeError, "y_pred must have labels of one sort"),
    ],
)
def test_wrong_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
