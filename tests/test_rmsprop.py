"""Centered RMSprop of constant gradients."""

import numpy as np
import pytest

import fastnn.optim.functional as optim


@pytest.mark.parametrize("compat", ["torch", "keras"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_centered_rmsprop_of_constant_gradients(compat, momentum, dtype, isa, backend, rng):
    """The variance is 0, whatever rounding makes of it: no step is larger than lr g / eps, and none is NaN."""
    grad = rng.normal(size=37).astype(dtype) * 10.0 ** rng.integers(-3, 4, 37).astype(dtype)
    states = [np.zeros_like(grad) for _ in range(3 if momentum else 2)]
    param = np.zeros_like(grad)
    eps = 1e-3
    for _ in range(400):
        before = param.copy()
        optim.rmsprop_step(
            param, grad, *states, centered=True, alpha=0.9, lr=0.1, eps=eps, momentum=momentum, compat=compat
        )
        largest = 0.1 * np.abs(grad) / (eps if compat == "torch" else eps**0.5) / (1 - momentum)
        assert (np.abs(param - before) <= 1.01 * largest).all()
    assert (np.sign(param) == -np.sign(grad)).all()


def test_centered_is_true_or_false():
    with pytest.raises(TypeError, match="centered must be True or False, got 'no'"):
        optim.rmsprop_step(np.ones(2), np.ones(2), np.zeros(2), np.zeros(2), centered="no")
