"""Where values of a graph meet: one joint at a time, values and gradients by hand, with infinities and NaN."""

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.compiler.joints import JOINTS
from fastnn.testing.measure import assert_same_bits

A = np.array([[1.0, -2.0, 0.5], [4.0, 0.25, -8.0]])
B = np.array([[2.0, 4.0, -0.5], [0.5, -0.125, 2.0]])
G = np.array([[1.0, 2.0, 4.0], [-1.0, 0.5, 8.0]])
# The value of two matrices, and the gradients of each.
JOINED = {
    "add": (lambda a, b: a + b, A + B, G, G),
    "subtract": (lambda a, b: a - b, A - B, G, -G),
    "multiply": (lambda a, b: a * b, A * B, G * B, G * A),
    "divide": (lambda a, b: a / b, A / B, G / B, -(G / B) * (A / B)),
    "concat": (lambda a, b: fastnn.concat([a, b]), np.hstack([A, B]), G, 2 * G),
}


class Join(nn.Module):
    """Joins the two halves of x."""

    def __init__(self, join):
        super().__init__()
        self.join = join

    def forward(self, x):
        return self.join(x[:, :3], x[:, 3:])


def test_every_joint_is_tested():
    assert set(JOINTS) == {*JOINED, "sum", "expand", "constant", "parameter"}


@pytest.mark.parametrize("joint", JOINED)
def test_values_and_gradients(joint, backend, dtype):
    join, y, grad_a, grad_b = JOINED[joint]
    net = nn.Sequential(Join(join), seed=0, dtype=dtype)
    x = np.hstack([A, B]).astype(dtype)
    g = np.hstack([G, 2 * G]) if joint == "concat" else G
    assert_same_bits(net(x), y.astype(dtype))
    assert_same_bits(net.backward(g.astype(dtype)), np.hstack([grad_a, grad_b]).astype(dtype))


def test_sums_and_rows(backend, dtype):
    class Sums(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_parameter("w", (3,), init=[1.0, 2.0, 4.0])

        def forward(self, x):
            return x.sum(-1, keepdim=True) * self["w"] + [0.5, 0.0, -0.5]

    net = nn.Sequential(Sums(), seed=0, dtype=dtype)
    assert net(A.astype(dtype)).tolist() == [[0.0, -1.0, -2.5], [-3.25, -7.5, -15.5]]  # sums -0.5 and -3.75
    grad = net.backward(G.astype(dtype))
    assert grad.tolist() == [[21.0] * 3, [32.0] * 3]  # G w
    assert net[0].gradient("w").tolist() == (-0.5 * G[0] - 3.75 * G[1]).tolist()


@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan, 0.0])
def test_special_values_follow_ieee_754_and_stay_in_their_row(special, backend):
    a, b = A.copy(), B.copy()
    b[0, 1] = special
    with np.errstate(all="ignore"):
        for joint in ("add", "subtract", "multiply", "divide"):
            join, expected = JOINED[joint][0], JOINED[joint][0](a, b)
            net = nn.Sequential(Join(join), seed=0, dtype="float64")
            x = np.hstack([a, b])
            np.testing.assert_array_equal(net(x), expected)
            grad = net.backward(np.ones((2, 3)))
            assert np.isfinite(grad[1]).all()
            np.testing.assert_array_equal(net.predict(x), expected)


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_any_number_of_rows(rows, backend):
    net = nn.Sequential(Join(lambda a, b: fastnn.concat([a * b, a.mean(-1, keepdim=True)])), seed=0)
    x = np.ones((rows, 6), "float32")
    assert net.predict(x).tolist() == [[1.0] * 4] * rows
    assert net.backward(np.ones_like(net(x))).shape == x.shape
