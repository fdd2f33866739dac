"""More threads against fewer within one process, from the smallest calls to the largest; and what sharing costs.

The sizes of the last records are named by what the whole call should take on one thread, and even the smallest is
shared: they show from which size on sharing pays, which WORTH_LATENCIES in fastnn/_core/threads.pyx is to say. At
0.05 us the difference of the two is what sharing costs.
"""

from dataclasses import replace

from common import Aim, Record

from fastnn._core.activations import cost_of
from fastnn.bench.cases import Network, activation, fit, linear, linear_backward, predict, softmax, step, update
from fastnn.bench.runner import Contender
from fastnn.bench.suite import DIGITS, MNIST, SMALL, WIDE

NEVER_SLOWER = Aim(0.97, ("native",))
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
    """The record of a case with so many threads against fewer."""
    section = f"{threads} threads against {fewer}"
    return Record(
        replace(case, section=f"{section}: {case.section}"),
        (Contender("native", threads, within=threads), Contender("native", fewer, within=threads)),
        (NEVER_SLOWER,),
    )


def shared(name, microseconds):
    """The record of an activation that takes so long, cut in two; the least that can be has 128 elements."""
    n = max(128, int(microseconds * 1000 / cost_of(name)))
    case = replace(activation(name, n), section="two threads, whatever the size", label=f"{name} {microseconds}us")
    return Record(case, (Contender("native_sharing", 2, within=2), Contender("native_sharing", 1, within=2)))


RECORDS = [
    *(compared(case, threads, fewer) for threads, fewer in ((2, 1), (4, 2)) for case in CASES),
    *(shared(name, microseconds) for name in ("relu", "tanh") for microseconds in MICROSECONDS),
]


def bench_threads(turn, replay):
    replay(turn)
