"""Settings that hold for the process, and what is in force."""

from __future__ import annotations

import sys

import numpy as np

from ._backend import get_backend
from ._core import dispatch, threads
from ._version import __version__

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
