"""Metrics as objects: wrong ones, and those that do not fit the targets."""

import numpy as np
import pytest

from fastnn import metrics, nn
from test_metrics import N, inputs, trainer_for

pytestmark = pytest.mark.usefixtures("backend")


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ("f1", TypeError, "metrics must be a list of metrics, got 'f1'"),
        (["f2"], ValueError, r"metrics\[0\] must be one of 'accuracy', 'f1', .*, got 'f2'"),
        (["f1", metrics.F1()], ValueError, r"metrics\[1\]: there is a record named 'f1' already"),
        ([metrics.F1], TypeError, r"metrics\[0\] must be an object, not the class: write F1\(\)"),
        ([3], TypeError, r"metrics\[0\] must be a name, a metric of fastnn.metrics or a function, got int"),
    ],
)
def test_wrong_metrics_are_explained(chosen, error, message):
    with pytest.raises(error, match=message):
        trainer_for(nn.MSELoss(), 1, chosen)


def test_metrics_that_do_not_fit_the_targets_are_explained():
    _, x, _ = inputs()
    labels = np.arange(N) % 3
    with pytest.raises(ValueError, match="mae, mse, rmse and r2 need targets like the outputs, got class indices"):
        trainer_for(nn.CrossEntropyLoss(), 3, ["mae"]).fit(x, labels)
    with pytest.raises(ValueError, match="f1_binary: average='binary' is for two classes, there are 3"):
        trainer_for(nn.CrossEntropyLoss(), 3, [metrics.F1("binary")]).fit(x, labels)

    def loss(y_pred, y):
        return 0.0, np.zeros_like(y_pred)

    with pytest.raises(ValueError, match=r"metrics: y must be class indices or have shape \(61, 3\), like the outputs"):
        trainer_for(loss, 3, ["f1"]).fit(x, np.zeros((N, 2)))
