"""Training: the trainer, its history and its progress bar."""

from .history import History
from .trainer import Trainer

__all__ = ["History", "Trainer"]
