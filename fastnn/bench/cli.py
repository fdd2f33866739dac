"""The command `fastnn bench`."""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import machine, report
from .cases import Case
from .contenders import OWN, PEERS
from .machine import Peak
from .report import Measurement
from .runner import Contender, Runner
from .suite import suite

WIDTH = 120
MIN_SECONDS = 0.05  # for a case, even if the time is up


def run(arguments: argparse.Namespace) -> int:
    """Measure, and print tables; returns the exit code."""
    cases = selected(suite(), arguments.only)
    if arguments.json:
        open(arguments.json, "w").close()  # so that an error shows now, not after a minute
    contenders = [Contender(name, arguments.threads) for name in (PEERS if arguments.peers else OWN)]
    peak, about = machine.measure_peak(arguments.threads), machine.describe(arguments.threads)
    with Runner(contenders) as runner:
        if contenders[0] in runner.missing:
            raise ValueError(f"fastnn cannot run with {arguments.threads} threads: {runner.missing[contenders[0]]}")
        about |= {"contenders": "; ".join(dict.fromkeys(runner.versions.values()))}
        for line in introduction(about, peak, runner):
            print(line)
        measurements = measure(runner, cases, arguments.seconds, peak)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(as_json(about, peak, measurements), file, indent=1)
    return 0


def selected(cases: Sequence[Case], pattern: str) -> list[Case]:
    """The cases whose section or label matches the pattern."""
    try:
        wanted = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"--only must be a regular expression, got {pattern!r}: {error}") from None
    chosen = [case for case in cases if wanted.search(f"{case.section}: {case}")]
    if not chosen:
        names = ", ".join(dict.fromkeys(case.section for case in cases))
        raise ValueError(f"--only {pattern!r} is in no case; there are sections: {names}")
    return chosen


def measure(runner: Runner, cases: Sequence[Case], seconds: float, peak: Peak) -> list[Measurement]:
    """Measure all cases in about this many seconds, and print each section when it is done."""
    measurements: list[Measurement] = []
    deadline = time.monotonic() + seconds
    for i, case in enumerate(cases):
        _progress(f"{i + 1}/{len(cases)} {case.section}: {case}")
        left = (deadline - time.monotonic()) / (len(cases) - i)
        measurements.append(Measurement(case, runner.measure(case, max(MIN_SECONDS, left))))
        if i + 1 == len(cases) or cases[i + 1].section != case.section:
            _progress("")
            section = [m for m in measurements if m.case.section == case.section]
            print("", *report.table(section, peak), sep="\n", flush=True)
    return measurements


def _progress(text: str) -> None:
    """Show on a terminal what is being measured."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"\r\033[K{text[:100]}", end="", file=sys.stderr, flush=True)


def introduction(about: dict[str, str], peak: Peak, runner: Runner) -> Iterator[str]:
    """The machine and the versions, as lines of text."""
    missing = "; ".join(f"{contender.name} ({why})" for contender, why in runner.missing.items())
    for name, value in (about | {"peak": str(peak), "not here": missing}).items():
        if value:
            yield textwrap.fill(f"{name:<16}{value}", WIDTH, subsequent_indent=" " * 16)
    yield "Times are the least of all samples; numbers beside them say how many times as long as fastnn's that is."


def as_json(about: dict[str, str], peak: Peak, measurements: list[Measurement]) -> dict[str, Any]:
    """All measurements as a dict for JSON."""
    return {
        "machine": about,
        "peak": {"flops": peak.flops, "copies": peak.copies},
        "cases": [m.to_json(peak) for m in measurements],
    }


def add_parser(commands: Any, positive: Callable[[str], int]) -> None:
    """Add the command to the parser of `fastnn`; `positive` reads an integer of at least 1."""
    parser = commands.add_parser("bench", help="measure, beside the NumPy reference and other libraries")
    parser.add_argument("--peers", action="store_true", help="also beside the other libraries that are installed")
    parser.add_argument("--threads", type=positive, default=1, metavar="N", help="of everyone (default %(default)s)")
    parser.add_argument("--seconds", type=_seconds, default=60.0, metavar="S", help="for all (default %(default)g)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases whose section or label has this in it")
    parser.add_argument("--json", metavar="FILE", help="where to write everything that was measured")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return seconds
