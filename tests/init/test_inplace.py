"""Initial values for arrays, in place: those of the layers of a network with the same seed."""

import numpy as np
import pytest

from fastnn import nn
from fastnn.nn import init


def make(rule, *more, seed=0, dtype="float32"):
    layers = [nn.Linear(20, 30, weight_init=rule), nn.ReLU(), nn.Linear(30, 30, weight_init=rule, bias_init="normal")]
    return nn.Sequential(*layers, *more, seed=seed, dtype=dtype)


def test_the_first_layer_has_the_numbers_of_the_functions():
    assert np.array_equal(
        make("orthogonal", seed=9)["0.weight"], init.orthogonal_(np.empty((20, 30), "float32"), seed=9)
    )


def test_every_name_is_a_rule_and_a_function():
    for name in init.names.NAMES:
        assert callable(getattr(init, f"{'eye' if name == 'identity' else name}_"))
    with pytest.raises(NotImplementedError, match="Own must define __call__"):
        type("Own", (nn.init.Initializer,), {})()((2, 2), None)
