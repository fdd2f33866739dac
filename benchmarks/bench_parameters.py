"""Norms, clipping, constraints and averages: sets the costs in fastnn/_core/parameters.pyx.

Clipping within an update is measured by training steps with it (bench_program.py has those without).
"""

from common import OWN, Aim, record

from fastnn.bench.cases import DTYPES, parameters

SIZES = (1000, 100_000, 10**6)
# The kernel of each function, the arrays it takes, its options.
FUNCTIONS = {
    "total_norm": ("sum_of_squares", 1, {}),
    "adjust_grad_": ("adjust_grad", 1, {"scale": 0.999, "clip_value": 2.0}),
    "lerp_": ("lerp", 2, {"weight": 1e-3}),
}

RECORDS = [
    *(
        record(parameters(name, (n,), draws, dtype, **options), Aim(1.0, ("torch",)), kernels=(kernel,))
        for name, (kernel, draws, options) in FUNCTIONS.items()
        for n in SIZES
        for dtype in DTYPES
    ),
    *(
        record(parameters("max_norm_", shape, 1, dtype, max_norm=3.0), by=OWN, kernels=("max_norm",))
        for shape in ((64, 128), (784, 256), (2048, 2048))
        for dtype in DTYPES
    ),
]


def bench_parameters(turn, replay):
    replay(turn)
