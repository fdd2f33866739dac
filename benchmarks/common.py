"""What the benchmarks share: records with their aims, and the session that measures them."""

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

# Elements of an array: the price of a call, then what fits into a first-level and into a second-level cache.
LENGTHS = ((32,), (1000,), (100_000,))
HUGE = 10_000_000  # fits into no cache
# Rows and columns: the scores of a small batch, of many classes, and an odd number of both.
MATRICES = ((32, 10), (128, 1000), (5000, 37))

# Who has what kind of case.
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
    """What a record is to reach.

    Either `ratio`: the best of the contenders `against` (by default of all that are not fastnn's own) takes at least so
    many times as long, `slack` seconds apart. Or `share`: of what the machine can do at most.
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
        """The ratio or share that was reached; None if there is nobody to compare with."""
        if self.share:
            return measurement.share(peak)
        own, *others = measurement.results.items()
        times = [
            r.min for c, r in others if r.samples and (c.name in self.against or not (self.against or c.name in OWN))
        ]
        return (min(times) + self.slack) / own[1].min if times and own[1].samples else None

    def met(self, reached: float) -> bool:
        """Whether that is enough."""
        return reached >= (self.share or self.ratio)


@dataclass(frozen=True)
class Record:
    """A line of a table of benchmarks: a case, who does it, what is aimed at, and which kernels it times."""

    case: Case
    contenders: tuple[Contender, ...]
    aims: tuple[Aim, ...] = ()
    kernels: tuple[str, ...] = ()

    @property
    def threads(self) -> int:
        """Those of the first contender."""
        return self.contenders[0].threads

    def __str__(self) -> str:
        return f"{self.case.section}: {self.case}" + (f" ({self.threads} threads)" if self.threads > 1 else "")

    def tiny(self) -> "Record":
        """The same at a size that takes no time, by those contenders that need no other library."""
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
    """The record of a case, by everyone who knows it or by those given, all with so many threads.

    By default the kernel of a function is that of its name.
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
    """The records of a function that passes over so many arrays, for all shapes in both dtypes.

    `draws` says what they are filled with, by functions of fastnn/bench/data.py.
    """
    return [
        record(function(section, name, shape, draws, passes, dtype, label=label, **options), kernels=kernels)
        for shape in shapes
        for dtype in DTYPES
    ]


@dataclass(frozen=True, repr=False)
class Turn:
    """One contender's part of a record."""

    record: Record
    contender: Contender

    def __repr__(self) -> str:
        return f"{self.record}-{self.contender.name}".replace(" ", "_")


def turns(records: Iterable[Record], tiny: bool) -> list[Turn]:
    """All turns of a table, contenders side by side; if `tiny`, one record of each sort."""
    if tiny:
        small = [record.tiny() for record in records]
        records = {str(record): record for record in small if record.contenders}.values()
    return [Turn(record, contender) for record in records for contender in record.contenders]


class Session:
    """Measures records, each once for all its contenders, and keeps what comes out."""

    def __init__(self) -> None:
        self.runner = Runner()
        self.measurements: dict[str, Measurement] = {}
        self.peaks: dict[int, Peak] = {}

    def result(self, turn: Turn, chosen: list[Contender], seconds: float) -> Result | None:
        """What a contender took; when it is first asked for, all that were chosen are measured, in turn."""
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
