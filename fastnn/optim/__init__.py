"""Optimizers, with PyTorch's names, arguments and defaults.

`optim.functional` has their updates as functions of arrays, `optim.lr_scheduler` schedules of their hyperparameters.
"""

from . import functional, lr_scheduler
from .adadelta import Adadelta
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .averages import SWA, ExponentialMovingAverage, WeightAverage
from .lbfgs import LBFGS
from .lion import Lion
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .running_statistics import update_bn
from .sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "SWA",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ExponentialMovingAverage",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "WeightAverage",
    "functional",
    "lr_scheduler",
    "update_bn",
]


def __dir__() -> list[str]:
    return sorted(__all__)
