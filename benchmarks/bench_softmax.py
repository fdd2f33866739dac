"""Softmax, its logarithm, entropy and their gradients, on rows: sets COST in fastnn/_core/softmax.pyx."""

from common import MATRICES, Aim, operation, record

from fastnn.bench.cases import DTYPES, cross_entropy, softmax

SECTION = "softmax and cross-entropy"
AIMS = dict(zip(MATRICES, (Aim(5.0), Aim(1.3), Aim(1.3)), strict=True))


def rows(name, *draws, passes, kernels=None):
    return operation(SECTION, name, draws, passes, MATRICES, kernels)


RECORDS = [
    *(
        record(softmax(name, *shape, dtype), aim)
        for name in ("softmax", "log_softmax")
        for shape, aim in AIMS.items()
        for dtype in DTYPES
    ),
    *(record(cross_entropy(*shape, dtype), aim) for shape, aim in AIMS.items() for dtype in DTYPES),
    *rows("softmax_backward", "normal", "distributions", passes=3),
    *rows(
        "softmax_temperature_backward",
        "normal",
        "distributions",
        "normal",
        passes=3,
        kernels=("softmax_backward", "dot"),
    ),
    *rows("softmin", "normal", passes=2),
    *rows("softmin_backward", "normal", "distributions", passes=3),
    *rows(
        "softmin_temperature_backward",
        "normal",
        "distributions",
        "normal",
        passes=3,
        kernels=("softmin_backward", "dot"),
    ),
    *rows("log_softmax_backward", "normal", "log_distributions", passes=3, kernels=("log_softmax_backward", "sum")),
    *rows(
        "log_softmax_temperature_backward",
        "normal",
        "log_distributions",
        "normal",
        passes=3,
        kernels=("log_softmax_backward", "dot"),
    ),
    *rows("entropy", "distributions", passes=1),
    *rows("entropy_backward", "row_normal", "distributions", passes=2),
    *rows("entropy_with_logits", "normal", passes=1),
    *rows("entropy_with_logits_backward", "row_normal", "normal", passes=2),
]


def bench_softmax(turn, replay):
    replay(turn)
