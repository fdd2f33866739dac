"""The machine's limit, measured: what benchmarks are held against."""

from time import perf_counter

from fastnn._core cimport dispatch

cdef enum:
    ROUNDS = 20000  # about 0.1 ms
    REPEATS = 40


def multiply_add_rate(str dtype):
    """Floating-point operations a second (2 a multiply-add) that one core does at most, with the kernels in use.

    The best of a few repeats; `dtype` is "float32" or "float64".
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    cdef int number = dispatch.FNN_FLOAT64 if dtype == "float64" else dispatch.FNN_FLOAT32
    best = 0.0
    for _ in range(REPEATS):
        began = perf_counter()
        done = dispatch.kernels_of(number).multiply_adds(ROUNDS)
        best = max(best, 2 * done / (perf_counter() - began))
    return best
