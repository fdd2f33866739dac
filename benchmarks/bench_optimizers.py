"""Optimizer updates, in place: sets COST in fastnn/_core/rules.pyx, and those in matrix_rules.pyx."""

from common import Aim, record

from fastnn.bench.cases import DTYPES, MATRIX_UPDATES, UPDATES, matrix_update, update

AIMS = {
    1000: Aim(3.0, ("torch",)),
    10_000: Aim(3.0, ("torch",)),
    10**6: Aim(1.0, ("torch",)),
    2 * 10**7: Aim(1.0, ("torch",)),
}
MATRIX_AIMS = {(32, 32): Aim(3.0, ("torch",)), (512, 512): Aim(1.0, ("torch",))}
KERNELS = {
    "adamw": ("adam_step",),
    "adafactor": ("adafactor_step", "factored_step", "column_squares"),
}

RECORDS = [
    record(update(name, n, dtype), aim, kernels=KERNELS.get(name))
    for name in UPDATES
    for n, aim in AIMS.items()
    for dtype in DTYPES
] + [
    record(matrix_update(name, shape, dtype), aim, kernels=KERNELS.get(name))
    for name in MATRIX_UPDATES
    for shape, aim in MATRIX_AIMS.items()
    for dtype in DTYPES
]


def bench_optimizers(turn, replay):
    replay(turn)
