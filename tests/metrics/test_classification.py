"""Metrics of labels: scikit-learn's numbers, on any labels, weights and ties."""

import math
import warnings

import numpy as np
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from fastnn import metrics

RATES = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


def quiet(function, *args, **keywords):
    """What scikit-learn says, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **keywords)


def same(value, expected):
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-12)
    assert np.ndim(value) or type(value) is float


@st.composite
def cases(draw, classes=(1, 5), rows=(1, 30)):
    """A generator, a number of rows and of classes, weights or None."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, k = draw(st.integers(*rows)), draw(st.integers(*classes))
    weight = rng.integers(0, 3, n).astype(float) if draw(st.booleans()) else None
    if weight is not None:
        weight[rng.integers(n)] = 1.5
    return rng, n, k, weight


@given(cases(), st.sampled_from(["int64", "int8", "float32", "U"]))
def test_accuracy_and_the_confusion_matrix(case, dtype):
    rng, n, k, weight = case
    true, pred = rng.integers(0, k, (2, n)).astype(dtype)
    same(metrics.accuracy(true, pred, sample_weight=weight), sk.accuracy_score(true, pred, sample_weight=weight))
    for normalize in ("true", "pred", "all", None):
        expected = quiet(sk.confusion_matrix, true, pred, sample_weight=weight, normalize=normalize)
        matrix = metrics.confusion_matrix(true, pred, sample_weight=weight, normalize=normalize)
        np.testing.assert_allclose(matrix, expected, atol=1e-15)
        assert matrix.dtype == ("int64" if weight is None and normalize is None else "float64")
    labels = rng.permutation(np.union1d(true, pred))[:3]
    if np.isin(labels, true).any():
        expected = quiet(sk.confusion_matrix, true, pred, labels=labels, sample_weight=weight)
        np.testing.assert_array_equal(
            metrics.confusion_matrix(true, pred, labels=labels, sample_weight=weight), expected
        )


@given(cases(classes=(1, 5)), st.sampled_from(list(RATES)), st.sampled_from([0.0, 1.0, math.nan]))
def test_rates_of_classes(case, name, zero):
    rng, n, k, weight = case
    true, pred = rng.integers(0, k, (2, n))
    for average in ("micro", "macro", "weighted", None):
        settings = {"average": average, "sample_weight": weight, "zero_division": zero}
        same(getattr(metrics, name)(true, pred, **settings), quiet(RATES[name], true, pred, **settings))


@given(cases(classes=(2, 2)), st.sampled_from(list(RATES)), st.sampled_from([0.0, 1.0, math.nan]))
def test_rates_of_two_classes(case, name, zero):
    rng, n, _, weight = case
    true, pred = rng.integers(0, 2, (2, n))
    settings = {"sample_weight": weight, "zero_division": zero}
    same(getattr(metrics, name)(true, pred, **settings), quiet(RATES[name], true, pred, **settings))
    words = np.array(["no", "yes"])
    if len(np.union1d(true, pred)) == 2:
        settings["pos_label"] = "no"
        same(getattr(metrics, name)(words[true], words[pred], **settings),
             quiet(RATES[name], words[true], words[pred], **settings))  # fmt: skip


@given(cases(classes=(2, 4)), st.sampled_from(list(RATES)), st.sampled_from([0.0, 1.0, math.nan]))
def test_rates_of_several_labels(case, name, zero):
    rng, n, k, weight = case
    true, pred = rng.integers(0, 2, (2, n, k))
    same(metrics.accuracy(true, pred, sample_weight=weight), sk.accuracy_score(true, pred, sample_weight=weight))
    for average in ("micro", "macro", "weighted", None):
        settings = {"average": average, "sample_weight": weight, "zero_division": zero}
        same(getattr(metrics, name)(true, pred, **settings), quiet(RATES[name], true, pred, **settings))


@given(cases(classes=(3, 6)), st.integers(1, 7))
def test_top_k(case, k):
    rng, n, classes, weight = case
    true = rng.integers(0, classes, n)
    score = rng.integers(0, 3, (n, classes)) / 4  # with ties
    expected = quiet(sk.top_k_accuracy_score, true, score, k=k, sample_weight=weight, labels=np.arange(classes))
    same(metrics.top_k_accuracy(true, score, k=k, sample_weight=weight), expected)
