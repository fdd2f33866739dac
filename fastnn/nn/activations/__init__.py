"""Activations as layers. They have no trainable parameters; `functional` has functions of the same names."""

from .activation import Activation
from .piecewise import Hardsigmoid, Hardswish, Hardtanh, LeakyReLU, ReLU, ReLU6
from .smooth import CELU, ELU, GELU, SELU, Mish, Sigmoid, SiLU, Softplus, Softsign, Tanh
from .softmax import LogSoftmax, Softmax

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSoftmax",
    "Mish",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]
