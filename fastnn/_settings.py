"""What computes: the backend, the instruction set, the number of threads; and what is in force."""

from __future__ import annotations

import os
import sys
from types import TracebackType

import numpy as np

from ._core import dispatch, threads
from ._validation import check_choice
from ._version import __version__

BACKENDS = ("native", "reference")


def get_backend() -> str:
    """Name of the backend in use: "native" or "reference"."""
    return "reference" if dispatch.get_reference() else "native"


class use_backend:
    """Use a backend from now on, or within a `with` block.

    The reference backend computes the same with plain NumPy, for checking and teaching. The choice holds for this
    thread (or task of asyncio) alone; the environment variable FASTNN_BACKEND makes it for all that choose nothing.

    Parameters
    ----------
    name : {"native", "reference"}

    Raises
    ------
    ValueError
        If the name is another.

    Examples
    --------
    >>> import fastnn
    >>> with fastnn.use_backend("reference"):
    ...     fastnn.get_backend()
    'reference'
    """

    def __init__(self, name: str) -> None:
        check_choice("backend", name, BACKENDS)
        self._before = dispatch.get_choice()
        dispatch.set_reference(name == "reference")

    def __enter__(self) -> use_backend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        dispatch.set_choice(self._before)


available_isas = dispatch.available_isas
get_isa = dispatch.get_isa
set_isa = dispatch.set_isa
get_num_threads = threads.get_num_threads
set_num_threads = threads.set_num_threads


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


if os.environ.get("FASTNN_BACKEND"):
    try:
        check_choice("backend", os.environ["FASTNN_BACKEND"], BACKENDS)
        dispatch.set_default(os.environ["FASTNN_BACKEND"] == "reference")
    except ValueError as error:
        raise ValueError(f"FASTNN_BACKEND: {error}") from None
