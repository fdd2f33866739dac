"""Record how scikit-learn's MLPClassifier and MLPRegressor train, for tests/sklearn/test_recorded.py.

Run with scikit-learn 1.9: python tests/recorded/make_sklearn_trajectories.py
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.sklearn_runs import RUNS, data_of  # noqa: E402

if __name__ == "__main__":
    arrays = {"version": np.array(sklearn.__version__)}
    for name, (kind, params, weighted) in RUNS.items():
        x, y, weight = data_of(kind, weighted)
        model = (MLPRegressor if kind in ("numbers", "counts") else MLPClassifier)(**params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(x, y, sample_weight=weight)
        for i, (coef, intercept) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
            arrays[f"{name}.coef.{i}"], arrays[f"{name}.intercept.{i}"] = coef, intercept
        arrays[f"{name}.loss"] = np.array(getattr(model, "loss_curve_", [model.loss_]))
        if getattr(model, "validation_scores_", None) is not None:
            arrays[f"{name}.scores"] = np.array(model.validation_scores_)
    np.savez_compressed(HERE / "sklearn_trajectories.npz", **arrays)
