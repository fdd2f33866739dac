"""Fully connected networks on a CPU: trained and run from NumPy arrays, fast, with the same bits every time."""

from typing import TYPE_CHECKING, Any

from . import functional, nn, optim
from ._backend import get_backend, use_backend
from ._config import available_isas, get_isa, get_num_threads, set_isa, set_num_threads, show_config
from ._version import __version__
from .gradcheck import GradcheckError, gradcheck
from .program import Program
from .training import Callback, History, Trainer

if TYPE_CHECKING:
    from . import callbacks, data

__all__ = [
    "Callback",
    "GradcheckError",
    "History",
    "Program",
    "Trainer",
    "__version__",
    "available_isas",
    "callbacks",
    "data",
    "functional",
    "get_backend",
    "get_isa",
    "get_num_threads",
    "gradcheck",
    "nn",
    "optim",
    "set_isa",
    "set_num_threads",
    "show_config",
    "use_backend",
]


LAZY = ("callbacks", "data")


def __getattr__(name: str) -> Any:
    if name in LAZY:  # imported when they are used, to keep `import fastnn` short
        from importlib import import_module

        return import_module(f"fastnn.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
