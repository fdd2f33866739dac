"""What the benchmarks share: records, sizes, arguments, and how a case is run."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import fastnn.functional as F
import fastnn.optim.functional as optim
import fastnn.reference as reference

DTYPES = ("float32", "float64")

# Elements of an array. 32 show the price of a call; then two to four arrays fit into a first-level cache of 32 KiB
# (float32), into a second-level cache of 1 MiB, and into no cache.
LENGTHS = {"32": 32, "L1": 2**11, "L2": 2**15, "RAM": 2**23}
VECTORS = {label: (n,) for label, n in LENGTHS.items()}
COLUMNS = 64
# Rows also in the shape of the scores of a small batch.
MATRICES = {"32x10": (32, 10)} | {label: (n // COLUMNS, COLUMNS) for label, n in LENGTHS.items() if n > COLUMNS}

RESULTS: dict[str, dict[str, tuple[float, str]]] = {}  # group: contender: median in seconds, rate as text


@dataclass(frozen=True)
class Record:
    """A line of a table of benchmarks.

    prepare(contender, size, dtype) makes the arguments and returns the call to time, which takes none. A call does
    amount(size, dtype) of `unit`, without its "/s". `functions` and `kernels` are the names that the record covers.
    """

    label: str
    prepare: Callable[[str, Any, str], Callable[[], Any]]
    sizes: dict[str, Any]
    tiny: Any
    amount: Callable[[Any, str], float] | None = None
    unit: str = ""
    functions: tuple[str, ...] = ()
    kernels: tuple[str, ...] = ()
    contenders: tuple[str, ...] = ("fastnn", "reference")
    dtypes: tuple[str, ...] = DTYPES


class Case(NamedTuple):
    """One contender at one size of a record."""

    record: Record
    size: str
    dtype: str
    contender: str

    @property
    def group(self) -> str:
        """What contenders have in common: operation, size and dtype."""
        return "-".join(filter(None, (self.record.label, self.size, self.dtype)))

    def __str__(self) -> str:
        return f"{self.group}-{self.contender}"


def cases(records: tuple[Record, ...], tiny: bool) -> list[Case]:
    """All cases of a table, contenders side by side; of a size that takes no time if `tiny`."""
    return [
        Case(record, size, dtype, contender)
        for record in records
        for size in (["tiny"] if tiny else record.sizes)
        for dtype in record.dtypes
        for contender in record.contenders
    ]


def run(case: Case, benchmark: Any) -> None:
    """Time a case by pytest-benchmark's fixture; keep its median and rate."""
    record, benchmark.group = case.record, case.group
    size = record.sizes.get(case.size, record.tiny)
    benchmark(record.prepare(case.contender, size, case.dtype))
    if benchmark.stats is None:  # --benchmark-disable
        return
    median, rate = benchmark.stats.stats.median, ""
    if record.amount is not None:
        benchmark.extra_info[record.unit] = per_second = record.amount(size, case.dtype) / median
        rate = f"{per_second:.4g} {record.unit}"
    RESULTS.setdefault(case.group, {})[case.contender] = median, rate


def summary() -> list[str]:
    """RESULTS as lines, one a group."""
    width = max(map(len, RESULTS))
    lines = []
    for group, by_contender in RESULTS.items():
        (first, (median, rate)), *others = by_contender.items()
        beside = (f"{name} {1e6 * m:11.2f} us ({m / median:.2f})" for name, (m, _) in others)
        lines.append("  ".join([f"{group:<{width}}  {first} {1e6 * median:11.2f} us {rate:>18}", *beside]))
    return lines


# Records of operations, against the function of the same name in fastnn.reference.


def operation(
    name: str,
    arguments: Callable[[Any, str, np.random.Generator], tuple[Any, ...]],
    *,
    sizes: dict[str, Any] = VECTORS,
    tiny: Any = (7,),
    passes: float = 0,
    flops: Callable[[Any], float] | None = None,
    kernels: tuple[str, ...] | None = None,
    label: str = "",
    **options: Any,
) -> Record:
    """The record of a function of fastnn.functional or fastnn.optim.functional, timed on arguments(shape, dtype, rng).

    Its rate is in GB/s if it reads and writes `passes` arrays of the given shape, in GFLOP/s if `flops` counts them.
    """

    def prepare(contender: str, size: Any, dtype: str) -> Callable[[], Any]:
        function = fastnn_function(name) if contender == "fastnn" else getattr(reference, name)
        return partial(function, *arguments(size, dtype, np.random.default_rng(0)), **options)

    def amount(size: Any, dtype: str) -> float:
        return (flops(size) if flops else passes * math.prod(size) * np.dtype(dtype).itemsize) / 1e9

    kernels = (name,) if kernels is None else kernels
    return Record(label or name, prepare, sizes, tiny, amount, "GFLOP/s" if flops else "GB/s", (name,), kernels)


def fastnn_function(name: str) -> Callable[..., Any]:
    """The function `name` of fastnn.functional or fastnn.optim.functional."""
    function: Callable[..., Any] = getattr(optim if name in optim.__all__ else F, name)
    return function


# Arguments. A period of 2^16 numbers is longer than what branch predictors learn, and quickly drawn.


def arrays(*draws: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """A maker of arguments: one array from each of `draws`; integers keep their dtype."""

    def arguments(shape: Any, dtype: str, rng: np.random.Generator) -> tuple[Any, ...]:
        drawn = (draw(shape, rng) for draw in draws)
        return tuple(a if a.dtype.kind == "i" else a.astype(dtype) for a in drawn)

    return arguments


def uniform(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Numbers in (0, 1)."""
    return np.resize(rng.uniform(1e-3, 1 - 1e-3, min(2**16, math.prod(shape))), shape)


def normal(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Numbers of both signs, on both sides of the kinks of activations."""
    return np.resize(3 * rng.normal(size=min(2**16, math.prod(shape))), shape)


def zeros(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return np.zeros(shape)


def one(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """The gradient of a loss with respect to itself."""
    return np.ones(())


def row_normal(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """A number for each row."""
    return normal(shape[:-1], rng)


def distributions(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Rows that sum to 1."""
    p = uniform(shape, rng)
    return p / p.sum(axis=-1, keepdims=True)


def log_distributions(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return np.log(distributions(shape, rng))


def labels(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """A class for each row."""
    return rng.integers(shape[-1], size=shape[0])
