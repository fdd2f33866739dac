"""Elementwise activations and their gradients: sets CHEAP and DEAR in fastnn/_core/activations.pyx."""

from common import arrays, normal, operation, run, uniform

NAMES = (
    "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign",
    "hardsigmoid", "hardswish", "hardtanh", "relu6",
)  # fmt: skip
TAKES_OUTPUT = ("sigmoid", "tanh")  # the gradients of these: numbers in (0, 1) will do


def forward_and_backward(name, kernel, **options):
    saved = uniform if name in TAKES_OUTPUT else normal
    return (
        operation(name, arrays(normal), passes=2, kernels=(kernel,), label=kernel, **options),
        operation(
            f"{name}_backward",
            arrays(normal, saved),
            passes=3,
            kernels=(f"{kernel}_backward",),
            label=f"{kernel}_backward",
            **options,
        ),
    )


RECORDS = (
    *(record for name in NAMES for record in forward_and_backward(name, name)),
    *forward_and_backward("gelu", "gelu_tanh", approximate="tanh"),
)


def bench_activations(case, benchmark):
    run(case, benchmark)
