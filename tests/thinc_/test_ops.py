"""thinc's operations by fastnn: thinc's own tests, and comparisons with NumpyOps."""

import numpy as np
import pytest

pytest.importorskip("thinc", reason="thinc is not installed")
import thinc.api
from thinc.backends import NumpyOps

from fastnn.thinc import FastnnOps

pytestmark = pytest.mark.filterwarnings("ignore")
# thinc's own tests, with FastnnOps in the place of NumpyOps: they choose their operations when they are imported.
original, thinc.api.NumpyOps = thinc.api.NumpyOps, FastnnOps
try:
    import thinc.tests.backends.test_ops as suite
finally:
    thinc.api.NumpyOps = original
LEFT_OUT = {"test_get_ops"}  # compares classes with NumpyOps itself
try:
    float(np.ones(1))
except TypeError:  # since NumPy 2.4, with NumpyOps too; what it compares is compared below
    LEFT_OUT.add("test_compare_activations_to_torch")
globals().update(
    {name: test for name, test in vars(suite).items() if name.startswith("test_") and name not in LEFT_OUT}
)

OPS, PLAIN = FastnnOps(), NumpyOps()
RNG = np.random.default_rng(0)
MAPS = ["relu", "relu_k", "hard_tanh", "sigmoid", "gelu", "gelu_approx", "swish", "mish", "hard_swish_mobilenet"]


def draw(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_are_those_of_numpy_ops(name, dtype):
    x = 3 * draw(7, 5, dtype=dtype)
    np.testing.assert_allclose(getattr(OPS, name)(x), getattr(PLAIN, name)(x), rtol=1e-4, atol=1e-5)
    y, g = getattr(OPS, name)(x), draw(7, 5, dtype=dtype)
    given = {"relu": (y,), "sigmoid": (y,), "swish": (x, y)}.get(name, (x,))
    expected = getattr(PLAIN, f"backprop_{name}")(g, *given)
    np.testing.assert_allclose(getattr(OPS, f"backprop_{name}")(g, *given), expected, rtol=1e-4, atol=1e-5)
    z = x.copy()
    assert getattr(OPS, name)(z, inplace=True) is z
    np.testing.assert_array_equal(z, y)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_products(first, second):
    x, y = draw(*((4, 6) if first else (6, 4))), draw(*((5, 4) if second else (4, 5)))
    expected = PLAIN.gemm(x, y, trans1=first, trans2=second)
    np.testing.assert_allclose(OPS.gemm(x, y, trans1=first, trans2=second), expected, rtol=1e-5, atol=1e-6)
    out = np.empty((6, 5), "float32")
    assert OPS.gemm(x, y, out=out, trans1=first, trans2=second) is out
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


def test_adam_and_dropout():
    states = [[draw(20), draw(20), draw(20), np.abs(draw(20))]]
    states.append([a.copy() for a in states[0]])
    for ops, state in zip((OPS, PLAIN), states, strict=True):
        for _ in range(3):
            state[1][...] = 0.5
            ops.adam(*state, 0.9, 0.999, 1e-8, 0.01)
    for mine, other in zip(*states, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
    np.random.seed(0)
    mask = OPS.get_dropout_mask((100, 100), 0.25)
    np.random.seed(0)
    np.testing.assert_array_equal(mask, OPS.get_dropout_mask((100, 100), 0.25))
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)} and 0.7 < (mask > 0).mean() < 0.8


def test_a_model_trains_on_the_same_path():
    from thinc.api import Adam, Mish, Softmax, chain, fix_random_seed

    losses = []
    for ops in (OPS, PLAIN):
        with thinc.api.use_ops("numpy"):
            thinc.api.set_current_ops(ops)
            fix_random_seed(0)
            model = chain(Mish(16), Softmax())
            x, y = np.random.default_rng(1).normal(size=(32, 8)).astype("f"), np.eye(4, dtype="f")[np.arange(32) % 4]
            model.initialize(X=x, Y=y)
            optimizer, path = Adam(0.01), []
            for _ in range(10):
                guess, backprop = model.begin_update(x)
                backprop((guess - y) / len(y))
                model.finish_update(optimizer)
                path.append(float(((guess - y) ** 2).sum()))
            losses.append(path)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0][-1] < losses[0][0]
