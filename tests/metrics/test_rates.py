"""Rates of classes: labels to average over, averages over samples, specificity and Jaccard, as in scikit-learn."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from fastnn import metrics
from metrics.test_classification import RATES, cases, quiet, same

ALL = RATES | {"jaccard": sk.jaccard_score}
AVERAGES = ("micro", "macro", "weighted", None)
ZEROS = st.sampled_from([0.0, 1.0])


def specificities(true, pred, average, weight=None, zero=0.0, labels=None):
    """Of the counts of scikit-learn."""
    samplewise = average == "samples"
    counts = sk.multilabel_confusion_matrix(true, pred, sample_weight=weight, labels=labels, samplewise=samplewise)
    if average == "micro":
        counts = counts.sum(0, keepdims=True)
    negatives, positives = counts[:, 0].sum(1), counts[:, 1].sum(1)
    values = np.array([tn / n if n > 1e-12 else zero for tn, n in zip(counts[:, 0, 0], negatives, strict=True)])
    if average is None:
        return values
    weights = {"weighted": positives if positives.any() else None, "samples": weight}.get(average)
    return np.average(values, weights=weights)


@given(cases(classes=(2, 6)), st.sampled_from(list(ALL)), ZEROS)
def test_labels_are_those_that_are_averaged_over(case, name, zero):
    rng, n, k, weight = case
    true, pred = rng.integers(0, k, (2, n))
    labels = rng.permutation(k + 1)[: rng.integers(1, k + 2)]  # some that do not occur, others left out
    for average in AVERAGES:
        settings = {"labels": labels, "average": average, "sample_weight": weight, "zero_division": zero}
        expected = quiet(ALL[name], true, pred, **settings)
        same(getattr(metrics, name)(true, pred, **settings), expected)
        words = [np.array(["no", "yes", "maybe", "never", "often", "once", "x"])[a] for a in (true, pred, labels)]
        same(getattr(metrics, name)(words[0], words[1], **settings | {"labels": words[2]}), expected)


@given(cases(classes=(2, 5)), st.sampled_from(list(ALL)), ZEROS)
def test_columns_of_labels(case, name, zero):
    rng, n, k, weight = case
    true, pred = rng.integers(0, 2, (2, n, k))
    labels = rng.permutation(k)[: rng.integers(1, k + 1)]
    for average in (*AVERAGES, "samples"):
        settings = {"average": average, "sample_weight": weight, "zero_division": zero}
        same(getattr(metrics, name)(true, pred, **settings), quiet(ALL[name], true, pred, **settings))
        settings["labels"] = labels
        same(getattr(metrics, name)(true, pred, **settings), quiet(ALL[name], true, pred, **settings))


@given(cases(classes=(1, 5)), ZEROS)
def test_jaccard_and_specificity_of_classes(case, zero):
    rng, n, k, weight = case
    true, pred = rng.integers(0, k, (2, n))
    for average in AVERAGES:
        settings = {"average": average, "sample_weight": weight, "zero_division": zero}
        same(metrics.jaccard(true, pred, **settings), quiet(sk.jaccard_score, true, pred, **settings))
        expected = specificities(true, pred, average, weight, zero)
        same(metrics.specificity(true, pred, **settings), expected if average is None else float(expected))


@given(cases(classes=(2, 2)), ZEROS)
def test_jaccard_and_specificity_of_two_classes(case, zero):
    rng, n, _, weight = case
    true, pred = rng.integers(0, 2, (2, n))
    settings = {"sample_weight": weight, "zero_division": zero}
    same(metrics.jaccard(true, pred, **settings), quiet(sk.jaccard_score, true, pred, **settings))
    if len(np.union1d(true, pred)) == 2:  # the recall of the other class
        expected = quiet(sk.recall_score, true, pred, pos_label=0, **settings)
        same(metrics.specificity(true, pred, **settings), expected)
        words = np.array(["no", "yes"])
        same(metrics.specificity(words[true], words[pred], pos_label="yes", **settings), expected)


@given(cases(classes=(2, 4)), ZEROS)
def test_specificity_of_several_labels(case, zero):
    rng, n, k, weight = case
    true, pred = rng.integers(0, 2, (2, n, k))
    for average in (*AVERAGES, "samples"):
        settings = {"average": average, "sample_weight": weight, "zero_division": zero}
        expected = specificities(true, pred, average, weight, zero)
        same(metrics.specificity(true, pred, **settings), expected if average is None else float(expected))


def test_zero_by_zero_as_nan_is_left_out():
    true, pred = [0, 0, 1, 1], [0, 0, 1, 0]
    settings = {"labels": [0, 1, 2], "zero_division": math.nan}
    for name in ALL:
        values = getattr(metrics, name)(true, pred, average=None, **settings)
        assert math.isnan(values[2])
        assert getattr(metrics, name)(true, pred, average="macro", **settings) == pytest.approx(np.nanmean(values))
    assert metrics.specificity([1, 1], [1, 1], average=None, zero_division=0.5).tolist() == [0.5]
    rows = [[0, 0], [1, 1]]
    assert metrics.f1(rows, rows, average="samples", zero_division=math.nan) == 1
    assert metrics.f1(rows, rows, average="samples") == 0.5


def test_rounding_of_weights_leaves_rates_in_range():
    weight = np.array([0.1, 0.2, 0.3, 0.7])
    values = metrics.specificity([0, 0, 0, 1], [1, 1, 1, 1], average=None, sample_weight=weight)
    assert values.tolist() == [1, 0]
    assert metrics.specificity([1] * 4, [1] * 4, zero_division=1.0, sample_weight=weight) == 1


def test_calls_of_scikit_learn_s_own_tests():
    true, pred = [[0, 1, 1], [1, 0, 1]], [[0, 0, 1], [1, 0, 1]]
    assert metrics.jaccard(true, pred, average="samples") == 0.75
    true, pred = [[1, 1, 1, 0], [0, 0, 0, 1]], [[1, 1, 0, 0], [0, 0, 0, 0]]
    assert metrics.jaccard(true, pred, average="samples") == pytest.approx(1 / 3)
    assert metrics.jaccard([1, 0, 1, 1, 0], [1, 0, 1, 1, 1]) == 0.75
    assert metrics.jaccard([1, 0, 1, 1, 0], [1, 0, 1, 1, 1], pos_label=0) == 0.5
    assert metrics.jaccard([0], [0], pos_label=0) == 1
    assert metrics.jaccard(["ham", "egg"], ["ham", "ham"], average="weighted") == 0.25
    true, pred = [1, 1, 2, 3], [1, 3, 3, 3]
    assert metrics.recall(true, pred, average="micro", labels=[1, 3]) == pytest.approx(2 / 3)
    assert metrics.recall(true, pred, average="macro", labels=[1, 3]) == 0.75
    assert metrics.recall(true, pred, average="weighted", labels=[1, 3]) == pytest.approx(2 / 3)
    true, pred = [1, 3, 3, 2], [1, 1, 3, 2]
    assert metrics.recall(true, pred, labels=[0, 1, 2, 3, 4], average=None).tolist() == [0, 1, 1, 0.5, 0]
    assert metrics.recall(true, pred, labels=[0, 1, 2, 3, 4], average="macro") == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"average": "samples"}, "average='samples' needs y_true with a column for each label"),
        (
            {"average": "macro", "labels": ["a"]},
            "labels must be of the sort of y_true: labels has strings, y_true",
        ),
        ({"average": "macro", "labels": []}, "labels must be a list of at least one label"),
        ({"average": "macro", "labels": [1, 1]}, r"labels must not have a label twice, got \[1, 1\]"),
        ({"average": "macro", "labels": [[1, 2]]}, r"labels must be a list of at least one label, got shape \(1, 2\)"),
    ],
)
def test_wrong_labels_are_explained(settings, message):
    for name in (*ALL, "specificity"):
        with pytest.raises(ValueError, match=message):
            getattr(metrics, name)([0, 1, 2], [0, 1, 2], **settings)


@pytest.mark.parametrize("labels", [[2], [-1], [0.5]])
def test_wrong_columns_are_explained(labels):
    with pytest.raises(ValueError, match="labels must be indices of columns between 0 and 1, got"):
        metrics.jaccard([[0, 1]], [[0, 1]], average="macro", labels=labels)
