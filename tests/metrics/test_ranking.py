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
