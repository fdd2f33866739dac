"""Optimizer updates, in place: sets COST in fastnn/_core/rules.pyx."""

from common import Aim, record

from fastnn.bench.cases import DTYPES, UPDATES, update

AIMS = {
    1000: Aim(3.0, ("torch",)),
    10_000: Aim(3.0, ("torch",)),
    10**6: Aim(1.0, ("torch",)),
    2 * 10**7: Aim(1.0, ("torch",)),
}
KERNELS = {"adamw": ("adam_step",)}

RECORDS = [
    record(update(name, n, dtype), aim, kernels=KERNELS.get(name))
    for name in UPDATES
    for n, aim in AIMS.items()
    for dtype in DTYPES
]


def bench_optimizers(turn, replay):
    replay(turn)
