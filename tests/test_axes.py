"""Operations along any axis, called `axis` or, as in PyTorch, `dim`: those along the last one, with axes moved."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import reference
from fastnn.testing.measure import assert_same_bits

SHAPE = (4, 2, 6)
ALONG_AXIS = ["softmax", "log_softmax"]
GATES = {"glu": (), "swiglu": (), "maxout": (2,)}


def last(function, dim, *arrays, **more):
    """The result of a function of the last axis, with axis `dim` in its place."""
    moved = [np.moveaxis(array, dim, -1) for array in arrays]
    return np.ascontiguousarray(np.moveaxis(function(*moved, **more), -1, dim))


@pytest.fixture(params=range(-3, 3))
def dim(request):
    return request.param


@pytest.mark.parametrize("name", ALONG_AXIS)
def test_softmax_along_dim(name, dim, dtype, backend, rng):
    x, g = (rng.normal(size=SHAPE).astype(dtype) for _ in range(2))
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    y = forward(x, dim=dim)
    assert_same_bits(y, forward(x, dim))
    assert_same_bits(y, last(forward, dim, x))
    assert_same_bits(backward(g, y, dim=dim), backward(g, y, dim))
    assert_same_bits(getattr(reference, name)(x, dim=dim), getattr(reference, name)(x, dim))
    gradient = getattr(reference, f"{name}_backward")
    assert_same_bits(gradient(g, y, dim=dim), gradient(g, y, dim))
    for call in (lambda: forward(x, 1, dim=dim), lambda: backward(g, y, 1, dim=dim)):
        with pytest.raises(TypeError, match="give axis or dim, not both"):
            call()


@pytest.mark.parametrize("name", GATES)
def test_gates_along_dim(name, dim, dtype, backend, rng):
    x, params = rng.normal(size=SHAPE).astype(dtype), GATES[name]
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    y = forward(x, *params, dim)
    assert y.shape == tuple(n // 2 if i == dim % 3 else n for i, n in enumerate(SHAPE))
    assert_same_bits(y, last(forward, dim, x))
    g = rng.normal(size=y.shape).astype(dtype)
    grad_x = backward(g, x, *params, dim=dim)
    assert_same_bits(grad_x, last(backward, dim, g, x))
    np.testing.assert_allclose(getattr(reference, name)(x, *params, dim), y, rtol=1e-5)
    np.testing.assert_allclose(getattr(reference, f"{name}_backward")(g, x, *params, dim), grad_x, rtol=1e-4, atol=1e-6)
    out, grad_out = np.empty_like(y), np.empty_like(x)
    assert forward(x, dim=dim, out=out) is out
    assert backward(g, x, dim=dim, out=grad_out) is grad_out
    assert_same_bits(out, y)
    assert_same_bits(grad_out, grad_x)


@pytest.mark.parametrize("name", GATES)
def test_gates_without_such_an_axis(name, backend):
    x = np.ones((4, 3))
    for dim in (2, -3):
        with pytest.raises(ValueError, match=rf"dim must be between -2 and 1 for x of shape \(4, 3\), got {dim}"):
            getattr(F, name)(x, dim=dim)
    with pytest.raises(ValueError, match="x has 3 features, but must have a multiple of 2"):
        getattr(F, name)(x, dim=1)
    with pytest.raises(ValueError, match=r"grad_output must have shape \(2, 3\) for x of shape \(4, 3\), got \(4, 3\)"):
        getattr(F, f"{name}_backward")(x, x, dim=0)


def test_glu_is_pytorchs_along_the_channels():
    """torch.nn.functional.glu(x, dim=1) with x = arange(8).reshape(1, 4, 2) - 4, recorded."""
    x = np.arange(8.0).reshape(1, 4, 2) - 4
    np.testing.assert_allclose(F.glu(x, 1), [[[-2.0, -2.1931757358900], [-1.7615941559558, -0.9525741268224]]])
