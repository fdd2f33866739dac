"""fastnn with even the smallest work divided among its threads: shows the cost of a parallel region."""

from __future__ import annotations

from fastnn._core import threads

from .native import VERSION, function, set_num_threads

__all__ = ["VERSION", "function", "set_num_threads"]

threads.set_worth(0)
