"""Initial values by the name of a rule, and arrays or numbers in its place."""

import numpy as np
import pytest

from fastnn import nn


def test_values_can_be_given():
    weight = np.arange(6.0).reshape(2, 3)
    layer = nn.Linear(2, 3, weight_init=weight, bias_init=0.5)
    assert np.array_equal(layer.weight, weight) and (layer.bias == 0.5).all()
    assert (nn.Linear(2, 3, weight_init="identity").weight == np.eye(2, 3)).all()
    assert nn.Linear(0, 3, weight_init="kaiming_normal").weight.shape == (0, 3)


@pytest.mark.parametrize(
    ("keras", "torch"),
    [
        ("glorot_uniform", "xavier_uniform"),
        ("glorot_normal", "xavier_normal"),
        ("he_uniform", "kaiming_uniform"),
        ("he_normal", "kaiming_normal"),
    ],
)
def test_names_of_keras_are_other_names(keras, torch):
    """As a string, a rule and a function."""
    layers = [nn.Linear(30, 20, weight_init=name, seed=3).weight for name in (keras, torch)]
    np.testing.assert_array_equal(*layers)
    camel = "".join(map(str.title, keras.split("_")))
    rule = nn.Linear(30, 20, weight_init=getattr(nn.init, camel)(), seed=3).weight
    np.testing.assert_array_equal(rule, layers[0])
    arrays = [getattr(nn.init, f"{name}_")(np.empty((30, 20)), seed=3) for name in (keras, torch)]
    np.testing.assert_array_equal(*arrays)


def test_the_truncated_normal_of_keras():
    """Its variance is that of the rule."""
    std = np.sqrt(2 / 200) / 0.87962566
    weight = nn.init.trunc_normal_(np.empty((200, 500)), 0.0, std, -2 * std, 2 * std, seed=0)
    assert abs(weight.std() / np.sqrt(2 / 200) - 1) < 0.01
    assert np.abs(weight).max() <= 2 * std


def test_layers_of_ones_own_take_names():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_parameter("factor", (4,), init="ones")

    assert (nn.Sequential(Scale(), seed=0)["0.factor"] == 1).all()
