"""Operators of symbols, beside what they do to arrays."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn

X = np.array([[1.0, -2.0, 0.5, 3.0], [4.0, 0.25, -8.0, -1.0]])
# Each is computed with arrays, and with the symbols of a forward.
EXPRESSIONS = {
    "numbers on the left": lambda x: 2.0 + 3.0 * (1.0 - x),
    "numbers on the right": lambda x: (x - 2) * 0.5 / 4 + 1,
    "a number divided": lambda x: 6.0 / x,
    "signs": lambda x: -(+x),
    "powers": lambda x: x**1 + x**2 - x**3 + x**4 + 1.0 / x**-1,
    "NumPy's numbers": lambda x: np.float32(2) * x + np.int64(3) - np.float64(0.5) * x,
    "NumPy's functions": lambda x: np.add(x, np.multiply(x, 2.0)) - np.negative(x) + np.subtract(1.0, x) / np.exp(0.0),
    "rows": lambda x: np.array([1.0, 2.0, 3.0, 4.0]) * x - np.arange(4),
    "one number in a row": lambda x: x * np.array([2.0]),
    "columns": lambda x: x[:, ::-1] + x[:, [0, 0, 1, 2]] + x[:, -1:] + x[..., 1:2],
    "joined by NumPy": lambda x: np.concatenate([x, x[:, :1]], axis=-1),
    "joined": lambda x: fastnn.concat([x, x * 2.0, x[:, 1:2]]),
    "stacked by NumPy": lambda x: np.hstack([x, x]),
    "tanh of NumPy": lambda x: np.tanh(x),
    "sums": lambda x: np.sum(x, axis=-1, keepdims=True) + x.sum(axis=-1, keepdims=True),
    "means": lambda x: np.mean(x, axis=1, keepdims=True) * x.mean(axis=1, keepdims=True),
    "the largest": lambda x: np.max(x, axis=-1, keepdims=True) - x.max(axis=-1, keepdims=True) + x,
    "functions": lambda x: F.leaky_relu(x, 0.25) + F.elu(x, 0.5) - F.gelu(x, "tanh") + F.hardtanh(x, -0.5, 2.0),
    "functions of two arrays": lambda x: F.multiply(F.add(x, x), F.subtract(x, F.divide(x, x * x + 1.0))),
    "more functions": lambda x: F.logit(F.sigmoid(x)) + F.logit(x, 0.25) + F.logsigmoid(x) + F.tanhshrink(x),
    "shrinks": lambda x: F.threshold(x, 0.75, 0.25) + F.softshrink(x, 0.3) - F.hardshrink(x, 0.6) + F.rrelu(x),
    "softmin": lambda x: F.softmin(x, dim=-1, temperature=0.5),
    "elementary functions": lambda x: (
        F.exp(x * 0.1) + F.expm1(x * 0.5) + F.log(x * x + 1.0) + F.log1p(x * x) + F.erf(x)
    ),
    "softmax at a temperature": lambda x: F.softmax(x, temperature=2.0) + F.log_softmax(x, 1),
    "gates": lambda x: F.glu(x) + F.swiglu(x) + F.maxout(x),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_symbols_compute_what_arrays_compute(name, backend):
    expression = EXPRESSIONS[name]

    class Computes(nn.Module):
        def forward(self, x):
            return expression(x)

    net = nn.Sequential(Computes(), seed=0, dtype="float64")
    np.testing.assert_allclose(net.predict(X), expression(X), rtol=1e-14, atol=1e-15)
    assert fastnn.gradcheck(net, X + 0.01)


def test_a_symbol_has_the_shape_that_is_known():
    seen = []

    class Looks(nn.Module):
        def forward(self, x):
            seen.append((x.shape, x.ndim, repr(x)))
            return x

    nn.Sequential(Looks(), seed=0).predict(X.astype("float32"))
    assert seen[-1] == ((None, 4), 2, "Symbol(rows, 4)")


def test_a_parameter_has_its_shape_and_transpose():
    seen = []

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_parameter("w", (4, 2), init="ones")

        def forward(self, x):
            w = self["w"]
            seen.append((w.shape, w.T.shape, w.T.T.shape, w.ndim, repr(w.T)))
            return F.linear(x @ w, w.T)

    net = nn.Sequential(Own(), seed=0, dtype="float64")
    assert net.predict(np.ones((1, 4))).tolist() == [[8.0] * 4]
    assert seen[-1] == ((4, 2), (2, 4), (4, 2), 2, "w.T")
    assert net[0]["w"].shape == (4, 2)  # an array again
