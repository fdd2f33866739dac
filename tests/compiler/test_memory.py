"""The workspace of a program is read-only for losses in Python."""

import pytest

import fastnn
from test_robustness import data, make


def test_python_code_cannot_write_into_the_workspace():
    x, y = data()
    trainer = make()

    def loss(y_pred, target):
        y_pred -= 1
        return 0.0, y_pred

    with pytest.raises(ValueError, match="read-only"):
        fastnn.Trainer(trainer.net, loss, trainer.optimizer).step(x, y)
