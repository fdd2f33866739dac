"""What a trainer is made of, checked when it is set."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from .. import _validation as check
from .._frames import ShortErrors
from ..nn.loss import Loss
from ..nn.module import Module
from ..nn.python_loss import as_loss
from ..nn.sequential import Sequential
from ..optim import Optimizer, WeightAverage
from ..optim.lr_scheduler import Scheduler
from .engine import Engine
from .rates import check_scheduler

if TYPE_CHECKING:
    from ..metrics import Metric


class Setup(ShortErrors):
    """A network with a loss, an optimizer, a scheduler and metrics; base of the trainer, whose arguments these are.

    The engine has them; these are its attributes with the checks of a public class.
    """

    _internal: ClassVar[tuple[str, ...]] = ("claim", "engine", "release")

    def __init__(
        self,
        net: Sequential,
        loss: Any,
        optimizer: Optimizer,
        scheduler: Scheduler | None,
        metrics: Iterable[Any],
        l1: float,
        l2: float,
        average: WeightAverage | None,
        missing: str,
    ) -> None:
        if isinstance(net, Module):
            net = net.as_network()
        if not isinstance(net, Sequential):
            raise TypeError(f"net must be a Sequential, got {type(net).__name__}")
        checked = _metrics(metrics)
        self.engine = Engine(net, _loss(loss), _optimizer(optimizer, net), checked)
        self.scheduler = scheduler
        self.l1, self.l2, self.average = l1, l2, average
        if missing != "error":
            self.missing = missing

    @property
    def net(self) -> Sequential:
        """The network; another one takes a trainer, and an optimizer, of its own."""
        return self.engine.net

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that are recorded beside the loss; others can be set between two runs."""
        return self.engine.metrics

    @metrics.setter
    def metrics(self, metrics: Iterable[Any]) -> None:
        self.engine.change(metrics=_metrics(metrics))

    @property
    def loss(self) -> Loss:
        """The loss; another one can be set at any time."""
        return self.engine.loss

    @loss.setter
    def loss(self, loss: Any) -> None:
        self.engine.change(loss=_loss(loss))

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer; another one, made from the same network, can be set at any time."""
        return self.engine.optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Optimizer) -> None:
        optimizer = _optimizer(optimizer, self.net)
        if self.scheduler is not None and optimizer is not self.optimizer:
            raise ValueError("the scheduler is of the optimizer before: set trainer.scheduler = None first")
        self.engine.change(optimizer=optimizer)

    @property
    def scheduler(self) -> Scheduler | None:
        """The scheduler of the optimizer's rates; another one, or None, can be set at any time."""
        return self.engine.scheduler

    @scheduler.setter
    def scheduler(self, scheduler: Scheduler | None) -> None:
        self.engine.scheduler = check_scheduler(scheduler, self.optimizer)

    @property
    def average(self) -> WeightAverage | None:
        """The average of the weights that updates keep; another one, or None, can be set at any time."""
        return self.engine.average

    @average.setter
    def average(self, average: WeightAverage | None) -> None:
        if average is not None and not isinstance(average, WeightAverage):
            raise TypeError(f"average must be an average of fastnn.optim, got {type(average).__name__}")
        if average is not None and average.params is not self.net.parameters():
            raise ValueError("average must be made from this network: optim.SWA(net.parameters())")
        self.engine.change(average=average)

    @property
    def l1(self) -> float:
        """The factor of the penalty l1 |w| on all weights, 0 or more; it can be set at any time."""
        return self.engine.l1

    @l1.setter
    def l1(self, value: float) -> None:
        self.engine.change(l1=check.check_number("l1", value, at_least=0.0, below=math.inf))

    @property
    def l2(self) -> float:
        """The factor of the penalty l2 / 2 w^2 on all weights, 0 or more; it can be set at any time."""
        return self.engine.l2

    @l2.setter
    def l2(self, value: float) -> None:
        self.engine.change(l2=check.check_number("l2", value, at_least=0.0, below=math.inf))

    @property
    def missing(self) -> str:
        """What a target that is NaN is: "error", or "ignore"; it can be set at any time."""
        return "ignore" if self.engine.missing else "error"

    @missing.setter
    def missing(self, value: str) -> None:
        check.check_choice("missing", value, ("error", "ignore"))
        self.engine.change(missing=value == "ignore")

    def penalty(self) -> float:
        """The value of all penalties, those of the layers too: l1 sum |w| + l2 / 2 sum w^2. No loss includes it."""
        return self.net.parameters().penalty(self.l1, self.l2)


def _optimizer(optimizer: Any, net: Sequential) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an optimizer of fastnn.optim, got {type(optimizer).__name__}")
    params = net.parameters()
    if optimizer.params is not params and optimizer.params.root() is not params:  # a part shares the flat buffers
        raise ValueError("optimizer must be made from this network: optim.Adam(net.parameters())")
    return optimizer


def _loss(loss: Any) -> Loss:
    loss = as_loss(loss)
    if loss.reduction == "none":
        raise ValueError('loss: reduction must be "mean" or "sum" to train, got "none"')
    return loss


def _metrics(metrics: Iterable[Any]) -> tuple[Metric, ...]:
    if metrics == ():
        return ()
    from ..metrics.metric import as_metrics  # not needed, so not loaded, unless there are some

    return tuple(as_metrics(metrics))
