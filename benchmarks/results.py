"""Write RESULTS.md, and the plots in docs/, from what `pytest benchmarks --measurements FILE` measured.

Run as `python benchmarks/results.py FILE`.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import memory
import second_thread
from common import Record

from fastnn.bench.machine import Peak
from fastnn.bench.report import UNITS, Measurement, duration, three_digits, titles
from fastnn.bench.runner import Contender

HERE = Path(__file__).parent
PLOTS = (
    "![Time of a training step against width, rows and depth](../docs/step.svg)",
    "",
    "![Rates of products against FLOP per byte, below what one core can do](../docs/roofline.svg)",
)
INTRODUCTION = """\
# Results

Written by `make bench`; [README.md](README.md) describes how to read and repeat it.

Times are the least of all samples, taken in turn. The columns of other libraries say how many times as long as fastnn
they take. An aim is a ratio to the best of them, or to those it names; or a share of what the machine can do:
multiply-adds in registers, or NumPy's copy of as many bytes.
"""


def load(path: Path) -> tuple[dict, dict[int, Peak], dict[str, Measurement]]:
    """The machine with its versions, its peaks by threads, and the measurements by record."""
    values = json.loads(path.read_text())
    peaks = {
        int(threads): Peak(peak["flops"], {int(n): rate for n, rate in peak["copies"].items()})
        for threads, peak in values["peaks"].items()
    }
    measurements = {name: Measurement.from_json(m) for name, m in values["records"].items() if m["results"]}
    return values["machine"] | {"versions": ", ".join(values["versions"])}, peaks, measurements


def records() -> list[Record]:
    """The records of all bench_*.py."""
    modules = [importlib.import_module(path.stem) for path in sorted(HERE.glob("bench_*.py"))]
    return [record for module in modules for record in module.RECORDS]


class Results:
    """The text of RESULTS.md."""

    def __init__(self, about: dict, peaks: dict[int, Peak], measurements: dict[str, Measurement]) -> None:
        self.about, self.peaks, self.measurements = about, peaks, measurements
        self.aimed = [record for record in records() if record.aims and str(record) in measurements]

    def text(self) -> str:
        """Everything."""
        tables = [line for section in self.sections() for line in [*self.table(section), ""]]
        return "\n".join([INTRODUCTION, *self.machine(), "", *self.summary(), "", *PLOTS, "", *tables])

    def machine(self) -> Iterator[str]:
        """A table of the machine, versions and peaks."""
        yield "| | |"
        yield "|---|---|"
        for name, value in self.about.items():
            if name != "threads":
                yield f"| {name} | {value} |"
        for threads, peak in self.peaks.items():
            yield f"| peak of {threads} thread{'s' * (threads > 1)} | {peak} |"

    def summary(self) -> Iterator[str]:
        """The number of aims that are met, and a list of those that are not."""
        outcomes = [(record, *outcome) for record in self.aimed for outcome in self.outcomes(record)]
        missed = [(record, aim, reached) for record, aim, reached, met in outcomes if not met]
        yield f"**{len(outcomes) - len(missed)} of {len(outcomes)} aims are met.**"
        if missed:
            yield "Missed:"
            yield ""
        for record, aim, reached in missed:
            yield f"- {record}: {self.shown(aim, reached)} of {aim}"

    def outcomes(self, record: Record) -> list[tuple]:
        """For each aim with a measured contender to compare with: the aim, the value reached, whether it is met."""
        measurement, peak = self.measurements[str(record)], self.peaks[record.threads]
        reached = ((aim, aim.reached(measurement, peak)) for aim in record.aims)
        return [(aim, value, aim.met(value)) for aim, value in reached if value is not None]

    @staticmethod
    def shown(aim, reached: float) -> str:
        return f"{reached:.0%}" if aim.share else three_digits(reached)

    def sections(self) -> Iterator[list[Record]]:
        """Records with aims, grouped by section (up to a colon) and threads."""
        members: dict[tuple[str, int], list[Record]] = {}
        for record in self.aimed:
            members.setdefault((heading(record), record.threads), []).append(record)
        yield from members.values()

    def table(self, members: list[Record]) -> Iterator[str]:
        """The table of a section."""
        present = {c: None for record in members for c in self.measurements[str(record)].results}
        own, *others = titles(present).values()
        head = ["", own, "rate", "of peak", *others, "aim", "reached"]
        threads = {c.threads for c in present}
        many = f", {threads.pop()} threads" if len(threads) == 1 and threads != {1} else ""
        yield f"## {heading(members[0])}{many}"
        yield ""
        yield f"| {' | '.join(head)} |"
        yield f"|---|{'--:|' * (len(head) - 1)}"
        for record in members:
            yield f"| {' | '.join(self.row(record, list(present)))} |"

    def row(self, record: Record, contenders: list[Contender]) -> Iterator[str]:
        """The cells of a record."""
        measurement, peak = self.measurements[str(record)], self.peaks[record.threads]
        rate, share = measurement.rate(), measurement.share(peak)
        _, _, rest = record.case.section.partition(": ")
        yield f"{rest}: {record.case}" if rest else str(record.case)
        yield duration(measurement.own)
        yield f"{three_digits(rate / 1e9)} {UNITS[record.case.unit]}" if rate else ""
        yield f"{share:.0%}" if share else ""
        for contender in contenders[1:]:
            ratio = measurement.ratio(contender)
            yield three_digits(ratio) if ratio else ""
        outcomes = self.outcomes(record)
        yield "; ".join(str(aim) for aim, _, _ in outcomes)
        yield "; ".join(self.shown(aim, value) + ("" if met else " **missed**") for aim, value, met in outcomes)


def heading(record: Record) -> str:
    """The heading of the section of a record."""
    return record.case.section.partition(":")[0].capitalize()


def peak_memory() -> Iterator[str]:
    """The section on the peak memory of a training run."""
    done = subprocess.run([sys.executable, HERE / "memory.py"], capture_output=True, text=True, check=True)
    used, needed = (json.loads(done.stdout)[name] for name in ("used", "needed"))
    verdict = "met" if used <= memory.MOST * needed else "**missed**"
    yield "## Memory"
    yield ""
    yield (
        f"A training run of {memory.WIDE} takes {used / 2**20:.0f} MiB at most. Parameters, gradients, states, "
        f"outputs of layers and data are {needed / 2**20:.0f} MiB: that is {used / needed:.2f} times as much, of at "
        f"most {memory.MOST}: {verdict}."
    )


def of_a_second_thread() -> Iterator[str]:
    """The section on the gain and the cost of a second thread."""
    done = subprocess.run([sys.executable, HERE / "second_thread.py"], capture_output=True, text=True)
    if done.returncode:  # one core
        return
    measured = json.loads(done.stdout)
    yield "## A second thread, on 784-256-128-10 in batches of 128"
    yield ""
    yield "| | aim | reached |"
    yield "|---|--:|--:|"
    for key, meaning, bound, more in second_thread.PROMISES:
        met = measured[key] >= bound if more else measured[key] <= bound
        sign = "at least" if more else "at most"
        yield f"| {meaning} | {sign} {bound:g} | {three_digits(measured[key])}{'' if met else ' **missed**'} |"


def main(path: Path) -> None:
    import plots  # imports matplotlib, which is needed only here

    about, peaks, measurements = load(path)
    text = Results(about, peaks, measurements).text()
    (HERE / "RESULTS.md").write_text("\n".join([text, *of_a_second_thread(), "", *peak_memory(), ""]))
    plots.write(HERE.parent / "docs", measurements, peaks[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
