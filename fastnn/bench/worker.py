"""The process of a contender: it answers lines of JSON with lines of JSON.

    first, unasked      {"version": ...}, or {"missing": why}
    {"prepare": case}   {"ok": true}, {"unsupported": true} or {"error": why}
    {"time": n}         {"seconds": of n repetitions} or {"error": why}; "threads": n sets their number

The runner sets the environment variables for the number of threads. With fewer threads than cores the process is also
limited to as many cores, for libraries that ignore these variables.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import time
from typing import Any, TextIO

from .cases import Case
from .contenders.common import Run, n_threads

LONG = 0.02  # seconds of a repetition that is long enough not to need a warm-up


class Worker:
    """Prepares cases by the functions of a module, and times them."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.run: Run | None = None
        self.seconds = 0.0  # of a repetition, as last timed

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Handle a request; an exception becomes an answer with "error"."""
        try:
            if "prepare" in request:
                return self.prepare(Case.from_json(request["prepare"]))
            if "threads" in request:
                self.module.set_num_threads(request["threads"])
            return {"seconds": self.time(request["time"])}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def prepare(self, case: Case) -> dict[str, Any]:
        """Make the data of a case, and run it once, so that everything compiled at first use is compiled."""
        self.run, self.seconds = None, 0.0  # frees the data of the previous case
        prepare = getattr(self.module, case.kind, None)
        self.run = prepare(case) if prepare else None
        if self.run is None:
            return {"unsupported": True}
        self.run(1)
        return {"ok": True}

    def time(self, n: int) -> float:
        """Seconds of n repetitions with warm caches."""
        if self.run is None:
            raise RuntimeError("nothing is prepared")
        if self.seconds < LONG:
            self.run(max(1, n // 8))
        gc.disable()
        try:
            started = time.perf_counter()
            self.run(n)
            seconds = time.perf_counter() - started
        finally:
            gc.enable()
        self.seconds = seconds / n
        return seconds


def load(name: str) -> Any:
    """The module of a contender."""
    return importlib.import_module(name if "." in name else f"fastnn.bench.contenders.{name}")


def keep_to_cores(n: int) -> None:
    """Limit this process to the last n cores, since the first one handles interrupts and the runner."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-n:])


def main(name: str) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output that libraries print goes to stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner ends its workers
    keep_to_cores(n_threads())
    try:
        worker = Worker(load(name))
    except ImportError as error:
        _send(answers, {"missing": str(error)})
        return
    _send(answers, {"version": worker.module.VERSION})
    for line in sys.stdin:
        _send(answers, worker.answer(json.loads(line)))


def _send(answers: TextIO, values: dict[str, Any]) -> None:
    answers.write(json.dumps(values) + "\n")
