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


@given(cases(classes=(2, 4)), st.sampled_from(list(REGRESSION)))
def test_weights_of_outputs(case, name):
    rng, n, k, weight = case
    true, pred, shares = rng.standard_normal((n, k)), rng.standard_normal((n, k)), rng.random(k) + 0.1
    settings = {"sample_weight": weight, "multioutput": shares}
    expected = quiet(REGRESSION[name], true, pred, **settings)
    if name == "r2":
        expected = np.average(r2_by_columns(true, pred, weight, "raw_values"), weights=shares)
    same(getattr(metrics, name)(true, pred, **settings), float(expected))
    same(getattr(metrics, name)(true, pred, **settings | {"multioutput": list(shares)}), float(expected))


@given(cases(classes=(1, 4)), st.sampled_from(["uniform_average", "raw_values", "variance_weighted"]), st.booleans())
def test_explained_variance(case, multioutput, finite):
    rng, n, k, weight = case
    true, pred = rng.integers(-2, 3, (2, n, k)) / 4  # means are rounded, so constant errors may not be 0
    kept = slice(None) if weight is None else weight > 0
    settings = {"sample_weight": None if weight is None else weight[kept], "force_finite": finite}
    true[:, 0] = pred[:, 0] + 0.25 if rng.random() < 0.3 else true[:, 0]
    constant = (np.ptp(true[kept], 0) == 0) | (np.ptp(true[kept] - pred[kept], 0) == 0)
    if not constant.any():
        expected = quiet(sk.explained_variance_score, true[kept], pred[kept], multioutput=multioutput, **settings)
        value = metrics.explained_variance(
            true, pred, sample_weight=weight, force_finite=finite, multioutput=multioutput
        )
        same(value, expected)
    each = metrics.explained_variance(true, pred, sample_weight=weight, multioutput="raw_values")
    exact = np.ptp(true[kept] - pred[kept], 0) == 0
    assert (each[exact] == 1).all()
    assert (each[constant & ~exact] == 0).all()


@given(cases(classes=(2, 4), rows=(2, 30)))
def test_r2_weighted_by_variances(case):
    rng, n, k, weight = case
    true, pred = rng.standard_normal((2, n, k)) * rng.choice([1e-3, 1.0, 1e3], k)
    if weight is None or (weight > 0).sum() > 1:
        settings = {"sample_weight": weight, "multioutput": "variance_weighted"}
        expected = sk.r2_score(true, pred, **settings)
        np.testing.assert_allclose(metrics.r2(true, pred, **settings), expected, rtol=1e-9)


def test_constant_targets_by_the_formula():
    for function in (metrics.r2, metrics.explained_variance):
        assert function([5.0, 5], [5.0, 4], force_finite=False) == -np.inf
        assert np.isnan(function([5.0, 5], [5.0, 5], force_finite=False))
        assert function([5.0, 5], [5.0, 4], multioutput="variance_weighted") == 0
        assert np.isnan(function([1.0, 2], [1.0, 2], sample_weight=[0, 0]))


@pytest.mark.parametrize("size", [1e-250, 1e-3, 1.0, 1e250])
def test_explained_variance_out_of_the_range_of_squares(size):
    true = np.array([[1.0, 5], [2, 5], [3, 5], [4, 5]]) * [size, 1]
    pred = np.array([[2.0, 5], [2, 5], [2, 5], [4, 5]]) * [size, 1]
    settings = {"multioutput": "raw_values"}
    np.testing.assert_allclose(metrics.explained_variance(true, pred, **settings), [0.6, 1.0], rtol=1e-15)
    for function in (metrics.r2, metrics.explained_variance):
        true[0, 1] = 6
        value = function(true, pred, multioutput="variance_weighted")
        if abs(np.log10(size)) > 100:  # one variance is as good as nothing beside the other
            assert value == pytest.approx(function(true, pred, **settings)[int(size < 1)], rel=1e-12)


@pytest.mark.parametrize(
    "multioutput", [[0.5], [0.5, -1], [0, 0], [0.5, np.nan], [[0.5, 0.5]], "variance_weighted", None]
)
def test_wrong_weights_of_outputs_are_explained(multioutput):
    for name in ("mse", "rmse", "mae"):
        with pytest.raises(ValueError, match=r"^multioutput must "):
            getattr(metrics, name)([[1.0, 2]], [[1.0, 2]], multioutput=multioutput)
