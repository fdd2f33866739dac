"""Ensembles: what the networks say together, in one file, and as estimators."""

import numpy as np
import pytest

import fastnn
from fastnn import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(11, 4)).astype("float32")


def nets(outputs, n=5, dtype="float32"):
    return [nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, outputs), seed=i, dtype=dtype) for i in range(n)]


def test_predictions_are_those_of_numpy_over_the_networks(dtype):
    x = X.astype(dtype)
    ensemble = fastnn.Ensemble(nets(3, dtype=dtype))
    each = np.stack([net.predict(x) for net in ensemble]).astype(np.float64)
    np.testing.assert_array_equal(ensemble.predict(x, "all"), each)
    tolerance = {"rtol": 1e-6 if dtype == "float32" else 1e-14, "atol": 1e-7 if dtype == "float32" else 1e-15}
    np.testing.assert_allclose(ensemble.predict(x), each.mean(0), **tolerance)
    np.testing.assert_allclose(ensemble.predict_std(x), each.std(0), **tolerance)
    np.testing.assert_allclose(ensemble.predict_quantiles(x, [0.1, 0.5]), np.quantile(each, [0.1, 0.5], 0), **tolerance)
    p = np.exp(each) / np.exp(each).sum(2, keepdims=True)
    np.testing.assert_allclose(ensemble.predict_proba(x), p.mean(0), **tolerance)
    assert ensemble.predict(x).dtype == ensemble.predict_std(x).dtype == dtype
    votes = [np.bincount(column, minlength=3).argmax() for column in each.argmax(2).T]
    np.testing.assert_array_equal(ensemble.predict(x, "vote"), votes)


def test_one_output_is_of_two_classes():
    ensemble = fastnn.Ensemble(nets(1, 4))
    each = ensemble.predict(X, "all")[:, :, 0].astype(np.float64)
    np.testing.assert_array_equal(ensemble.predict(X, "vote"), (each > 0).sum(0) > 2)  # 2 of 4 is a tie: the smaller
    p = (1 / (1 + np.exp(-each))).mean(0)
    np.testing.assert_allclose(ensemble.predict_proba(X), np.stack([1 - p, p], 1), rtol=1e-6)


def test_a_file_has_all_networks(tmp_path):
    ensemble = fastnn.Ensemble(nets(2))
    ensemble.save(tmp_path / "ensemble")
    again = fastnn.Ensemble.load(tmp_path / "ensemble")
    assert len(again) == 5
    np.testing.assert_array_equal(again.predict(X, "all"), ensemble.predict(X, "all"))
    data = (tmp_path / "ensemble").read_bytes()
    for broken in (data[:-3], data[:50], b"", data.replace(b"ensemble", b"checkpnt")):
        with pytest.raises(fastnn.FileFormatError):
            fastnn.Ensemble.load(broken)
    nets(1)[0].save(tmp_path / "net")
    with pytest.raises(fastnn.FileFormatError, match="model"):
        fastnn.Ensemble.load(tmp_path / "net")


def test_networks_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="nets must have one network or more"):
        fastnn.Ensemble([])
    with pytest.raises(TypeError, match=r"nets\[1\] must be a Sequential, got int"):
        fastnn.Ensemble([nets(1)[0], 3])
    with pytest.raises(ValueError, match=r"nets\[1\] has 4 inputs and 2 outputs, nets\[0\] \(4, 1\)"):
        fastnn.Ensemble([nets(1)[0], nets(2)[0]])
    with pytest.raises(ValueError, match="how must be one of"):
        fastnn.Ensemble(nets(1)).predict(X, "median")
    with pytest.raises(ValueError, match=r"quantiles must be in \[0, 1\], got \[1.5\]"):
        fastnn.Ensemble(nets(1)).predict_quantiles(X, [1.5])


def test_estimators_predict_the_same():
    pytest.importorskip("sklearn", minversion="1.9")
    from sklearn.base import clone
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.utils.validation import check_is_fitted

    classes = np.array(["a", "b", "c"])
    model = fastnn.Ensemble(nets(3)).to_sklearn(classes)
    check_is_fitted(model)
    np.testing.assert_array_equal(model.predict(X), classes[model.ensemble.predict_proba(X).argmax(1)])
    y = classes[RNG.integers(0, 3, 11)]
    assert model.score(X, y) == accuracy_score(y, model.predict(X))
    assert make_pipeline(FunctionTransformer(), model).fit(X, y).score(X, y) == model.score(X, y)
    assert clone(model).classes.tolist() == classes.tolist()
    with pytest.raises(ValueError, match="classes must be one for each of 3 columns, got 2"):
        fastnn.Ensemble(nets(3)).to_sklearn(["a", "b"]).predict(X)
    regressor, y = fastnn.Ensemble(nets(1)).to_sklearn(), RNG.normal(size=11)
    assert regressor.score(X, y) == r2_score(y, regressor.predict(X)) and regressor.predict(X).shape == (11,)
