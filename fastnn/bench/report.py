"""Measurements as tables of text, and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .cases import Case
from .contenders import TITLES
from .machine import Peak
from .runner import Contender, Result

UNITS = {"FLOP": "GFLOP/s", "B": "GB/s", "": ""}


@dataclass
class Measurement:
    """A case with its results; the others are compared with that of the first contender."""

    case: Case
    results: dict[Contender, Result]

    @property
    def own(self) -> Result:
        """The result of the first contender."""
        return next(iter(self.results.values()))

    @property
    def threads(self) -> int:
        """The number of threads of the first contender."""
        return next(iter(self.results)).threads

    def ratio(self, contender: Contender) -> float | None:
        """The time of another contender divided by that of the first one."""
        other = self.results.get(contender, Result())
        return other.min / self.own.min if other.samples and self.own.samples else None

    def rate(self) -> float | None:
        """The rate of the first contender, in units of the case per second."""
        return self.case.work / self.own.min if self.case.unit and self.own.samples else None

    def share(self, peak: Peak) -> float | None:
        """The rate as a fraction of the peak rate."""
        rate, most = self.rate(), peak.rate(self.case)
        return rate / most if rate and most else None

    def to_json(self, peak: Peak) -> dict[str, Any]:
        """The measurement as a dict for JSON."""
        results = {str(c): self._as_json(c, result) for c, result in self.results.items()}
        return {"case": self.case.to_json(), "rate": self.rate(), "share": self.share(peak), "results": results}

    def _as_json(self, contender: Contender, result: Result) -> dict[str, Any]:
        values: dict[str, Any] = {"samples": [float(f"{s:.4g}") for s in result.samples], "problem": result.problem}
        if result.samples:
            values |= {"min": result.min, "median": result.median, "ratio": self.ratio(contender)}
        return values

    @staticmethod
    def from_json(values: dict[str, Any]) -> Measurement:
        """The measurement of a dict returned by `to_json`."""
        results = {Contender.parse(c): Result(r["samples"], r["problem"]) for c, r in values["results"].items()}
        return Measurement(Case.from_json(values["case"]), results)


def titles(contenders: Collection[Contender]) -> dict[Contender, str]:
    """The names of contenders in a table, with their numbers of threads if these differ."""
    names = {c: TITLES.get(c.name, c.name) for c in contenders}
    if len({c.threads for c in contenders}) == 1:
        return names
    return {c: f"{name} x{c.threads}" for c, name in names.items()}


def table(measurements: list[Measurement], peak: Peak) -> list[str]:
    """The lines of a table with a row for each case, then the problems."""
    shown = titles({c: None for m in measurements for c in m.results})  # a dict keeps the order
    own, *others = shown.values()
    unit = UNITS[measurements[0].case.unit]
    rows = [[measurements[0].case.section, own, unit, "peak" if unit else "", *others]]
    rows += [_row(m, list(shown), peak) for m in measurements]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_aligned(row, widths)) for row in rows]
    return [*lines, *(line for m in measurements for line in problems(m, shown))]


def problems(measurement: Measurement, shown: dict[Contender, str]) -> Iterator[str]:
    """A line for each contender that failed at a case."""
    for contender, result in measurement.results.items():
        if result.problem:
            yield f"  {measurement.case}: {shown[contender]}: {result.problem}"[:120]


def _row(measurement: Measurement, contenders: list[Contender], peak: Peak) -> list[str]:
    rate, share = measurement.rate(), measurement.share(peak)
    row = [str(measurement.case), duration(measurement.own) if measurement.results else ""]
    row += [three_digits(rate / 1e9) if rate else "", f"{share:.0%}" if share else ""]
    for contender in contenders[1:]:
        result, ratio = measurement.results.get(contender), measurement.ratio(contender)
        cell = duration(result) if result else "-"
        row.append(f"{cell} {three_digits(ratio):>4}" if ratio else cell)
    return row


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    """Align labels left and numbers right; leave out empty columns."""
    cells = zip(row[1:], widths[1:], strict=True)
    return [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in cells if width)]


def duration(result: Result) -> str:
    """The minimum time as text, in ns, us, ms or s."""
    if not result.samples:
        return "failed"
    seconds = result.min
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{three_digits(seconds / size)} {unit}"
    return f"{three_digits(seconds / 1e-9)} ns"


def three_digits(number: float) -> str:
    """A number with three significant digits, or all digits before its point."""
    return f"{number:#.3g}".rstrip(".") if number < 999.5 else f"{number:.0f}"


def sections(measurements: Iterable[Measurement]) -> Iterator[list[Measurement]]:
    """Group measurements by the section of their cases and the number of threads of the first contender."""
    members: dict[tuple[str, int], list[Measurement]] = {}
    for m in measurements:
        members.setdefault((m.case.section, m.threads), []).append(m)
    yield from members.values()
