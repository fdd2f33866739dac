"""Softmax, its logarithm, entropy and their gradients, on rows: sets COST in fastnn/_core/softmax.pyx."""

from common import MATRICES, arrays, distributions, log_distributions, normal, operation, row_normal, run


def rows(name, *draws, passes, kernels=None):
    return operation(name, arrays(*draws), sizes=MATRICES, tiny=(3, 5), passes=passes, kernels=kernels)


RECORDS = (
    rows("softmax", normal, passes=2),
    rows("softmax_backward", normal, distributions, passes=3),
    rows("softmax_temperature_backward", normal, distributions, normal, passes=3, kernels=("softmax_backward", "dot")),
    rows("log_softmax", normal, passes=2),
    rows("log_softmax_backward", normal, log_distributions, passes=3, kernels=("log_softmax_backward", "sum")),
    rows(
        "log_softmax_temperature_backward",
        normal,
        log_distributions,
        normal,
        passes=3,
        kernels=("log_softmax_backward", "dot"),
    ),
    rows("entropy", distributions, passes=1),
    rows("entropy_backward", row_normal, distributions, passes=2),
)


def bench_softmax(case, benchmark):
    run(case, benchmark)
