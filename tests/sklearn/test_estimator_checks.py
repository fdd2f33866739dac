"""scikit-learn's checks of estimators, whole, for several settings; none is expected to fail."""

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnn.sklearn import MLPClassifier, MLPRegressor

QUICK = {"max_iter": 100}
SETTINGS = [
    MLPClassifier(),
    MLPRegressor(),
    MLPClassifier(solver="lbfgs", **QUICK),
    MLPRegressor(solver="lbfgs", **QUICK),
    MLPClassifier(solver="sgd", learning_rate="adaptive", learning_rate_init=0.05, **QUICK),
    MLPClassifier(hidden_layer_sizes=(20, 20), activation=["silu", "tanh"], **QUICK),
    MLPRegressor(activation="gelu", norm="layer", **QUICK),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(SETTINGS)
def test_check_estimator(estimator, check):
    check(estimator)
