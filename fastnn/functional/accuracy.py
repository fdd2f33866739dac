"""The largest errors of the elementary functions, measured: (float32, float64), in units in the last place (ULP).

float32 over all 2^32 inputs (`make exhaustive`), float64 over dense samples against 80-bit arithmetic. The tests hold
the kernels to 2 ULP; instruction sets without FMA (the x86-64 baseline) may be a little worse.
"""

MAX_ULP = {
    "exp": (0.95, 0.96),
    "expm1": (1.26, 1.26),
    "log": (0.92, 0.91),
    "log1p": (0.93, 0.91),
    "tanh": (1.96, 1.83),
    "sigmoid": (1.66, 1.64),
    "erf": (1.31, 1.41),
}
