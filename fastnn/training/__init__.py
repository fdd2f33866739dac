"""Training: the trainer, its runs and their history, callbacks."""

from .callback import Callback
from .history import History
from .lr_finder import LRFinder, lr_finder
from .run import Run
from .trainer import Trainer

__all__ = ["Callback", "History", "LRFinder", "Run", "Trainer", "lr_finder"]
