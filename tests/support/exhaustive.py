"""The elementary functions at all 2^32 numbers of float32.

PYTHONPATH=tests python -m support.exhaustive [name ...]

Prints the largest error in ULP of each function on each instruction set; exits with 1 if one is above 2 ULP (4 without
FMA). The truth is NumPy's float64 function, but for erf, which NumPy does not have, fastnn's own float64 kernel: the
tests hold it to 2 ULP of float64, which are a billionth of an ULP of float32. Takes some minutes a function.
"""

import sys

import numpy as np

import fastnn.functional as F
from fastnn._core import dispatch, threads
from fastnn.testing.measure import ulp_errors

FUNCTIONS = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "erf")
CHUNK = 2**18  # stays in a cache


@np.errstate(all="ignore")
def float64_truth(name, x):
    """The function of float32 numbers, in float64."""
    x = x.astype("float64")
    if name == "sigmoid":
        return 1 / (1 + np.exp(-x))
    return F.erf(x) if name == "erf" else getattr(np, name)(x)


def sweep(name):
    """The largest error of a function, and where it is, for each instruction set."""
    worst = dict.fromkeys(dispatch.available_isas(), (0.0, 0.0))
    for start in range(0, 2**32, CHUNK):
        x = np.arange(start, start + CHUNK, dtype="uint32").view("float32")
        truth = float64_truth(name, x)
        for isa in worst:
            dispatch.set_isa(isa)
            errors = ulp_errors(getattr(F, name)(x), truth)
            worst[isa] = max(worst[isa], (float(errors.max()), float(x[errors.argmax()])))
    return worst


def main(names):
    """Sweep the functions of these names, or all; return the exit code."""
    threads.set_num_threads(1)  # most of the time is spent in NumPy, on one thread
    failed = False
    for name in names or FUNCTIONS:
        for isa, (error, x) in sweep(name).items():
            print(f"{name:8} {isa:8} {error:.4f} ULP at {x!r}", flush=True)
            failed |= error > (4 if isa == "sse2" else 2)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
