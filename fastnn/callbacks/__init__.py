"""Callbacks for `Trainer.fit`. Their base is `fastnn.Callback`, which describes how to write one."""

from ..training.callback import Callback
from .pruning import OptunaPruning
from .records import CSVLogger, LearningRateMonitor, TensorBoard
from .saving import ModelCheckpoint
from .stopping import EarlyStopping, TerminateOnNaN, TimeLimit

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LearningRateMonitor",
    "ModelCheckpoint",
    "OptunaPruning",
    "TensorBoard",
    "TerminateOnNaN",
    "TimeLimit",
]


def __dir__() -> list[str]:
    return sorted(__all__)
