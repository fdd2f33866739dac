"""The plots in docs/: time of a step against the sizes of a network, and a roofline."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

from fastnn.bench.cases import ITEMSIZE, Case
from fastnn.bench.contenders import TITLES as NAMES
from fastnn.bench.machine import Peak, binary
from fastnn.bench.report import Measurement

matplotlib.use("svg")
# The same measurements write identical files, with text as text.
matplotlib.rcParams |= {"svg.hashsalt": "fastnn", "svg.fonttype": "none", "font.size": 9, "axes.grid": True}

import matplotlib.pyplot as plt  # noqa: E402

# The size that a sweep changes: its label, and the function that reads it from a network.
SIZES = {
    "width": ("width n of 64-n-n-10, 32 rows", lambda network: network.features[1]),
    "rows": ("rows of a batch, 64-128-128-10", lambda network: network.rows),
    "depth": ("hidden layers of 64, 32 rows", lambda network: len(network.features) - 2),
}
COLORS = {"native": "C3", "jax": "C0", "torch": "C1", "sklearn": "C2", "numpy": "C4", "onnxruntime": "C5"}
FORMAT = {"format": "svg", "metadata": {"Date": None}, "bbox_inches": "tight"}


def write(folder: Path, measurements: dict[str, Measurement], peak: Peak) -> None:
    """Draw all plots; `peak` is that of one core."""
    folder.mkdir(exist_ok=True)
    everything = list(measurements.values())
    for name, figure in (("step.svg", steps(everything)), ("roofline.svg", roofline(everything, peak))):
        figure.savefig(folder / name, **FORMAT)
        plt.close(figure)


def steps(measurements: list[Measurement]) -> Any:
    """A panel for each size that changes."""
    figure, panels = plt.subplots(1, len(SIZES), figsize=(10, 3.4), sharey=True)
    for axes, (what, (title, size)) in zip(panels, SIZES.items(), strict=True):
        sweep = [m for m in measurements if m.case.section == f"a step by {what}"]
        draw(axes, sweep, lambda case, seconds, size=size: (size(case.network), seconds * 1e6))
        axes.set_xlabel(title)
    panels[0].set_ylabel("us a step, in fit")
    panels[0].legend()
    return figure


def roofline(measurements: list[Measurement], peak: Peak) -> Any:
    """Roofline: rates of products and predictions in float32 on one thread, with the limits of caches and memory."""
    figure, axes = plt.subplots(figsize=(7, 4.2))
    intensities, most = [2.0**k for k in range(-2, 10)], peak.flops.get("float32", math.inf)
    for dashes, (n, rate) in (("-", min(peak.copies.items())), ("--", max(peak.copies.items()))):
        roof = [min(most, rate * intensity) / 1e9 for intensity in intensities]
        axes.loglog(intensities, roof, color="black", lw=0.8, ls=dashes, label=f"copy of {binary(n)}")
    shown = [m for m in measurements if m.case.dtype == "float32" and m.threads == 1 and bytes_of(m.case)]
    draw(axes, shown, lambda case, seconds: (case.work / bytes_of(case), case.work / seconds / 1e9), ls="")
    axes.set_xlabel("FLOP per byte that has to be touched")
    axes.set_ylabel("GFLOP/s")
    axes.set_ylim(bottom=0.1)
    axes.legend(loc="lower right")
    return figure


def draw(
    axes: Any, measurements: list[Measurement], place: Callable[[Case, float], tuple[float, float]], **style: Any
) -> None:
    """Draw the points of every contender; `place(case, seconds)` returns x and y. Those of fastnn are highlighted."""
    for contender in dict.fromkeys(c for m in measurements for c in m.results):
        timed = [(m.case, m.results[contender]) for m in measurements if contender in m.results]
        points = [place(case, result.min) for case, result in timed if result.samples]
        own = contender.name == "native"
        axes.loglog(
            [x for x, _ in points],
            [y for _, y in points],
            label=NAMES.get(contender.name, contender.name),
            color=COLORS.get(contender.name, "C7"),
            marker="o",
            ms=4.5 if own else 3,
            lw=2.2 if own else 1.2,
            zorder=3 if own else 2,
            **style,
        )


def bytes_of(case: Case) -> float:
    """Bytes of all arrays that a product or prediction reads or writes, each counted once; 0 for other cases."""
    rows, layers = case.network.rows, case.network.layers
    if case.kind in ("linear", "linear_backward"):
        rows, *features = case.shape
        layers = [tuple(features)] * (2 if case.kind == "linear_backward" else 1)
    elif case.kind != "predict":
        return 0
    return ITEMSIZE[case.dtype] * sum(rows * n_in + n_in * n_out + rows * n_out for n_in, n_out in layers)
