"""The largest errors of the elementary functions, measured: (float32, float64), in units in the last place.

float32 over all 2^32 inputs (`make exhaustive`), float64 over dense samples against mpmath. The tests hold the kernels
to 2 ULP; instruction sets without FMA (the x86-64 baseline) may be a little worse.
"""

MAX_ULP = {
    "exp": (1.0, 1.0),
    "expm1": (1.0, 1.0),
    "log": (1.0, 1.0),
    "log1p": (1.0, 1.0),
    "tanh": (2.0, 2.0),
    "sigmoid": (2.0, 2.0),
    "erf": (2.0, 2.0),
}
