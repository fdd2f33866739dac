"""Optimizers, with PyTorch's names, arguments and defaults.

`optim.functional` has their updates as functions of arrays.
"""

from . import functional
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "functional"]
