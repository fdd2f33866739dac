"""Threads as threadpoolctl sees them: `threadpool_limits` sets, and `threadpool_info` shows, their number.

threadpoolctl is not needed and not imported here: `_settings` calls `register` when something else has imported it.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from ._core import threads
from ._version import __version__

MOST = 1024  # threads


def controller(base: Any) -> Any:
    """The class that controls the threads of this package; `base` is `threadpoolctl.LibController`."""

    class FastnnController(base):  # type: ignore[misc]
        user_api = internal_api = "fastnn"
        # The library that has the number of threads; threadpoolctl compares names in lower case.
        filename_prefixes = (os.path.basename(threads.__file__ or "").lower(),)
        check_symbols = ("PyInit_threads",)

        def get_num_threads(self) -> int:
            return threads.get_num_threads()

        def set_num_threads(self, num_threads: int) -> None:
            threads.set_num_threads(max(1, min(num_threads, MOST)))

        def get_version(self) -> str:
            return __version__

    return FastnnController


def register(module: ModuleType) -> None:
    """Register the controller with threadpoolctl, unless that is older than `threadpoolctl.register`."""
    if hasattr(module, "register"):
        module.register(controller(module.LibController))
