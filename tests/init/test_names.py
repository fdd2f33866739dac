"""Initial values by the name of a rule, and arrays or numbers in its place."""

import numpy as np

from fastnn import nn


def test_values_can_be_given():
    weight = np.arange(6.0).reshape(2, 3)
    layer = nn.Linear(2, 3, weight_init=weight, bias_init=0.5)
    assert np.array_equal(layer.weight, weight) and (layer.bias == 0.5).all()
    assert (nn.Linear(2, 3, weight_init="identity").weight == np.eye(2, 3)).all()
    assert nn.Linear(0, 3, weight_init="kaiming_normal").weight.shape == (0, 3)


def test_layers_of_ones_own_take_names():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_parameter("factor", (4,), init="ones")

    assert (nn.Sequential(Scale(), seed=0)["0.factor"] == 1).all()
