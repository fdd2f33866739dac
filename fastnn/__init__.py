"""Fully connected networks on a CPU: trained and run from NumPy arrays, fast, with the same bits every time."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("fastnn._core.dispatch") is None:
    raise ImportError(
        f"{__path__[0]} is the source of fastnn, where nothing is compiled: start Python in another folder to import "
        "the installed package (or with -P), or build here with `pip install -e .` (on PyPI it is named fastnn-core; "
        "fastnn there is another project)"
    )

from ._settings import (
    available_isas,
    get_backend,
    get_isa,
    get_num_threads,
    set_isa,
    set_num_threads,
    show_config,
    use_backend,
)
from ._version import __version__
from .gradcheck import GradcheckError, gradcheck

if TYPE_CHECKING:
    from . import callbacks, data, functional, metrics, nn, optim
    from .c_source.export import export_c
    from .compiler.program import Program
    from .files import FileFormatError
    from .functional.concat import concat
    from .many.ensemble import Ensemble
    from .many.fleet import Fleet, fit_many
    from .many.sweep import Sweep, sweep
    from .nn.loading import load
    from .nn.saving import register_layer
    from .training import Callback, History, Trainer
    from .training.lr_finder import LRFinder, lr_finder

__all__ = [
    "Callback",
    "Ensemble",
    "FileFormatError",
    "Fleet",
    "GradcheckError",
    "History",
    "LRFinder",
    "Program",
    "Sweep",
    "Trainer",
    "__version__",
    "available_isas",
    "callbacks",
    "concat",
    "data",
    "export_c",
    "fit_many",
    "functional",
    "get_backend",
    "get_isa",
    "get_num_threads",
    "gradcheck",
    "load",
    "lr_finder",
    "metrics",
    "nn",
    "optim",
    "register_layer",
    "set_isa",
    "set_num_threads",
    "show_config",
    "sweep",
    "use_backend",
]


# Imported when they are used, to keep `import fastnn` short; by name, the module they are in.
LAZY = {
    **{name: name for name in ("callbacks", "data", "functional", "metrics", "nn", "optim")},
    "onnx": "onnx",  # not in __all__: it needs the onnx package
    "FileFormatError": "files",
    "load": "nn.loading",
    "register_layer": "nn.saving",
    **dict.fromkeys(("LRFinder", "lr_finder"), "training.lr_finder"),
    **dict.fromkeys(("Callback", "History", "Trainer"), "training"),
    "Ensemble": "many.ensemble",
    **dict.fromkeys(("Fleet", "fit_many"), "many.fleet"),
    **dict.fromkeys(("Sweep", "sweep"), "many.sweep"),
    "Program": "compiler.program",
    "concat": "functional.concat",
    "export_c": "c_source.export",
}
# Rooms that need another library: fastnn.torch imports torch when it is used. They are not among `__all__`.
PARTNERS = frozenset(("jax", "keras", "thinc", "torch", "viz"))


def __getattr__(name: str) -> Any:
    if name in PARTNERS:
        return import_module(f"fastnn.{name}")
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"fastnn.{LAZY[name]}")
    value = globals()[name] = module if name == LAZY[name] else getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
