"""Elementwise activations and their gradients: sets CHEAP and DEAR in fastnn/_core/activations.pyx."""

from common import HUGE, LENGTHS, Aim, operation, record

from fastnn.bench.cases import DTYPES, activation, activation_backward

NAMES = (
    "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign",
    "hardsigmoid", "hardswish", "hardtanh", "relu6", "logsigmoid", "threshold", "tanhshrink", "softshrink",
    "hardshrink",
)  # fmt: skip
AIMED = ("relu", "sigmoid", "tanh", "elu", "gelu", "silu")
RIVALS = ("numpy", "torch")


def aims(name, n, backward):
    """Aims from 1000 elements on: for large relu and gradients 90% of the speed of a copy, else a ratio to RIVALS."""
    if name not in AIMED or n < 1000:
        return []
    if n < 10_000:
        return [Aim(2.0, RIVALS)]
    return [Aim(share=0.9)] if name == "relu" or backward else [Aim(1.2, RIVALS)]


def records(name, n, **who):
    """The records of an activation and its gradient for n elements."""
    return [
        record(make(name, n, dtype), *aims(name, n, make is activation_backward), **who)
        for make in (activation, activation_backward)
        for dtype in DTYPES
    ]


def gelu_tanh(backward, draws):
    """GELU with the tanh approximation, which has its own kernels."""
    return operation(
        "gradients of activations" if backward else "activations",
        f"gelu{backward}",
        draws,
        passes=len(draws) + 1,
        kernels=(f"gelu_tanh{backward}",),
        label=f"gelu_tanh{backward}",
        approximate="tanh",
    )


RECORDS = [
    *(record for name in NAMES for (n,) in LENGTHS for record in records(name, n)),
    *operation("activations", "logit", ("uniform",), passes=2),
    *operation("gradients of activations", "logit_backward", ("normal", "uniform"), passes=3),
    # Only by contenders that do not need seconds for it.
    *(record for name in AIMED for record in records(name, HUGE, by=("native", "numpy", "jax", "torch"))),
    *gelu_tanh("", ("normal",)),
    *gelu_tanh("_backward", ("normal", "normal")),
]


def bench_activations(turn, replay):
    replay(turn)
