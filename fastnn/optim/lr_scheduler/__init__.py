"""Schedules of learning rates (and of momentum), with PyTorch's names, arguments, defaults and numbers.

A schedule is a function of the number of steps done, which is why a trainer can compute a table of rates beforehand and
hand it to the compiled loop: no Python runs between two batches. In a loop of your own call `scheduler.step()` after
the batches or epochs that it counts, as in PyTorch:

    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
    for epoch in range(50):
        ...  # batches
        scheduler.step()

Several schedulers of one optimizer, and rates set by hand, go together as in PyTorch: a step changes the rate that is
there. So ConstantLR and ExponentialLR multiply, and LinearLR goes on from what ReduceLROnPlateau made of the rate. As
long as nothing else sets it, a schedule has its closed form, without the rounding of many steps. LambdaLR,
CosineAnnealingWarmRestarts, CyclicLR and OneCycleLR set the rate whatever it was. A rate below 0, which PyTorch's
CosineAnnealingLR can make of one that others change, is an error.

Given to a trainer, `Trainer(net, loss, optimizer, scheduler)`, it is stepped as its `by` says: after each "epoch" (the
default of most) or each "batch" (that of OneCycleLR and CyclicLR).
"""

from .base import LRScheduler, Scheduler
from .compose import ChainedScheduler, SequentialLR, WarmupLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cycles import CyclicLR, OneCycleLR
from .plateau import ReduceLROnPlateau
from .scaling import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

__all__ = [
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
