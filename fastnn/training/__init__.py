"""Training: the trainer, its runs and their history, callbacks."""

from .callback import Callback
from .history import History
from .run import Run
from .trainer import Trainer

__all__ = ["Callback", "History", "Run", "Trainer"]
