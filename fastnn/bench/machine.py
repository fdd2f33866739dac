"""The machine: its description and its peak rates."""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import fastnn
from fastnn._core.peak import multiply_add_rate

from .cases import ITEMSIZE, Case

CPU = Path("/sys/devices/system/cpu/cpu0")
COPIES = tuple(2**k for k in range(18, 29))  # bytes: from the size of an L2 cache to more than any cache
COPY_SECONDS = 0.04  # for measuring one size


@dataclass(frozen=True)
class Peak:
    """Peak rates of some cores: FLOP/s by dtype, and bytes/s of a copy by its number of bytes read and written."""

    flops: dict[str, float] = field(default_factory=dict)
    copies: dict[int, float] = field(default_factory=dict)

    def rate(self, case: Case) -> float | None:
        """The peak rate for a case: of multiply-adds, or of the largest copy that is not larger than the case."""
        if case.unit == "FLOP":
            return self.flops.get(case.dtype)
        if case.unit == "B" and self.copies:
            return self.copies[max((n for n in self.copies if n <= case.work), default=min(self.copies))]
        return None

    def __str__(self) -> str:
        flops = [f"{rate / 1e9:.0f} GFLOP/s {dtype}" for dtype, rate in self.flops.items()]
        copies = [f"{rate / 1e9:.0f} GB/s copying {binary(n)}" for n, rate in list(self.copies.items())[::5]]
        return ", ".join(flops + copies)


def measure_peak(threads: int) -> Peak:
    """Measure the peak rates of this many threads, each on its own core; takes about a second."""
    cores = min(threads, len(os.sched_getaffinity(0)))
    flops = {dtype: cores * multiply_add_rate(dtype) for dtype in ITEMSIZE}
    return Peak(flops, {n: copy_rate(n, cores) for n in COPIES})


def copy_rate(n_bytes: int, threads: int) -> float:
    """Bytes per second, read and written, of NumPy's copy of this many bytes, divided among threads."""
    pairs = [np.ones((2, n_bytes // threads // 2), np.uint8) for _ in range(threads)]
    best, deadline = 0.0, time.perf_counter() + COPY_SECONDS
    with ThreadPoolExecutor(threads) as pool:
        while time.perf_counter() < deadline:
            best = max(best, n_bytes / max(pool.map(_copy_seconds, pairs)))
    return best


def _copy_seconds(pair: Any) -> float:
    """Seconds of a copy, the better of two: the first one warms the cache."""
    return min(_timed_copy(*pair) for _ in range(2))


def _timed_copy(source: Any, target: Any) -> float:
    started = time.perf_counter()
    np.copyto(target, source)
    return time.perf_counter() - started


def caches() -> dict[int, int]:
    """Sizes of the data caches in bytes, by level."""
    sizes = {}
    for cache in CPU.glob("cache/index*"):
        kind, level, size = ((cache / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            sizes[int(level)] = int(size.rstrip("KM")) * {"K": 2**10, "M": 2**20}.get(size[-1], 1)
    return sizes


def cpu_model() -> str:
    """The name of the processor, or its architecture if the name is unknown."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def describe(threads: int) -> dict[str, str]:
    """The machine, the number of threads and the date, as text by name."""
    sizes = ", ".join(f"L{level} {binary(size)}" for level, size in sorted(caches().items()))
    return {
        "date": date.today().isoformat(),
        "processor": f"{cpu_model()}, {len(os.sched_getaffinity(0))} cores; {sizes}",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "instruction set": fastnn.get_isa(),
        "threads": str(threads),
    }


def binary(size: int) -> str:
    """A number of bytes as text, in KiB or MiB."""
    return f"{size / 2**20:g} MiB" if size >= 2**20 else f"{size / 2**10:g} KiB"
