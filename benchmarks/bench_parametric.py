"""Activations with parameters, and their gradients: sets COST and DIVISION in fastnn/_core/parametric.pyx."""

from common import MATRICES, operation

SECTION = "activations with parameters"


def rows(name, *draws, passes, kernels, label=""):
    return operation(SECTION, name, draws, passes, MATRICES, kernels, label)


SLOPE = ("prelu_backward", "prelu_slopes")

RECORDS = [
    *rows("prelu", "normal", "column_normal", passes=2, kernels=("prelu",)),
    *rows("prelu_backward", "normal", "normal", "column_normal", passes=5, kernels=SLOPE),
    *rows("prelu", "normal", "two", passes=2, kernels=("leaky_relu",), label="prelu of one slope"),
    *rows(
        "prelu_backward",
        "normal",
        "normal",
        "two",
        passes=5,
        kernels=("leaky_relu_backward", "prelu_slope"),
        label="prelu_backward of one slope",
    ),
    *rows("temperature_scale", "normal", "two", passes=2, kernels=("temperature_scale",)),
    *rows("temperature_scale_backward", "normal", "normal", "two", passes=4, kernels=("temperature_scale", "dot")),
]


def bench_parametric(turn, replay):
    replay(turn)
