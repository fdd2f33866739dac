"""The loss and the optimizer of a trainer can be replaced."""

import numpy as np
import pytest

from fastnn import nn, optim
from test_robustness import bits, data, make


def test_another_loss_or_optimizer_counts_at_once():
    x, y = data()
    trainer = make()
    trainer.step(x, y)
    trainer.optimizer = optim.SGD(trainer.net.parameters(), lr=0.0)
    before = bits(trainer)
    trainer.step(x, y)
    assert bits(trainer) == before
    trainer.loss = lambda y_pred, target: (7.0, np.zeros_like(y_pred))
    assert trainer.step(x, y) == 7.0
    with pytest.raises(ValueError, match="none"):
        trainer.loss = nn.MSELoss(reduction="none")
