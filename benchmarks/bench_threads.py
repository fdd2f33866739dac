"""One thread against two, around the least work that is shared: sets WORTH_A_THREAD in fastnn/_core/threads.pxd.

The sizes are named by what the whole call should take on one thread. At 0.05 us the difference of the two is the cost
of a parallel region; the size at which two threads begin to be clearly faster is 2 * WORTH_A_THREAD.
"""

from functools import partial

import numpy as np
import pytest
from common import Record, fastnn_function, normal, run

from fastnn._core import threads
from fastnn._core.activations import cost_of

MICROSECONDS = (0.05, 1.5, 3, 6, 12, 24, 48, 96)


def record(name):
    """The activation `name`; `--tiny` is the least that can be cut in two: parts begin on multiples of 64."""

    def prepare(contender, n, dtype):
        threads.set_num_threads(int(contender[0]))
        return partial(fastnn_function(name), normal((n,), np.random.default_rng(0)).astype(dtype))

    sizes = {f"{us}us": max(128, int(us * 1000 / cost_of(name))) for us in MICROSECONDS}
    return Record(name, prepare, sizes, 128, contenders=("1 thread", "2 threads"))


RECORDS = (record("relu"), record("tanh"))


@pytest.fixture(autouse=True)
def share_all_work():
    """Cut even the smallest work in parts; afterwards all is as before."""
    before = threads.get_num_threads()
    threads.set_worth(0)
    yield
    threads.set_worth()
    threads.set_num_threads(before)


def bench_threads(case, benchmark):
    run(case, benchmark)
