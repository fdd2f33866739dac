"""What metrics take as predictions and targets."""

import numpy as np
import pytest

from fastnn import metrics


def test_scores_stand_for_the_class_with_the_largest():
    score = np.array([[0.1, 0.9], [0.8, 0.2], [0.6, 0.4]])
    assert metrics.accuracy([1, 0, 1], score) == pytest.approx(2 / 3)
    assert metrics.confusion_matrix([1, 0, 1], score).tolist() == [[1, 0], [1, 1]]


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
        (lambda: metrics.f1([0.5], [0]), ValueError, "y_true must be labels, got 0.5"),
        (lambda: metrics.accuracy([0], [np.nan]), ValueError, "y_pred must be labels, got nan"),
        (lambda: metrics.f1([[0, 2]], [[0, 1]], average="micro"), ValueError, "y_true must consist of 0 and 1"),
        (lambda: metrics.f1([0], [0], zero_division=2), ValueError, "zero_division must be at least 0.0 and at most 1"),
        (lambda: metrics.f1([0], [0], sample_weight=[1, 2]), ValueError, r"sample_weight must have shape \(1,\)"),
        (lambda: metrics.confusion_matrix([[0, 1]], [[0, 1]]), ValueError, "of one label a sample"),
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


@pytest.mark.parametrize(
    ("true", "pred", "error", "message"),
    [
        (["a", "b"], [0, 1], ValueError, "y_true has strings, y_pred numbers"),
        ([0, 1], ["a", "b"], ValueError, "y_pred has strings, y_true numbers"),
        ([0, 1], [0.0, np.inf], ValueError, "y_pred must be labels, got inf"),
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
