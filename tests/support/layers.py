"""What tests of layers share: every activation, arrays, and the gradients of networks."""

import pytest

import fastnn
from fastnn import nn
from support.gradients import assert_gradient

# A layer, the function it stands for, and the arguments of both.
ACTIVATIONS = [
    (nn.Sigmoid, "sigmoid", {}),
    (nn.Tanh, "tanh", {}),
    (nn.ReLU, "relu", {}),
    (nn.LeakyReLU, "leaky_relu", {"negative_slope": 0.1}),
    (nn.ELU, "elu", {"alpha": 0.7}),
    (nn.SELU, "selu", {}),
    (nn.CELU, "celu", {"alpha": 0.7}),
    (nn.SiLU, "silu", {}),
    (nn.Mish, "mish", {}),
    (nn.Softplus, "softplus", {"beta": 2.0, "threshold": 3.0}),
    (nn.Softsign, "softsign", {}),
    (nn.Hardsigmoid, "hardsigmoid", {}),
    (nn.Hardswish, "hardswish", {}),
    (nn.Hardtanh, "hardtanh", {"min_val": -0.5, "max_val": 0.7}),
    (nn.ReLU6, "relu6", {}),
    (nn.GELU, "gelu", {}),
    (nn.GELU, "gelu", {"approximate": "tanh"}),
    (nn.LogSigmoid, "logsigmoid", {}),
    (nn.Threshold, "threshold", {"threshold": -0.5, "value": 0.7}),
    (nn.Tanhshrink, "tanhshrink", {}),
    (nn.Softshrink, "softshrink", {"lambd": 0.7}),
    (nn.Hardshrink, "hardshrink", {"lambd": 0.7}),
    (nn.Softmin, "softmin", {"temperature": 2.0}),
    (nn.Softmax, "softmax", {"temperature": 0.5}),
    (nn.LogSoftmax, "log_softmax", {"temperature": 3.0}),
]


FROM_OUTPUT = ("sigmoid", "tanh", "softmax", "softmin", "log_softmax")


EVERY_ACTIVATION = pytest.mark.parametrize("case", ACTIVATIONS, ids=lambda case: f"{case[0].__name__}{case[2] or ''}")


def in_both_backends(make):
    """What `make` returns on each backend."""
    results = []
    for name in ("native", "reference"):
        with fastnn.use_backend(name):
            results.append(make())
    return results


def draw(rng, shape, dtype="float64"):
    return (2 * rng.normal(size=shape)).astype(dtype)


def assert_network_gradients(net, x, rng):
    """Every gradient of a float64 network is that of central differences."""

    def weighted_sum(x):
        return (upstream * net(x)).sum()

    def with_parameters(values):
        net.parameters().data[...] = values
        return weighted_sum(x)

    upstream = rng.normal(size=net(x).shape)
    net.zero_grad()
    grad_x, data, grad = net.backward(upstream), net.parameters().data.copy(), net.parameters().grad.copy()
    assert_gradient(grad_x, weighted_sum, x)
    assert_gradient(grad, with_parameters, data)
    net.parameters().data[...] = data
