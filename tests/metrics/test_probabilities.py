"""Log loss and Brier score: scikit-learn's numbers, on any labels, columns, weights and dtypes."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from fastnn import metrics
from metrics.test_classification import cases, quiet, same

WORDS = np.array(["ant", "bee", "cat", "dog", "eel", "fox"])


def rows_of(rng, n, k):
    """Probabilities of shape (n, k), some of them 0 and 1."""
    proba = rng.integers(0, 4, (n, k)).astype(float)
    proba[np.arange(n), rng.integers(0, k, n)] += 1
    return proba / proba.sum(1, keepdims=True)


@given(cases(classes=(2, 5)), st.booleans())
def test_classes(case, words):
    rng, n, k, weight = case
    true, proba = rng.integers(0, k, n), rows_of(rng, n, k)
    labels = WORDS[:k] if words else np.arange(k)
    true = labels[true]
    settings = {"labels": labels, "sample_weight": weight}
    for normalize in (True, False):
        expected = sk.log_loss(true, proba, normalize=normalize, **settings)
        same(metrics.log_loss(true, proba, normalize=normalize, **settings), expected)
    for half in ("auto", True, False):
        expected = sk.brier_score_loss(true, proba, scale_by_half=half, **settings)
        same(metrics.brier(true, proba, scale_by_half=half, **settings), expected)
    if not words:  # class indices, which need not all occur
        same(metrics.log_loss(true, proba, sample_weight=weight), sk.log_loss(true, proba, **settings))
        hot = np.eye(k)[true]
        same(metrics.log_loss(hot, proba, sample_weight=weight), sk.log_loss(true, proba, **settings))
        same(metrics.brier(hot, proba, sample_weight=weight), sk.brier_score_loss(true, proba, **settings))
    elif len(np.unique(true)) == k:
        same(metrics.log_loss(true, proba, sample_weight=weight), sk.log_loss(true, proba, **settings))


@given(cases(rows=(2, 30)), st.sampled_from([(0, 1), (-1, 1), (3, 7), ("no", "yes"), (False, True)]), st.booleans())
def test_one_column(case, labels, column):
    rng, n, _, weight = case
    chosen = rng.integers(0, 2, n)
    true, proba = np.array(labels)[chosen], rng.integers(0, 5, n) / 4
    given_proba = proba[:, None] if column else proba
    settings = {"sample_weight": weight}
    same(metrics.log_loss(true, given_proba, labels=labels, **settings),
         sk.log_loss(true, proba, labels=labels, **settings))  # fmt: skip
    for label in labels:
        if len(np.unique(true)) == 2:
            expected = sk.brier_score_loss(true, proba, pos_label=label, **settings)
            same(metrics.brier(true, given_proba, pos_label=label, **settings), expected)
    if labels[0] != "no":
        same(metrics.brier(true, given_proba, **settings), quiet(sk.brier_score_loss, true, proba, **settings))
        if len(np.unique(true)) == 2:
            same(metrics.log_loss(true, given_proba, **settings), sk.log_loss(true, proba, **settings))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_probabilities_are_limited_by_the_epsilon_of_their_dtype(dtype):
    true, proba = np.array([0, 1]), np.array([0, 1], dtype)
    assert math.isfinite(metrics.log_loss(true, proba))
    assert metrics.log_loss(1 - true, proba) == pytest.approx(-np.log(np.finfo(dtype).eps), rel=1e-3)
    rows = np.array([[0.25, 0.75], [0.625, 0.375], [1, 0]], dtype)
    assert metrics.log_loss([1, 1, 0], rows) == pytest.approx(sk.log_loss([1, 1, 0], rows), rel=1e-2)
    assert metrics.brier([1, 1, 0], rows) == pytest.approx(sk.brier_score_loss([1, 1, 0], rows), rel=1e-2)


def test_without_weight_there_is_no_value():
    for function in (metrics.log_loss, metrics.brier):
        assert math.isnan(function([0, 1], [0.25, 0.75], sample_weight=[0, 0]))


def test_calls_of_scikit_learn_s_own_tests():
    true = ["no", "no", "no", "yes", "yes", "yes"]
    proba = np.array([[0.5, 0.5], [0.1, 0.9], [0.01, 0.99], [0.9, 0.1], [0.75, 0.25], [0.001, 0.999]])
    assert metrics.log_loss(true, proba) == pytest.approx(1.8817971)
    proba = np.array([[0.2, 0.7, 0.1], [0.6, 0.2, 0.2], [0.6, 0.1, 0.3]])
    assert metrics.log_loss([1, 0, 2], proba) == pytest.approx(0.6904911)
    assert metrics.log_loss([1, 0, 2], proba, normalize=False) == pytest.approx(0.6904911 * 3)
    assert metrics.log_loss(["ham", "spam", "spam", "ham"], [[0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]) == (
        pytest.approx(0.7469410)
    )
    score = np.array([[0.1, 0.9], [0.1, 0.9]])
    assert metrics.log_loss([2, 2], score, labels=[1, 2]) == pytest.approx(-np.log(0.9))
    score = np.array([[0.7, 0.1, 0.2], [0.3, 0.4, 0.3]])
    expected = -(np.log(0.1) + np.log(0.3)) / 2
    assert metrics.log_loss([2, 3], score, labels=[1, 2, 3]) == pytest.approx(expected)
    true, proba = np.array([0, 1, 1, 0, 1, 1]), np.array([0.1, 0.8, 0.9, 0.3, 1.0, 0.95])
    expected = np.sum((proba - true) ** 2) / 6
    for labels in (true, 1.0 + true, 2 * true - 1):
        assert metrics.brier(labels, proba) == pytest.approx(expected)
    assert metrics.brier(true, true) == 0
    assert metrics.brier(true, proba, scale_by_half=False) == pytest.approx(2 * expected)
    assert metrics.brier([-1], [0.4]) == metrics.brier([0], [0.4]) == pytest.approx(0.16)
    assert metrics.brier([1], [0.4]) == pytest.approx(0.36)
    assert metrics.brier(["foo"], [0.4], pos_label="bar") == pytest.approx(0.16)
    assert metrics.brier(["foo"], [0.4], pos_label="foo") == pytest.approx(0.36)
    rows = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]]
    true = ["eggs", "spam", "ham"]
    assert metrics.brier(true, rows, labels=["eggs", "ham", "spam"]) == pytest.approx(
        sk.brier_score_loss(true, rows, labels=["eggs", "ham", "spam"])
    )
    assert metrics.brier([0], [[1.0, 0.0]], labels=[0, 1]) == 0
    assert metrics.brier(["ham", "eggs"], [[0.1, 0.9], [0.9, 0.1]], labels=["eggs", "ham"]) == pytest.approx(0.01)


def test_rows_that_do_not_add_up_are_a_warning():
    rows = [[0.2, 0.7], [0.6, 0.3]]
    for name, function in (("log_loss", sk.log_loss), ("brier", sk.brier_score_loss)):
        with pytest.warns(UserWarning, match="y_proba should add up to 1 in each row, got 0.8.* in row 0"):
            value = getattr(metrics, name)([1, 0], rows)
        assert value == pytest.approx(quiet(function, [1, 0], rows))


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "message"),
    [
        (([0, 1], [0.5]), {}, ValueError, "y_true and y_proba must have equally many samples, got 2 and 1"),
        (([], []), {}, ValueError, "y_true must have at least one sample"),
        (([0, 1], [0.5, 1.5]), {}, ValueError, "y_proba must be probabilities, between 0 and 1, got 1.5 in row 1"),
        (([0, 1], [0.5, -0.1]), {}, ValueError, "y_proba must be probabilities, between 0 and 1, got -0.1 in row 1"),
        (([0, 1], [0.5, math.nan]), {}, ValueError, r"y_proba\[1\] is nan: y_proba must be finite"),
        (([0, math.nan], [0.5, 0.5]), {}, ValueError, "y_true must be labels, got nan"),
        (([0, 0.5], [0.5, 0.5]), {}, ValueError, "y_true must be labels, got 0.5"),
        (([0, None], [0.5, 0.5]), {}, TypeError, "y_true must have labels of one sort"),
        (([0, 1], ["a", "b"]), {}, TypeError, "y_proba must be an array of real numbers"),
        (([0, 1, 2], [0.5, 0.5, 0.5]), {}, ValueError, r"\(n, 3\)"),
        (([0, 3], [[0.5, 0.25, 0.25]] * 2), {}, ValueError, r"y_true\[1\] is 3: class indices must be between 0 and 2"),
        ((["a", "b"], [[0.5, 0.25, 0.25]] * 2), {}, TypeError, "y_true must be integer class indices"),
        (([0, 1], [[0.5, 0.5]] * 2), {"labels": [0, 1, 2]}, ValueError, "labels must have a label for each of the 2"),
        (([0, 1], [[0.5, 0.5]] * 2), {"labels": [1, 0]}, ValueError, "labels must be in ascending order"),
        (([0, 1], [[0.5, 0.5]] * 2), {"labels": ["a", "b"]}, ValueError, "labels has strings, y_true numbers"),
        (([0, 2], [[0.5, 0.5]] * 2), {"labels": [0, 1]}, ValueError, r"y_true has 2, which is not in labels: \[0, 1\]"),
        (([[1, 1]], [[0.5, 0.5]]), {}, ValueError, "y_true must have a single 1 in each row"),
        (([[0, 2]], [[0.5, 0.5]]), {}, ValueError, "y_true must be labels of shape"),
        (([[0, 1]], [0.5]), {}, ValueError, r"y_true must have shape \(n,\) and y_proba \(n, classes\)"),
        (([0, 1], [0.5, 0.5]), {"sample_weight": [1]}, ValueError, r"sample_weight must have shape \(2,\)"),
    ],
)
def test_wrong_arguments_are_explained(arguments, settings, error, message):
    for function in (metrics.log_loss, metrics.brier):
        with pytest.raises(error, match=message):
            function(*arguments, **settings)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.log_loss([1, 1], [0.5, 0.5]), ValueError, r"two labels .*, got \[1\]: give both as labels="),
        (lambda: metrics.log_loss([1], [0.5], labels=[1, 2, 3]), ValueError, r"give y_proba of shape \(n, 3\)"),
        (lambda: metrics.log_loss([5], [0.5], labels=[1, 2]), ValueError, "y_true has labels that are not in labels"),
        (lambda: metrics.log_loss([0, 1], [0, 1], normalize=1), TypeError, "normalize must be True or False, got int"),
        (lambda: metrics.brier(["a", "b"], [0.5, 0.5]), ValueError, "pos_label must be given for labels that are stri"),
        (
            lambda: metrics.brier([0, 1], [0.5, 0.5], pos_label=2),
            ValueError,
            r"pos_label must be one of \[0, 1\]",
        ),
        (lambda: metrics.brier([0, 1], [0.5, 1], scale_by_half="no"), ValueError, "scale_by_half must be one of True"),
    ],
)
def test_wrong_options_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
