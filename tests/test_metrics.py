"""Metrics as functions: scikit-learn's numbers, on any labels, weights and ties."""

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

import fastnn
from fastnn import metrics, nn, optim

RATES = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
REGRESSION = {
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
}


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


def r2_by_columns(true, pred, weight, multioutput):
    """scikit-learn's, but for columns that are constant where weights are not 0: there its mean is off by rounding."""
    counted = np.ones(len(true), bool) if weight is None else weight != 0
    values = np.full(true.shape[1], np.nan)
    for j, (t, p) in enumerate(zip(true.T, pred.T, strict=True)):
        if len(t) >= 2 and counted.any():
            constant = np.ptp(t[counted]) == 0
            met = float(np.array_equal(t[counted], p[counted]))
            values[j] = met if constant else sk.r2_score(t, p, sample_weight=weight)
    return values if multioutput == "raw_values" else values.mean()


@given(cases(), st.sampled_from(list(REGRESSION)), st.sampled_from(["uniform_average", "raw_values"]))
def test_regression(case, name, multioutput):
    rng, n, k, weight = case
    true = rng.integers(-2, 2, (n, k)) if rng.random() < 0.5 else rng.standard_normal((n, k))
    pred = true if rng.random() < 0.2 else rng.integers(-2, 2, (n, k))
    settings = {"sample_weight": weight, "multioutput": multioutput}
    expected = quiet(REGRESSION[name], true, pred, **settings)
    if name == "r2":
        expected = r2_by_columns(true, pred, weight, multioutput)
    same(getattr(metrics, name)(true, pred, **settings), expected)
    if k == 1:
        same(getattr(metrics, name)(true[:, 0], pred[:, 0], **settings), expected)


def test_scores_stand_for_the_class_with_the_largest():
    score = np.array([[0.1, 0.9], [0.8, 0.2], [0.6, 0.4]])
    assert metrics.accuracy([1, 0, 1], score) == pytest.approx(2 / 3)
    assert metrics.confusion_matrix([1, 0, 1], score).tolist() == [[1, 0], [1, 1]]


def test_r2_far_from_zero():
    true = 1e9 + np.arange(5.0)
    assert metrics.r2(true, true + 0.5) == pytest.approx(1 - 0.25 / 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy([], []), ValueError, "y_true must have at least one sample"),
        (lambda: metrics.mse(3, 3), ValueError, "y_true must be an array with a row for each sample, got a scalar"),
        (lambda: metrics.f1([0, 1], [0]), ValueError, "y_true and y_pred must have equally many samples, got 2 and 1"),
        (lambda: metrics.f1([0, 1, 2], [0, 1, 2]), ValueError, "average must be 'micro', .* for 3 labels"),
        (lambda: metrics.f1([0, 2], [0, 2]), ValueError, r"pos_label must be one of \[0, 2\], got 1"),
        (lambda: metrics.f1([0], [0], average="mean"), ValueError, "average must be one of 'binary', 'micro'"),
        (lambda: metrics.f1([[0, 1]], [[0, 1]]), ValueError, "for more than one label a sample"),
        (lambda: metrics.f1([0.5], [0]), ValueError, "y_true must be integer or string labels, got 0.5"),
        (
            lambda: metrics.accuracy([0], [np.nan]),
            ValueError,
            "y_pred must be integer or string labels, got nan",
        ),
        (lambda: metrics.f1([[0, 2]], [[0, 1]], average="micro"), ValueError, "y_true must consist of 0 and 1"),
        (lambda: metrics.f1([0], [0], zero_division=2), ValueError, "zero_division must be at least 0.0 and at most 1"),
        (lambda: metrics.f1([0], [0], sample_weight=[1, 2]), ValueError, r"sample_weight must have shape \(1,\)"),
        (lambda: metrics.confusion_matrix([[0, 1]], [[0, 1]]), ValueError, "needs one label a sample"),
        (lambda: metrics.confusion_matrix([0], [0], labels=[7]), ValueError, "labels: at least one of them must occur"),
        (lambda: metrics.top_k_accuracy([3], [[0.0, 1]]), ValueError, r"y_true\[0\] is 3: class indices must be betwe"),
        (lambda: metrics.top_k_accuracy([0.0], [[0.0, 1]]), TypeError, "y_true must be integer class indices"),
        (lambda: metrics.top_k_accuracy([0], [0.0]), ValueError, r"y_score \(n, classes\)"),
        (lambda: metrics.top_k_accuracy([0], [[0.0, 1]], k=0), ValueError, "k must be at least 1, got 0"),
        (lambda: metrics.roc_auc([0, 1], [0.5, np.nan]), ValueError, r"y_score\[1\] is nan: y_score must be finite"),
        (lambda: metrics.roc_auc([0, 1, 2], [1, 2, 3]), ValueError, r"y_score must have shape \(n, 3\) for 3 classes"),
        (lambda: metrics.roc_auc([0, 1], [[1, 2, 3]] * 2), ValueError, "y_score must be probabilities"),
        (lambda: metrics.roc_auc([[0, 1]], [[0, 1, 0]]), ValueError, "must have fitting shapes"),
        (lambda: metrics.mae([1.0, np.inf], [1, 2]), ValueError, r"y_true\[1\] is inf: y_true must be finite"),
        (lambda: metrics.mae([1.0, 2], [[1, 2], [3, 4]]), ValueError, "y_true and y_pred must have one shape"),
        (lambda: metrics.mae(["a"], [1]), TypeError, "y_true must be an array of real numbers"),
        (lambda: metrics.mae([1], [1], multioutput="sum"), ValueError, "multioutput must be one of"),
    ],
)
def test_wrong_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("value", [0.1, 1e20, -3.0, 0.0])
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.0, 3.0]])
def test_r2_of_constant_targets_is_one_definition(value, weight):
    """1 if they are met, 0 otherwise: as a function, and as what a trainer counts."""
    for shape in ((4,), (4, 2)):
        true = np.full(shape, value)
        assert metrics.r2(true, true, sample_weight=weight) == 1
        assert metrics.r2(true, true + np.abs(true) + 1, sample_weight=weight) == 0
    net = nn.Sequential(nn.Linear(1, 1), dtype="float64", seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1), metrics=["r2"])
    assert trainer.evaluate(np.ones((4, 1)), np.full(4, value), sample_weight=weight, batch_size=3)["r2"] == 0


