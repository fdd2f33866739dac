"""Optimizers, with PyTorch's names, arguments and defaults.

`optim.functional` has their updates as functions of arrays, `optim.lr_scheduler` schedules of their hyperparameters.
"""

from . import functional, lr_scheduler
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .asgd import ASGD
from .averages import SWA, ExponentialMovingAverage, WeightAverage
from .lbfgs import LBFGS
from .lion import Lion
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .schedulefreeadamw import ScheduleFreeAdamW
from .sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "SWA",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ExponentialMovingAverage",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "ScheduleFreeAdamW",
    "WeightAverage",
    "functional",
    "lr_scheduler",
]


def __dir__() -> list[str]:
    return sorted(__all__)
