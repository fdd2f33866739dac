"""Dropout with its random mask, and the gradient: sets COST in fastnn/_core/dropout.pyx."""

from common import arrays, normal, operation, run

RECORDS = tuple(
    operation(name, arrays(normal), passes=2, kernels=("dropout",), p=0.5, seed=3)
    for name in ("dropout", "dropout_backward")
)


def bench_dropout(case, benchmark):
    run(case, benchmark)
