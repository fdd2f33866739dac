"""Metrics of numbers: scikit-learn's, also out of the range of squares and sums."""

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

import fastnn
from fastnn import metrics, nn, optim
from metrics.test_classification import cases, quiet, same

REGRESSION = {
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
}


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


def test_r2_far_from_zero():
    true = 1e9 + np.arange(5.0)
    assert metrics.r2(true, true + 0.5) == pytest.approx(1 - 0.25 / 2)


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
