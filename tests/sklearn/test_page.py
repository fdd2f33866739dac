"""Each keyword in the table of docs/coming_from_sklearn.md is one of the estimators, and has its effect."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from fastnn.sklearn import MLPClassifier, MLPRegressor

TEXT = (Path(__file__).parents[2] / "docs" / "coming_from_sklearn.md").read_text()
ROWS = re.findall(r"^\| (`.*?) \| ", TEXT.split("## What scikit-learn refuses")[1].split("\n## ")[0], flags=re.M)
NAMES = {name for row in ROWS for name in re.findall(r"`(\w+)`", row)} - {"predict_quantiles"}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.8).astype(int)
STOPPING = {"early_stopping": True, "validation_fraction": 0.3}
# For each keyword: its value, and the others that it needs.
SETTINGS = {
    "activation": ("gelu", {}), "norm": ("layer", {}), "dropout": (0.3, {}), "input_dropout": (0.3, {}),
    "residual": (True, {}), "optimizer": ("adamw", {}), "scheduler": ("one_cycle", {}), "loss": ("focal", {}),
    "l1": (0.1, {}), "max_norm": (0.1, {}), "clip_norm": (1e-6, {"optimizer": "sgd"}),
    "clip_value": (1e-6, {"optimizer": "sgd"}), "mixup": (0.4, {}), "label_smoothing": (0.2, {}),
    "class_weight": ({0: 1.0, 1: 9.0}, {}), "averaging": ("ema", {}), "n_estimators": (2, {}),
    "calibrate": (True, STOPPING),
}  # fmt: skip
# Those that choose what is kept or watched: that they are parameters is tested here, the rest in test_keywords.py.
CHOICES = {"validation_data", "scoring", "restore_best", "keep_optimizer"}


def probabilities(**keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few epochs
        model = MLPClassifier((8, 8), max_iter=5, random_state=0, **keywords)
        return model.fit(X, Y).predict_proba(X)


def test_all_rows_are_known():
    assert SETTINGS.keys() | CHOICES == NAMES


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_keyword_changes_the_model(name):
    value, more = SETTINGS[name]
    assert np.abs(probabilities(**{name: value}, **more) - probabilities(**more)).max() > 1e-6


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_a_choice_is_a_parameter(name):
    assert name in MLPClassifier().get_params()


def test_quantiles_of_the_regressor():
    assert callable(MLPRegressor.predict_quantiles)
