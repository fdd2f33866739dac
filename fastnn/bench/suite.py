"""The cases of `fastnn bench`, which take about a minute."""

from __future__ import annotations

from .cases import (
    Case,
    Network,
    activation,
    activation_backward,
    cross_entropy,
    fit,
    linear,
    linear_backward,
    predict,
    softmax,
    step,
    update,
)

SMALL = Network((2, 4, 2, 1), 32, "Tanh", "MSELoss", "SGD")
DIGITS = Network((64, 128, 10), 32)
MNIST = Network((784, 256, 128, 10), 128)
WIDE = Network((1024, 2048, 2048, 1000), 256)
TRAINED = (SMALL, DIGITS, MNIST, WIDE)
PREDICTED = (
    Network((8, 16, 2), 1),
    Network((10, 32, 32, 1), 1),
    Network((784, 128, 10), 1),
    Network((784, 128, 10), 32),
    Network((200, 400, 400, 50), 1),
)
PRODUCTS = ((32, 64, 64), (128, 784, 256), (512, 512, 512), (1024, 1024, 1024))
ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "gelu")
SCORES = ((32, 10), (128, 1000))


def suite() -> list[Case]:
    """The cases, section by section."""
    return [
        *map(fit, TRAINED),
        *map(step, TRAINED),
        *map(predict, PREDICTED),
        *(linear(*shape) for shape in PRODUCTS),
        linear(1024, 1024, 1024, "float64"),
        *(linear_backward(*shape) for shape in PRODUCTS),
        *(activation(name, n) for name in ACTIVATIONS for n in (1000, 100_000)),
        *(activation_backward(name, 100_000) for name in ACTIVATIONS),
        *(softmax(name, *shape) for name in ("softmax", "log_softmax") for shape in SCORES),
        *(cross_entropy(*shape) for shape in SCORES),
        *(update(name, n) for name in ("sgd", "momentum", "adam") for n in (10_000, 1_000_000)),
    ]
