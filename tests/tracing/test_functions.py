"""Functions of arrays as layers: which have a compiled form, and products with parameters of other layers."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn._core import dispatch
from fastnn.nn.tracing.errors import TraceError
from fastnn.nn.tracing.functions import LAYERS, Function, as_layer
from support.layers import assert_network_gradients, draw

KERNELS = sorted(
    name for name, (_, group) in dispatch.PLACES.items() if group == "map1" and f"{name}_backward" in dispatch.PLACES
)
PARAMS = {"elu": (0.5,), "celu": (0.5,), "leaky_relu": (0.25,), "softplus": (1.0, 20.0), "hardtanh": (-1.0, 1.0),
          "affine": (2.0, 1.0), "reciprocal": (1.0,), "logit": (0.25, 1.0),
          "threshold": (0.5, 0.25), "softshrink": (0.5,), "hardshrink": (0.5,)}  # fmt: skip


def test_every_function_with_a_gradient_is_a_layer():
    for name in KERNELS:
        layer = as_layer(name, PARAMS.get(name, ()))
        assert isinstance(layer, Function) and layer.kernel == name
    assert isinstance(as_layer("softmax", (-1, 2.0)), nn.Softmax)
    assert isinstance(as_layer("dropout", (0.25, True)), nn.Dropout)
    assert as_layer("dropout", (0.25, False)).p == 0
    assert set(LAYERS) <= {*dir(F), "columns"}


@pytest.mark.parametrize("name", ["layer_norm", "cross_entropy", "add_"])
def test_others_are_refused(name):
    with pytest.raises(TraceError, match=f"^{name} has no compiled form"):
        as_layer(name, ())


def test_a_product_with_a_bias_and_an_activation(backend, rng):
    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.enc = nn.Linear(5, 3)
            self.add_parameter("b", (5,), init=0.25)

        def forward(self, x):
            return F.linear(F.relu(self.enc(x)), self.enc.weight.T, self["b"], activation="tanh")

    net = nn.Sequential(Decoder(), nn.Linear(5, 2), seed=0, dtype="float64")
    x = draw(rng, (4, 5), "float64")
    hidden = np.maximum(x @ net["0.enc.weight"] + net["0.enc.bias"], 0)
    expected = np.tanh(hidden @ net["0.enc.weight"].T + 0.25)
    np.testing.assert_allclose(net.activations(x)["0"], expected, rtol=1e-12)
    assert_network_gradients(net, x, rng)