def test_a_row_of_weight_0_does_not_make_targets_vary():
    assert metrics.r2([5.0, 0.1, 0.1, 0.1], [5.0, 0.1, 0.1, 0.1], sample_weight=[0, 1, 1, 1]) == 1


def test_a_class_that_is_absent_has_no_say_in_a_weighted_area():
    score = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1], [0.4, 0.5, 0.1]])
    first_two = [metrics.roc_auc([1, 0, 1, 0], score[:, 0]), metrics.roc_auc([0, 1, 0, 1], score[:, 1])]
    assert metrics.roc_auc([0, 1, 0, 1], score, average="weighted") == pytest.approx(np.mean(first_two))
    assert math.isnan(metrics.roc_auc([0, 1, 0, 1], score))


@pytest.mark.parametrize(
    ("true", "pred", "error", "message"),
    [
        (["a", "b"], [0, 1], ValueError, "y_true has strings, y_pred numbers"),
        ([0, 1], ["a", "b"], ValueError, "y_pred has strings, y_true numbers"),
        ([0, 1], [0.0, np.inf], ValueError, "y_pred must be integer or string labels, got inf"),
        (np.array([0, "a"], object), [0, 1], TypeError, "y_true must have labels of one sort.*int, str"),
        ([0, None], [0, 1], TypeError, "y_true must have labels of one sort.*NoneType, int"),
        (np.array([1, 2], "datetime64[D]"), [0, 1], TypeError, "labels that are numbers or strings"),
    ],
)
def test_labels_that_cannot_match_are_refused(true, pred, error, message):
    for function in (metrics.accuracy, metrics.f1, metrics.precision, metrics.recall, metrics.confusion_matrix):
        with pytest.raises(error, match=message):
            function(true, pred)


def test_labels_may_be_words():
    words = np.array(["yes", "no", "yes"], object)
    assert metrics.accuracy(words, ["yes", "yes", "yes"]) == pytest.approx(2 / 3)
    assert metrics.confusion_matrix(words, words).tolist() == [[1, 0], [0, 2]]


@pytest.mark.parametrize("size", [1e-200, 1e-3, 1.0, 1e200])
def test_squares_out_of_range_do_no_harm(size):
    """Roots and ratios that a float64 holds, of errors whose squares it does not."""
    assert metrics.rmse([3 * size, 4 * size], [0, 0]) == pytest.approx(size * 12.5**0.5, rel=1e-15)
    true = np.array([[1.0, 5], [2, 5], [3, 5]]) * [size, 1]
    pred = np.array([[1.0, 5], [2, 5], [4, 5]]) * [size, 1]
    np.testing.assert_allclose(metrics.r2(true, pred, multioutput="raw_values"), [0.5, 1.0], rtol=1e-15)


def test_a_sample_without_weight_has_no_say_however_large_it_is():
    for large in (1e3, 1e200, 1e300):
        assert metrics.rmse([1, 2, large], [0, 0, 0], sample_weight=[1, 1, 0]) == pytest.approx(2.5**0.5, rel=1e-15)
        assert metrics.r2([1, 2, 3, large], [1, 2, 4, 0], sample_weight=[1, 1, 1, 0]) == pytest.approx(0.5, rel=1e-15)
        assert metrics.mae([1, 2, large], [0, 0, 0], sample_weight=[1, 1, 0]) == 1.5


def test_sums_out_of_range_do_no_harm():
    many = np.full(100, 1e154)
    assert metrics.mse(many, 0 * many) == pytest.approx(1e308, rel=1e-14)
    assert metrics.mse(many[:2], [0, 0], sample_weight=[1e10, 1e10]) == pytest.approx(1e308, rel=1e-14)
    assert metrics.mae(1e154 * many, 0 * many) == pytest.approx(1e308, rel=1e-14)
    assert metrics.r2([1.5e308, -1.5e308, 0], [1.5e308, -1.5e308, 0]) == 1
