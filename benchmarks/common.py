"""Common parts of the benchmarks: records with their aims, and the session that measures them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from fastnn.bench import machine
from fastnn.bench.cases import DTYPES, Case, function
from fastnn.bench.contenders import OWN
from fastnn.bench.machine import Peak
from fastnn.bench.report import Measurement, sections, table
from fastnn.bench.runner import Contender, Result, Runner

# Array lengths: one that shows the overhead of a call, one for the L1 and one for the L2 cache.
LENGTHS = ((32,), (1000,), (100_000,))
HUGE = 10_000_000  # fits into no cache
# Rows and columns: a small batch with few classes, one with many classes, and odd numbers of both.
MATRICES = ((32, 10), (128, 1000), (5000, 37))

# The contenders that support each kind of case.
TRAINERS = (*OWN, "jax", "torch", "torch_default", "sklearn")
KINDS = {
    "fit": TRAINERS,
    "step": TRAINERS,
    "predict": (*OWN, "jax", "torch", "sklearn", "onnxruntime"),
    "linear": (*OWN, "numpy", "jax", "torch", "onnxruntime"),
    "linear_backward": (*OWN, "numpy", "jax", "torch"),
    "function": (*OWN, "numpy", "jax", "torch"),
    "cross_entropy": (*OWN, "jax", "torch"),
    "update": (*OWN, "jax", "torch", "torch_default"),
    "parameters": (*OWN, "torch"),
    "startup": ("native", "numpy", "jax", "torch", "sklearn", "onnxruntime"),
}


@dataclass(frozen=True)
class Aim:
    """The performance that a record aims at.

    Either `ratio`: the time of the fastest of the contenders `against` (by default all other libraries), plus `slack`
    seconds, is at least this many times fastnn's. Or `share`: the fraction of the peak rate of the machine.
    """

    ratio: float = 0.0
    against: tuple[str, ...] = ()
    slack: float = 0.0
    share: float = 0.0

    def __str__(self) -> str:
        if self.share:
            return f"{self.share:.0%} of peak"
        slack = f" + {self.slack * 1e3:g} ms" if self.slack else ""
        return f"{self.ratio:g}{slack} {' '.join(self.against)}".strip()

    def reached(self, measurement: Measurement, peak: Peak) -> float | None:
        """The ratio or share that was reached; None if no contender to compare with was measured."""
        if self.share:
            return measurement.share(peak)
        own, *others = measurement.results.items()
        times = [
            r.min for c, r in others if r.samples and (c.name in self.against or not (self.against or c.name in OWN))
        ]
        return (min(times) + self.slack) / own[1].min if times and own[1].samples else None

    def met(self, reached: float) -> bool:
        """Whether a ratio or share meets the aim."""
        return reached >= (self.share or self.ratio)


@dataclass(frozen=True)
class Record:
    """A row of a table of benchmarks: a case, its contenders, its aims, and the kernels that it times."""

    case: Case
    contenders: tuple[Contender, ...]
    aims: tuple[Aim, ...] = ()
    kernels: tuple[str, ...] = ()

    @property
    def threads(self) -> int:
        """The number of threads of the first contender."""
        return self.contenders[0].threads

    def __str__(self) -> str:
        return f"{self.case.section}: {self.case}" + (f" ({self.threads} threads)" if self.threads > 1 else "")

    def tiny(self) -> "Record":
        """The same at a tiny size, by the contenders that need no other library."""
        case, network = self.case, self.case.network
        sort = [case.kind, case.operation, *(f"{k}={v}" for k, v in case.options.items())]
        if network.rows:
            network = replace(network, features=(3, 4, min(2, network.features[-1])), rows=2)
            sort.append(str(network))
        small = replace(
            case,
            section="tiny",
            label=" ".join(filter(None, sort)),
            shape=((), (7,), (3, 5), (3, 5, 4))[len(case.shape)],
            network=network,
            parts=min(2, case.parts),
        )
        own = tuple(Contender(c.name) for c in self.contenders if c.name in OWN and c.threads == 1)
        return replace(self, case=small, contenders=own)


def record(
    case: Case,
    *aims: Aim,
    by: tuple[str, ...] = (),
    threads: int = 1,
    kernels: tuple[str, ...] | None = None,
) -> Record:
    """The record of a case, for all contenders that support it or for those in `by`, with this number of threads.

    By default the kernel of a function has the name of the function.
    """
    everyone = tuple(Contender(name, threads) for name in by or KINDS[case.kind])
    named = (case.operation,) if case.kind in ("function", "update") else ()
    return Record(case, everyone, aims, named if kernels is None else kernels)


def operation(
    section: str,
    name: str,
    draws: tuple[str, ...],
    passes: float,
    shapes: tuple[tuple[int, ...], ...] = LENGTHS,
    kernels: tuple[str, ...] | None = None,
    label: str = "",
    **options: Any,
) -> list[Record]:
    """The records of a function that reads or writes `passes` arrays, for all shapes and both dtypes.

    `draws` names the functions of fastnn/bench/data.py that fill its arguments.
    """
    return [
        record(function(section, name, shape, draws, passes, dtype, label=label, **options), kernels=kernels)
        for shape in shapes
        for dtype in DTYPES
    ]


@dataclass(frozen=True, repr=False)
class Turn:
    """The measurement of one contender for a record."""

    record: Record
    contender: Contender

    def __repr__(self) -> str:
        return f"{self.record}-{self.contender.name}".replace(" ", "_")


def turns(records: Iterable[Record], tiny: bool) -> list[Turn]:
    """All turns of the records, grouped by record; if `tiny`, one tiny record of each kind."""
    if tiny:
        small = [record.tiny() for record in records]
        records = {str(record): record for record in small if record.contenders}.values()
    return [Turn(record, contender) for record in records for contender in record.contenders]


class Session:
    """Measures records, each once for all its contenders, and keeps the results."""

    def __init__(self) -> None:
        self.runner = Runner()
        self.measurements: dict[str, Measurement] = {}
        self.peaks: dict[int, Peak] = {}

    def result(self, turn: Turn, chosen: list[Contender], seconds: float) -> Result | None:
        """The result of a contender. The first request for a record measures all chosen contenders, in turn."""
        name, threads = str(turn.record), turn.record.threads
        if threads not in self.peaks:  # measured once a session
            self.peaks[threads] = machine.measure_peak(threads)
        if name not in self.measurements:
            case = turn.record.case
            self.measurements[name] = Measurement(case, self.runner.measure(case, seconds, chosen))
        return self.measurements[name].results.get(turn.contender)

    def tables(self) -> list[str]:
        """Everything that was measured, section by section."""
        lines: list[str] = []
        for section in sections([m for m in self.measurements.values() if m.results]):
            lines += [*table(section, self.peaks[section[0].threads]), ""]
        return lines

    def save(self, path: str) -> None:
        """Write everything that was measured."""
        values = {
            "machine": machine.describe(max(self.peaks, default=1)),
            "versions": list(dict.fromkeys(self.runner.versions.values())),
            "peaks": {threads: {"flops": p.flops, "copies": p.copies} for threads, p in self.peaks.items()},
            "records": {name: m.to_json(Peak()) for name, m in self.measurements.items()},
        }
        with open(path, "w") as file:
            json.dump(values, file)
