"""Metrics of absolute errors and quantiles: scikit-learn's numbers, on any weights and outputs."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from fastnn import metrics
from metrics.test_classification import cases, quiet, same

WITH_ALPHA = {"pinball_loss": sk.mean_pinball_loss, "d2_pinball": sk.d2_pinball_score}
WITHOUT = {"median_absolute_error": sk.median_absolute_error, "d2_absolute_error": sk.d2_absolute_error_score}
NAMES = (*WITH_ALPHA, *WITHOUT, "max_error")


def numbers(rng, n, k):
    true = rng.integers(-2, 2, (n, k)) if rng.random() < 0.5 else rng.standard_normal((n, k))
    return true, true if rng.random() < 0.2 else rng.integers(-2, 2, (n, k))


def averages(rng, k):
    return "uniform_average", "raw_values", *([rng.random(k)] if k > 1 else [])


@given(cases(), st.sampled_from(list(WITH_ALPHA)), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]))
def test_losses_of_quantiles(case, name, alpha):
    rng, n, k, weight = case
    true, pred = numbers(rng, n, k)
    for multioutput in averages(rng, k):
        settings = {"sample_weight": weight, "alpha": alpha, "multioutput": multioutput}
        expected = quiet(WITH_ALPHA[name], true, pred, **settings)
        if n > 1:
            same(getattr(metrics, name)(true, pred, **settings), expected)
            if k == 1:
                same(getattr(metrics, name)(true[:, 0], pred[:, 0], **settings), expected)


@given(cases(), st.sampled_from(list(WITHOUT)))
def test_medians(case, name):
    rng, n, k, weight = case
    true, pred = numbers(rng, n, k)
    for multioutput in averages(rng, k):
        settings = {"sample_weight": weight, "multioutput": multioutput}
        if n > 1 or name == "median_absolute_error":
            same(getattr(metrics, name)(true, pred, **settings), quiet(WITHOUT[name], true, pred, **settings))


@given(cases())
def test_largest_errors(case):
    rng, n, k, weight = case
    true, pred = numbers(rng, n, k)
    kept = slice(None) if weight is None else weight > 0
    each = [float(sk.max_error(true[kept, j], pred[kept, j])) for j in range(k)]
    same(metrics.max_error(true, pred, sample_weight=weight), float(np.mean(each)))
    same(metrics.max_error(true, pred, sample_weight=weight, multioutput="raw_values"), each)


def test_single_samples_and_no_weight_have_no_value():
    for name in ("d2_pinball", "d2_absolute_error"):
        assert math.isnan(getattr(metrics, name)([1.0], [2.0]))
        assert np.isnan(getattr(metrics, name)([[1.0, 2]], [[2.0, 3]], multioutput="raw_values")).all()
    for name in NAMES:
        assert math.isnan(getattr(metrics, name)([1.0, 2], [2.0, 1], sample_weight=[0, 0]))


def test_a_sample_without_weight_has_no_say_however_large_it_is():
    weight = [1, 1, 1, 0]
    for name in NAMES:
        function = getattr(metrics, name)
        expected = function([1.0, 2, 4], [1.0, 3, 1])
        assert function([1.0, 2, 4, 1e300], [1.0, 3, 1, -1e300], sample_weight=weight) == expected


def test_numbers_out_of_the_range_of_sums_do_no_harm():
    large = np.array([1.5e308, 1.5e308, 1.2e308, 1.2e308])
    assert metrics.median_absolute_error(large, 0 * large) == pytest.approx(1.35e308)
    assert metrics.pinball_loss(large, 0 * large) == pytest.approx(6.75e307)
    assert metrics.d2_absolute_error(large, large) == 1


def test_calls_of_scikit_learn_s_own_tests():
    true, pred = np.arange(50), np.arange(50) + 1
    assert metrics.median_absolute_error(true, pred) == metrics.max_error(true, pred) == 1
    assert metrics.pinball_loss(true, pred) == 0.5
    assert metrics.pinball_loss(true, pred, alpha=0.4) == pytest.approx(0.6)
    error = np.abs(true - np.median(true)).sum()
    assert metrics.d2_absolute_error(true, pred) == pytest.approx(1 - 50 / error)
    true = [[1, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 1]]
    pred = [[0, 0, 0, 1], [1, 0, 1, 1], [0, 0, 0, 1]]
    assert metrics.pinball_loss(true, pred) == pytest.approx((1 + 2 / 3) / 8)
    assert metrics.median_absolute_error([[1, 2], [2.5, -1], [4.5, 3], [5, 7]], [[1, 1], [2, -1], [5, 4], [5, 6.5]],
                                         multioutput="raw_values").tolist() == [0.25, 0.75]  # fmt: skip
    assert metrics.d2_pinball([5.0, 5.0], [5.0, 5.0]) == 1
    assert metrics.d2_pinball([5.0, 5.0], [5.0, 5.1]) == 0
    assert metrics.max_error([0.0], [0.0]) == 0
    assert metrics.max_error([-1.0], [1.0]) == 2


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_wrong_quantiles_are_explained(alpha):
    for name in WITH_ALPHA:
        with pytest.raises(ValueError, match="alpha must be at least"):
            getattr(metrics, name)([1.0, 2], [1.0, 2], alpha=alpha)


def test_other_wrong_arguments_are_explained():
    for name in NAMES:
        function = getattr(metrics, name)
        with pytest.raises(ValueError, match=r"y_pred\[1\] is nan: y_pred must be finite"):
            function([1.0, 2], [1.0, math.nan])
        with pytest.raises(ValueError, match="y_true and y_pred must have one shape"):
            function([1.0, 2], [[1.0, 2], [3, 4]])
        with pytest.raises(ValueError, match="multioutput must be one of 'uniform_average', 'raw_values', got 'var"):
            function([1.0, 2], [1.0, 2], multioutput="variance_weighted")
        with pytest.raises(ValueError, match=r"multioutput must have shape \(1,\)"):
            function([1.0, 2], [1.0, 2], multioutput=[0.5, 0.5])
        with pytest.raises(TypeError, match="y_true must be an array of real numbers"):
            function(["a"], [1.0])
