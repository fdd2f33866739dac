"""Common parts of the contenders."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import repeat
from typing import Any

from .. import data
from ..cases import Case

Run = Callable[[int], Any]

# Small enough that the weights hardly change over all repetitions, so that the work stays the same.
LEARNING_RATE = 1e-6
# Class names of the optimizers, the same here and in PyTorch, by the name of the update function.
RULES = {
    "sgd_step": "SGD",
    "adagrad_step": "Adagrad",
    "rmsprop_step": "RMSprop",
    "adam_step": "Adam",
    "adamw_step": "AdamW",
    "adadelta_step": "Adadelta",
    "nadam_step": "NAdam",
    "radam_step": "RAdam",
    "adamax_step": "Adamax",
    "rprop_step": "Rprop",
    "asgd_step": "ASGD",
    "adafactor_step": "Adafactor",
    "muon_step": "Muon",
}
SECONDS = 2e-3  # for trying a variant


def n_threads() -> int:
    """The number of threads for which this process was started."""
    return int(os.environ.get("FASTNN_NUM_THREADS", "1"))


def repeated(call: Callable[[], Any]) -> Run:
    """Repetitions of a call."""

    def run(n: int) -> Any:
        result = None
        for _ in repeat(None, n):
            result = call()
        return result

    return run


def in_place(run: Run, result: Any) -> Run:
    """Repetitions of a function that works in place on an array, which is the result."""

    def run_in_place(n: int) -> Any:
        run(n)
        return result

    return run_in_place


def on_parameters(called: Callable[..., Any], case: Case) -> Run:
    """Repetitions of a function that works on the first array of a case, or returns a number."""
    arguments = data.arguments(case)
    run = repeated(lambda: called(*arguments, **case.options))
    return run if case.operation == "total_norm" else in_place(run, arguments[0])


def imported(module: str) -> Run:
    """Repetitions of an import in a new process."""
    command = [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}; import {module}"]
    return repeated(lambda: subprocess.run(command, check=True))


def quickest(*calls: Callable[[], Any]) -> Run:
    """Repetitions of the fastest of some functions that do the same."""
    runs = [repeated(call) for call in calls]
    return min(runs, key=_time) if len(runs) > 1 else runs[0]


def _time(run: Run) -> float:
    """Seconds of a repetition: the minimum of several, if they are short."""
    run(1)
    n, seconds = 1, _timed(run, 1)
    while n * seconds < SECONDS and n < 1024:
        n *= 2
        seconds = min(seconds, _timed(run, n))
    return seconds if seconds > 10 * SECONDS else min(seconds, *(_timed(run, n) for _ in range(2)))


def _timed(run: Run, n: int) -> float:
    started = time.perf_counter()
    run(n)
    return (time.perf_counter() - started) / n
