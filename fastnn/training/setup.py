"""What a trainer is made of, checked when it is set, and the programs of just that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .._frames import ShortErrors
from .._locks import MAKING
from ..nn.loss import Loss
from ..nn.python_loss import as_loss
from ..nn.sequential import Sequential
from ..nn.variables import Regularizer
from ..optim import Optimizer, WeightAverage
from ..optim.lr_scheduler import Scheduler
from .programs import Programs
from .rates import check_scheduler

if TYPE_CHECKING:
    from ..metrics import Metric


class Setup(ShortErrors):
    """A network with a loss, an optimizer, a scheduler and metrics; base of the trainer, whose arguments these are."""

    l1 = Regularizer(0.0)
    l2 = Regularizer(0.0)

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
    ) -> None:
        if not isinstance(net, Sequential):
            raise TypeError(f"net must be a Sequential, got {type(net).__name__}")
        self._net = net
        self._step: Callable[[Any, Any], float | None] | None = None  # the compiled short cut for plain arrays
        self.metrics = _metrics(metrics)
        self._loss, self._optimizer = _loss(loss), self._checked(optimizer)
        self.scheduler = scheduler
        self._average: WeightAverage | None = None
        self.l1, self.l2, self.average = l1, l2, average

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_step": None}

    @property
    def net(self) -> Sequential:
        """The network; another one takes a trainer, and an optimizer, of its own."""
        return self._net

    @property
    def loss(self) -> Loss:
        """The loss; another one can be set at any time."""
        return self._loss

    @loss.setter
    def loss(self, loss: Any) -> None:
        self._loss = _loss(loss)
        self._forget_programs()

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer; another one, made from the same network, can be set at any time."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Optimizer) -> None:
        optimizer = self._checked(optimizer)
        if self.scheduler is not None and optimizer is not self._optimizer:
            raise ValueError("the scheduler is of the optimizer before: set trainer.scheduler = None first")
        self._optimizer = optimizer
        self._forget_programs()

    @property
    def scheduler(self) -> Scheduler | None:
        """The scheduler of the optimizer's rates; another one, or None, can be set at any time."""
        return self._scheduler

    @scheduler.setter
    def scheduler(self, scheduler: Scheduler | None) -> None:
        self._scheduler = check_scheduler(scheduler, self._optimizer)

    @property
    def average(self) -> WeightAverage | None:
        """The average of the weights that updates keep; another one, or None, can be set at any time."""
        return self._average

    @average.setter
    def average(self, average: WeightAverage | None) -> None:
        if average is not None and not isinstance(average, WeightAverage):
            raise TypeError(f"average must be an average of fastnn.optim, got {type(average).__name__}")
        if average is not None and average.params is not self.net.parameters():
            raise ValueError("average must be made from this network: optim.SWA(net.parameters())")
        self._average = average
        self._forget_programs()

    def penalty(self) -> float:
        """The value of all penalties, those of the layers too: l1 sum |w| + l2 / 2 sum w^2. No loss includes it."""
        return self.net.parameters().penalty(self.l1, self.l2)

    def _settle(self) -> None:
        """Nothing: penalties are read when a program is made."""

    def _checked(self, optimizer: Any) -> Optimizer:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer must be an optimizer of fastnn.optim, got {type(optimizer).__name__}")
        if optimizer.params is not self.net.parameters():
            raise ValueError("optimizer must be made from this network: optim.Adam(net.parameters())")
        return optimizer

    def _forget_programs(self) -> None:
        update: dict[str, Any] = {"l1": self.l1, "l2": self.l2, "average": self._average}
        with MAKING:
            self._programs = Programs(self.net, self._loss, self._optimizer, self.metrics, **update)
            self._step = None

    def _check_current(self, training: bool = True) -> None:
        """See to it that programs are of the network as it is now, whose parameters are not averages in training."""
        if self._programs.version != (self.net._version, self._loss.version):
            self._forget_programs()
        if self.optimizer.params.moved:
            raise RuntimeError("the network went into another one: make an optimizer and a trainer for that")
        if self._average is not None and training:
            self._average.check_not_applied()


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
