"""More threads compared with fewer within one process, from the smallest calls to the largest; and the cost of sharing.

The last records share every call, even the smallest. Their sizes are named by the expected time on one thread. They
show from which size on sharing pays, which sets WORTH_LATENCIES in fastnn/_core/threads.pyx. At 0.05 us the difference
between two threads and one is the cost of sharing.
"""

from dataclasses import replace

from common import Aim, Record

from fastnn._core.activations import cost_of
from fastnn.bench.cases import Network, activation, fit, linear, linear_backward, predict, softmax, step, update
from fastnn.bench.runner import Contender
from fastnn.bench.suite import DIGITS, MNIST, SMALL, WIDE

NEVER_SLOWER = Aim(0.97, ("native",))
TWICE = Aim(1.9, ("native",))  # blocks of rows are independent of each other
CASES = [
    *(make(network) for make in (fit, step) for network in (SMALL, DIGITS, MNIST, WIDE)),
    *(predict(Network(features, 32)) for features in ((8, 16, 2), (784, 128, 10), (200, 400, 400, 50))),
    *(make(*shape) for make in (linear, linear_backward) for shape in ((32, 64, 64), (64, 128, 128), (512,) * 3)),
    *(activation(name, n) for name in ("relu", "tanh") for n in (1000, 10_000, 100_000, 10**6)),
    *(softmax("softmax", *shape) for shape in ((32, 10), (128, 1000))),
    *(update("adam", n) for n in (1000, 10_000, 100_000, 10**6)),
]
MICROSECONDS = (0.05, 1.5, 3, 6, 12, 24, 48, 96)


def compared(case, threads, fewer):
    """The record of a case with `threads` threads compared with `fewer`."""
    section = f"{threads} threads against {fewer}"
    return Record(
        replace(case, section=f"{section}: {case.section}"),
        (Contender("native", threads, within=threads), Contender("native", fewer, within=threads)),
        (NEVER_SLOWER,),
    )


def shared(name, microseconds):
    """The record of an activation that takes about this time, divided between two threads; at least 128 elements."""
    n = max(128, int(microseconds * 1000 / cost_of(name)))
    case = replace(activation(name, n), section="two threads, whatever the size", label=f"{name} {microseconds}us")
    return Record(case, (Contender("native_sharing", 2, within=2), Contender("native_sharing", 1, within=2)))


def predicted(rows, *features):
    """The record of a prediction for many rows, which two threads divide."""
    case = replace(predict(Network(features, rows)), section="predictions for many rows: 2 threads against 1")
    return Record(case, (Contender("native", 2, within=2), Contender("native", 1, within=2)), (TWICE,))


RECORDS = [
    *(predicted(rows, *features) for features in ((784, 128, 10), (64, 256, 256, 10)) for rows in (2048, 20_000)),
    *(compared(case, threads, fewer) for threads, fewer in ((2, 1), (4, 2)) for case in CASES),
    *(shared(name, microseconds) for name in ("relu", "tanh") for microseconds in MICROSECONDS),
]


def bench_threads(turn, replay):
    replay(turn)
