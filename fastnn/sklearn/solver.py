"""What trains an estimator by batches: a trainer, with the rules by which scikit-learn changes the rate and stops."""

from __future__ import annotations

from typing import Any

from .. import nn
from ..nn.loss import Loss
from ..training import Trainer
from .building import make_average, make_optimizer

SMALLEST_RATE = 1e-6  # below it an adaptive rate ends the training


class Solver:
    """A trainer for the network of an estimator, and the learning rate as its parameters say.

    Attributes
    ----------
    trainer : Trainer
    decays : bool
        Whether the L2 term is the weight decay of the optimizer.
    schedule : {"constant", "invscaling", "adaptive"}
        Of solver="sgd".
    """

    def __init__(self, estimator: Any, net: nn.Sequential, loss: Loss) -> None:
        optimizer = make_optimizer(estimator, net)
        self.trainer = Trainer(net, loss, optimizer, average=make_average(estimator, net))
        self.decays = estimator.optimizer is None
        self.schedule = estimator.learning_rate if estimator.solver == "sgd" and self.decays else "constant"
        self.learning_rate_init, self.power_t = float(estimator.learning_rate_init), float(estimator.power_t)

    @property
    def learning_rate(self) -> float:
        """The rate of the next update."""
        return self.trainer.optimizer.lr

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.trainer.optimizer.lr = value

    @property
    def steady(self) -> bool:
        """Whether the end of an epoch changes nothing."""
        return self.schedule != "invscaling" and self.trainer.scheduler is None

    def iteration_ends(self, time_step: int) -> None:
        """Set the rate after so many samples."""
        if self.schedule == "invscaling":
            self.learning_rate = self.learning_rate_init / (time_step + 1) ** self.power_t

    def trigger_stopping(self, message: str, verbose: Any) -> bool:
        """Whether to stop now that there is no progress; an adaptive rate is divided by 5 first."""
        if self.schedule != "adaptive":
            stops, text = True, " Stopping."
        elif self.learning_rate <= SMALLEST_RATE:
            stops, text = True, " Learning rate too small. Stopping."
        else:
            self.learning_rate /= 5.0
            stops, text = False, f" Setting learning rate to {self.learning_rate:f}"
        if verbose:
            print(message + text)
        return stops
