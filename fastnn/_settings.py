"""What computes: the backend, the instruction set, the number of threads; and what is in force."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from . import _plugged
from ._core import dispatch, threads
from ._plugged import PLUGGED
from ._validation import check_choice
from ._version import __version__

BACKENDS = ("native", "reference")


def get_backend() -> str:
    """Name of the backend in use: "native", "reference", or that of a plugged one."""
    plugged = PLUGGED.get()
    if plugged is not None and dispatch.get_reference():
        return plugged[0]
    return "reference" if dispatch.get_reference() else "native"


class use_backend:
    """Use a backend from now on, or within a `with` block.

    The reference backend computes the same with plain NumPy, for checking and teaching. The choice holds for this
    thread (or task of asyncio) alone; the environment variable FASTNN_BACKEND makes it for all that choose nothing.

    Parameters
    ----------
    name : {"native", "reference"}, or the name of a plugged backend
        Other packages plug in a module with functions of the names of `fastnn.functional` and
        `fastnn.optim.functional` by the entry point "fastnn.backends". Single operations then go there, with checked
        arguments; programs of networks run by the NumPy reference.

    Raises
    ------
    ValueError
        If there is no backend of this name.
    NotImplementedError
        When an operation is called that a plugged backend does not have.

    Examples
    --------
    >>> import fastnn
    >>> with fastnn.use_backend("reference"):
    ...     fastnn.get_backend()
    'reference'
    """

    def __init__(self, name: str) -> None:
        plugged = None
        if name not in BACKENDS:
            check_choice("backend", name, (*BACKENDS, *_plugged.names()))
            plugged = name, _plugged.load(name)
        self._before = dispatch.get_choice(), PLUGGED.get()
        PLUGGED.set(plugged)
        dispatch.set_reference(name != "native")

    def __enter__(self) -> use_backend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        choice, plugged = self._before
        dispatch.set_choice(choice)
        PLUGGED.set(plugged)


available_isas = dispatch.available_isas
get_isa = dispatch.get_isa
set_isa = dispatch.set_isa
get_num_threads = threads.get_num_threads


class set_num_threads:
    """Use up to `n` threads for large operations, from now on or within a `with` block. Results do not depend on it.

    The number holds for the whole process. In a `with` statement the number of before is set again at its end.

    Parameters
    ----------
    n : int
        From 1 to 1024.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer of this range.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.set_num_threads(2)
    set_num_threads(2)
    >>> with fastnn.set_num_threads(1):
    ...     fastnn.get_num_threads()
    1
    >>> fastnn.get_num_threads()
    2
    """

    def __init__(self, n: int) -> None:
        self._before = threads.get_num_threads()
        threads.set_num_threads(n)
        self._n = n

    def __enter__(self) -> set_num_threads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        threads.set_num_threads(self._before)

    def __repr__(self) -> str:
        return f"set_num_threads({int(self._n)})"


def config() -> dict[str, str]:
    """What is in force, as text by name; `show_config` prints it."""
    version = threads.openmp_version()
    default, reason = threads.default_num_threads()
    return {
        "fastnn": __version__,
        "backend": get_backend(),
        "instruction set": f"{dispatch.get_isa()} (available: {', '.join(dispatch.available_isas())})",
        "threads": f"{threads.get_num_threads()} (default {default}: {reason})",
        "OpenMP": f"yes, {version // 100}-{version % 100:02d}" if version else "not used, fastnn has its own threads",
        "NumPy": np.__version__,
        "Python": sys.version.split()[0],
    }


def show_config() -> None:
    """Print what is in force: version, backend, instruction set, threads and why that many, OpenMP, NumPy."""
    values = config()
    width = max(map(len, values))
    for name, value in values.items():
        print(f"{name:<{width}}  {value}")


class Threadpoolctl:
    """An import hook for one module: once threadpoolctl has been imported, its `threadpool_limits` limits fastnn."""

    @classmethod
    def install(cls) -> None:
        """Register with threadpoolctl now, if it has been imported, or else when it is."""
        module = sys.modules.get("threadpoolctl")
        if module is not None:
            cls.register(module)
        else:
            sys.meta_path.insert(0, cls)

    @staticmethod
    def register(module: ModuleType) -> None:
        """Make the threads of this package known to threadpoolctl."""
        from ._threadpools import register

        register(module)

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec of threadpoolctl, whose loader registers; None for every other module, which others find."""
        if name != "threadpoolctl":
            return None
        if cls in sys.meta_path:
            sys.meta_path.remove(cls)
        spec = find_spec(name)
        loader: Any = None if spec is None else spec.loader
        with suppress(AttributeError):  # no loader, or one that cannot be changed: its threads are then not limited
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                cls.register(module)

            loader.exec_module = exec_module
        return spec


Threadpoolctl.install()
if os.environ.get("FASTNN_BACKEND"):
    try:
        check_choice("backend", os.environ["FASTNN_BACKEND"], BACKENDS)
        dispatch.set_default(os.environ["FASTNN_BACKEND"] == "reference")
    except ValueError as error:
        raise ValueError(f"FASTNN_BACKEND: {error}") from None
