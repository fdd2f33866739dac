"""Dropout with its random mask, and the gradient: sets COST in fastnn/_core/dropout.pyx."""

from common import operation

RECORDS = [
    record
    for name in ("dropout", "dropout_backward")
    for record in operation("dropout", name, ("normal",), passes=2, kernels=("dropout",), p=0.5, seed=3)
]


def bench_dropout(turn, replay):
    replay(turn)
