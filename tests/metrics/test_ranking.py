"""The area under the ROC curve: scikit-learn's numbers."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from fastnn import metrics
from metrics.test_classification import cases, quiet, same


@given(cases(rows=(2, 30)), st.booleans())
def test_auc_of_two_classes(case, ties):
    rng, n, _, weight = case
    true = rng.integers(0, 2, n)
    score = rng.integers(-2, 2, n).astype(float) if ties else rng.standard_normal(n)
    expected = quiet(sk.roc_auc_score, true, score, sample_weight=weight)
    same(metrics.roc_auc(true, score, sample_weight=weight), expected)
    same(metrics.roc_auc(true, score[:, None], sample_weight=weight), expected)


@given(cases(classes=(3, 5), rows=(2, 30)), st.sampled_from(["macro", "weighted", None]))
def test_auc_of_several_classes_and_labels(case, average):
    rng, n, k, weight = case
    true = np.r_[np.arange(k), rng.integers(0, k, n)]
    weight = None if weight is None else np.r_[np.ones(k), weight]
    score = rng.integers(1, 4, (n + k, k)).astype(float)
    score /= score.sum(1, keepdims=True)
    expected = sk.roc_auc_score(true, score, average=average, sample_weight=weight, multi_class="ovr")
    same(metrics.roc_auc(true, score, average=average, sample_weight=weight), expected)
    labels = np.eye(k, dtype=int)[true]
    expected = sk.roc_auc_score(labels, score, average=average, sample_weight=weight)
    same(metrics.roc_auc(labels, score, average=average, sample_weight=weight), expected)


def test_auc_without_one_of_the_classes_is_nan():
    assert math.isnan(metrics.roc_auc([1, 1], [0.1, 0.2]))
    assert math.isnan(metrics.roc_auc([0, 1], [0.1, 0.2], sample_weight=[0, 1]))


def test_a_class_that_is_absent_has_no_say_in_a_weighted_area():
    score = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1], [0.4, 0.5, 0.1]])
    first_two = [metrics.roc_auc([1, 0, 1, 0], score[:, 0]), metrics.roc_auc([0, 1, 0, 1], score[:, 1])]
    assert metrics.roc_auc([0, 1, 0, 1], score, average="weighted") == pytest.approx(np.mean(first_two))
    assert math.isnan(metrics.roc_auc([0, 1, 0, 1], score))


AVERAGES = ("macro", "weighted", "micro", "samples", None)


def ranked(rng, n, k, probabilities=False):
    """Scores with ties."""
    score = rng.integers(1, 4, (n, k)).astype(float)
    return score / score.sum(1, keepdims=True) if probabilities else score


@given(cases(classes=(3, 5), rows=(2, 30)), st.sampled_from(AVERAGES))
def test_areas_of_columns_of_labels(case, average):
    rng, n, k, weight = case
    true = np.vstack([np.eye(k, dtype=int), rng.integers(0, 2, (n, k))])
    weight = None if weight is None else np.r_[np.ones(k), weight]
    if average == "samples":  # each has both
        true[:, 0], true[:, 1] = 0, 1
    score, settings = ranked(rng, n + k, k), {"average": average, "sample_weight": weight}
    for max_fpr in (None, 0.3, 1.0):
        expected = sk.roc_auc_score(true, score, max_fpr=max_fpr, **settings)
        same(metrics.roc_auc(true, score, max_fpr=max_fpr, **settings), expected)


@given(cases(rows=(2, 30)), st.floats(0.01, 1.0))
def test_part_of_an_area(case, max_fpr):
    rng, n, _, weight = case
    true, score = np.r_[0, 1, rng.integers(0, 2, n)], ranked(rng, n + 2, 1)[:, 0]
    weight = None if weight is None else np.r_[1.0, 1.0, weight]
    expected = sk.roc_auc_score(true, score, max_fpr=max_fpr, sample_weight=weight)
    same(metrics.roc_auc(true, score, max_fpr=max_fpr, sample_weight=weight), float(expected))


@given(cases(classes=(3, 5), rows=(2, 30)), st.booleans())
def test_pairs_of_classes(case, words):
    rng, n, k, _ = case
    labels = np.array(["ant", "bee", "cat", "dog", "eel"])[:k] if words else np.arange(k)
    true, score = labels[rng.integers(0, k - 1, n)], ranked(rng, n, k, probabilities=True)
    if len(np.unique(true)) < 2:
        assert math.isnan(metrics.roc_auc(true, score, labels=labels, multi_class="ovo"))
        return
    for average in ("macro", "weighted"):
        settings = {"labels": labels, "multi_class": "ovo", "average": average}
        same(metrics.roc_auc(true, score, **settings), float(sk.roc_auc_score(true, score, **settings)))
    # a weight is as many samples
    many = rng.integers(0, 3, n)
    true, score, many = np.r_[true, labels], np.r_[score, ranked(rng, k, k, True)], np.r_[many, np.ones(k, int)]
    expected = sk.roc_auc_score(np.repeat(true, many), np.repeat(score, many, 0), **settings)
    same(metrics.roc_auc(true, score, sample_weight=many, **settings), float(expected))


@given(cases(classes=(3, 5), rows=(2, 30)), st.sampled_from(["macro", "weighted", "micro", None]))
def test_labels_of_classes(case, average):
    rng, n, k, weight = case
    labels = np.array(["ant", "bee", "cat", "dog", "eel"])[:k]
    true, score = np.r_[np.arange(k), rng.integers(0, k, n)], ranked(rng, n + k, k, probabilities=True)
    settings = {"average": average, "sample_weight": None if weight is None else np.r_[np.ones(k), weight]}
    expected = sk.roc_auc_score(true, score, multi_class="ovr", **settings)
    for names in (true, labels[true], 2 * true + 1):
        same(metrics.roc_auc(names, score, **settings), expected)
    same(metrics.roc_auc(labels[true], score, labels=labels, **settings), expected)


@given(cases(rows=(1, 30)), st.booleans())
def test_average_precision_of_two_classes(case, words):
    rng, n, _, weight = case
    true, score = rng.integers(0, 2, n), ranked(rng, n, 1)[:, 0]
    expected = quiet(sk.average_precision_score, true, score, sample_weight=weight)
    same(metrics.average_precision(true, score, sample_weight=weight), float(expected))
    same(metrics.average_precision(true, score[:, None], sample_weight=weight), float(expected))
    if len(np.unique(true)) == 2:
        names, settings = np.array(["no", "yes"])[true], {"pos_label": "no", "sample_weight": weight}
        expected = quiet(sk.average_precision_score, names, score, **settings)
        same(metrics.average_precision(names, score, **settings), float(expected))


@given(cases(classes=(3, 5), rows=(1, 30)), st.sampled_from(AVERAGES))
def test_average_precision_of_several_classes_and_labels(case, average):
    rng, n, k, weight = case
    settings = {"average": average, "sample_weight": weight}
    true, score = rng.integers(0, 2, (n, k)), ranked(rng, n, k)
    expected = quiet(sk.average_precision_score, true, score, **settings)
    same(metrics.average_precision(true, score, **settings), float(expected) if np.ndim(expected) == 0 else expected)
    true, score = np.r_[np.arange(k), rng.integers(0, k, n)], ranked(rng, n + k, k)
    settings["sample_weight"] = None if weight is None else np.r_[np.ones(k), weight]
    expected = quiet(sk.average_precision_score, true, score, **settings)
    for names in (true, np.array(["ant", "bee", "cat", "dog", "eel"])[true]):
        same(metrics.average_precision(names, score, **settings), expected)


def test_average_precision_without_positive_samples_is_0_and_without_weight_nan():
    assert metrics.average_precision([0, 0], [0.1, 0.2]) == 0
    assert metrics.average_precision([[0, 0]], [[0.1, 0.2]], average="weighted") == 0
    for average in AVERAGES:
        nothing = metrics.average_precision([[0, 1]], [[0.1, 0.2]], average=average, sample_weight=[0])
        assert np.isnan(nothing).all()


def test_calls_of_scikit_learn_s_own_tests():
    score = [[0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.35, 0.5, 0.15], [0, 0.2, 0.8]]
    for true, labels in (([0, 1, 0, 2], [0, 1, 2]), (["a", "b", "a", "c"], ["a", "b", "c"]), ([0, 1, 0, 2], None)):
        settings = {"labels": labels, "multi_class": "ovo"}
        pairs = [(0.5 + 1.0) / 2, (1 + 1) / 2, (1 + 1) / 2]
        pairs[0] = (metrics.roc_auc([1, 0, 1], [0.1, 0.3, 0.35]) + metrics.roc_auc([0, 1, 0], [0.8, 0.4, 0.5])) / 2
        assert metrics.roc_auc(true, score, **settings) == pytest.approx(np.mean(pairs))
        assert metrics.roc_auc(true, score, average="weighted", **settings) == pytest.approx(
            np.average(pairs, weights=[0.75, 0.75, 0.5])
        )
    true, score = [0, 1, 2, 2], [[1.0, 0.0, 0.0], [0.1, 0.5, 0.4], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]]
    each = [metrics.roc_auc(np.equal(true, k), np.array(score)[:, k]) for k in range(3)]
    assert metrics.roc_auc(true, score, average=None).tolist() == each
    assert metrics.roc_auc(true, score, average="weighted") == pytest.approx(
        np.average(each, weights=[0.25, 0.25, 0.5])
    )
    true, score = [0, 0, 1, 1], [0, 0, 1, 1]
    assert metrics.roc_auc(true, score, max_fpr=0.001) == 1
    assert metrics.roc_auc(true, [0.1, 0.1, 0.1, 0.1], max_fpr=0.3) == 0.5
    assert metrics.average_precision([0, 1], [0, 1]) == 1
    assert metrics.average_precision([0, 1], [1, 0]) == 0.5
    assert metrics.average_precision([1, 0], [0.5, 0.5]) == 0.5
    assert metrics.average_precision([0, 0, 0, 1] * 25, np.ones(100)) == 0.25
    true = [[1, 0], [0, 1]]
    assert metrics.average_precision(true, [[0, 1], [1, 0]], average="micro") == 0.5
    assert metrics.average_precision(true, [[0, 1], [0, 1]], average="samples") == 0.75
    assert metrics.average_precision([[1, 0], [1, 0]], [[1, 0], [1, 0]], average="weighted") == 1


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize(
    ("arguments", "settings", "error", "message"),
    [
        (([0, 1], [0.1, math.nan]), {}, ValueError, r"y_score\[1\] is nan: y_score must be finite"),
        (([0, math.nan], [0.1, 0.2]), {}, ValueError, "y_true must be labels, got nan"),
        (([0, 1, 2], [0.1, 0.2, 0.3]), {}, ValueError, "for 3 classes, got one score a sample"),
        (
            ([0, 1], [[0.5, 0.25, 0.25]] * 2),
            {"labels": [0, 1]},
            ValueError,
            "labels must have a label for each of the 3",
        ),
        (([0, 1], [[0.5, 0.5]] * 2), {"labels": [1, 0]}, ValueError, "labels must be in ascending order"),
        (([0, 3], [[0.5, 0.5]] * 2), {"labels": [0, 1]}, ValueError, "y_true has 3, which is not in labels"),
        ((["a", "b"], [[0.5, 0.25, 0.25]] * 2), {}, TypeError, "y_true must be integer class indices"),
        (([[0, 2]], [[0.5, 0.5]]), {}, ValueError, "y_true must consist of 0 and 1"),
        (([0, 1], [0, 1]), {"average": "mean"}, ValueError, "average must be one of 'macro', 'weighted', 'micro', "),
    ],
)
def test_wrong_arguments_are_explained(name, arguments, settings, error, message):
    with pytest.raises(error, match=message):
        getattr(metrics, name)(*arguments, **settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda y, s: metrics.roc_auc(y, s, max_fpr=0.5), "max_fpr must be None for more than two classes, got 0.5"),
        (lambda y, s: metrics.roc_auc(y, s, max_fpr=0), "max_fpr must be greater than 0.0 and at most 1.0, got 0"),
        (lambda y, s: metrics.roc_auc(y, s, multi_class="raise"), "multi_class must be one of 'ovr', 'ovo', got"),
        (lambda y, s: metrics.roc_auc(y, s, average="samples"), "'micro', None for classes with multi_class='ovr'"),
        (lambda y, s: metrics.roc_auc(y, s, multi_class="ovo", average=None), "'macro', 'weighted' for classes with"),
        (lambda y, s: metrics.average_precision(y, s, pos_label=0), "pos_label must be 1 for several columns"),
        (lambda y, s: metrics.average_precision([0, 2], [0.5, 1]), r"pos_label must be one of \[0, 2\], got 1"),
    ],
)
def test_options_that_do_not_fit_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call([0, 1, 2], [[0.5, 0.25, 0.25]] * 3)
