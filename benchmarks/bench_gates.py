"""Gates and their gradients, on rows, at the cost of softmax (COST in fastnn/_core/softmax.pyx)."""

from common import MATRICES, operation

RECORDS = [
    record
    for name in ("glu", "swiglu", "maxout")
    for record in (
        *operation("gates", name, ("halves",), 3, MATRICES),
        *operation("gates", f"{name}_backward", ("normal", "halves"), 5, MATRICES),
    )
]


def bench_gates(turn, replay):
    replay(turn)
