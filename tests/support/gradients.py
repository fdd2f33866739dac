"""Gradients by central differences, to compare others with."""

import numpy as np

EPS = 1e-6


def differences(f, x):
    """Central differences of the scalar f at each entry of x."""
    grad = np.empty_like(x)
    for index in np.ndindex(x.shape):
        values = []
        for step in (EPS, -EPS):
            moved = x.copy()
            moved[index] += step
            values.append(f(moved))
        grad[index] = (values[0] - values[1]) / (2 * EPS)
    return grad


def assert_gradient(actual, f, x):
    np.testing.assert_allclose(actual, differences(f, x), rtol=1e-3, atol=1e-5)
