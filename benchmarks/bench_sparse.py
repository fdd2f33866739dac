"""Products with sparse matrices beside the dense product and SciPy's: python benchmarks/bench_sparse.py [threads].

Microseconds, the shortest of 50, and how many times as fast as the dense product; sets COST in fastnn/_core/sparse.pyx.
"""

import sys

import numpy as np
import scipy.sparse
from timing import shortest

import fastnn
from fastnn import functional as F

RECORDS = []
SHAPES = ((128, 1000, 128), (128, 10_000, 64), (1000, 5000, 32))
DENSITIES = (0.001, 0.01, 0.05)
REPEATS = 50


def main(threads=1):
    fastnn.set_num_threads(threads)
    rng = np.random.default_rng(0)
    head = ("forward", "dense", "", "SciPy", "gradient", "dense", "", "SciPy")
    print(f"{'rows x in x out, density':28}" + "".join(f"{name:>9}" for name in head))
    for rows, n_in, n_out in SHAPES:
        w, g = rng.normal(size=(n_in, n_out)).astype("float32"), rng.normal(size=(rows, n_out)).astype("float32")
        for density in DENSITIES:
            x = scipy.sparse.random(rows, n_in, density, format="csr", dtype="float32", random_state=0)
            dense = x.toarray()
            times = [
                1e6 * shortest(call, REPEATS)
                for call in (
                    lambda: F.sparse_linear(x, w), lambda: F.linear(dense, w), lambda: x @ w,  # noqa: B023
                    lambda: F.sparse_linear_backward(g, x), lambda: dense.T @ g, lambda: x.T @ g,  # noqa: B023
                )
            ]  # fmt: skip
            cells = "".join(
                f"{own:9.0f}{full:9.0f}{full / own:8.1f}x{theirs:9.0f}" for own, full, theirs in (times[:3], times[3:])
            )
            print(f"{f'{rows} x {n_in} x {n_out}, {density:.1%}':28}{cells}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
