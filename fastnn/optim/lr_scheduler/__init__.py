"""Schedules of learning rates (and of momentum), with PyTorch's names, arguments, defaults and numbers.

A schedule is a function of the number of steps done, so a trainer computes a table of rates in advance for the compiled
loop: no Python runs between two batches. In your own loop, call `scheduler.step()` after each batch or epoch that it
counts, as in PyTorch:

>>> from fastnn import nn, optim
>>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
>>> scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
>>> for epoch in range(50):
...     # train on all batches
...     scheduler.step()
>>> optimizer.lr
0.0

Several schedulers of one optimizer, and rates set by hand, combine as in PyTorch: a step changes the current rate. So
ConstantLR and ExponentialLR multiply, and LinearLR continues from the rate that ReduceLROnPlateau set. As long as
nothing else sets the rate, it is computed by the closed form, without the rounding of many steps. LambdaLR,
CosineAnnealingWarmRestarts, CyclicLR and OneCycleLR set the rate regardless of the current one. A rate below 0, which
PyTorch's CosineAnnealingLR can reach when other schedulers change the rate, is an error.

Given to a trainer, `Trainer(net, loss, optimizer, scheduler)`, a scheduler is stepped according to its `by`: after each
"epoch" (the default of most) or each "batch" (that of OneCycleLR and CyclicLR).
"""

from .base import Scheduler
from .compose import ChainedScheduler, SequentialLR, WarmupLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cycles import CyclicLR, OneCycleLR
from .plateau import ReduceLROnPlateau
from .powers import ExponentialLR, MultiStepLR, StepLR
from .scaling import ConstantLR, LambdaLR, LinearLR, MultiplicativeLR, PolynomialLR
from .schedule import LRScheduler
from .swa import SWALR

__all__ = [
    "SWALR",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "Scheduler",
    "SequentialLR",
    "StepLR",
    "WarmupLR",
]


def __dir__() -> list[str]:
    return sorted(__all__)
