"""The shortest of several calls, for scripts that compare two libraries in one process."""

import math
import time


def shortest(call, repeats):
    """Seconds of the shortest of so many calls."""
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best
