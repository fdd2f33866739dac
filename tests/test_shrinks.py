"""Shrinks and their kin: values by hand, what is refused, PyTorch's spellings of the layers."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits

NAN, INF = np.nan, np.inf


def test_values_by_hand(dtype, isa, backend):
    x = np.array([-INF, -2, -0.5, -0.25, -0.0, 0.25, 0.5, 2, INF, NAN], dtype)
    for y, expected in (
        (F.softshrink(x), [-INF, -1.5, 0, 0, 0, 0, 0, 1.5, INF, NAN]),
        (F.hardshrink(x), [-INF, -2, 0, 0, 0, 0, 0, 2, INF, NAN]),
        (F.hardshrink(x, 0.25), [-INF, -2, -0.5, 0, 0, 0, 0.5, 2, INF, NAN]),
        (F.threshold(x, 0.25, 7.0), [7, 7, 7, 7, 7, 7, 0.5, 2, INF, NAN]),
    ):
        np.testing.assert_array_equal(y, expected)
        assert not np.signbit(y[y == 0]).any()
    slopes = [1, 1, 0, 0, 0, 0, 0, 1, 1, 1]
    for gradient in (F.softshrink_backward, F.hardshrink_backward):
        np.testing.assert_array_equal(gradient(np.ones_like(x), x), slopes)


def test_tanhshrink_near_0_does_not_cancel(dtype, isa, backend):
    """There it is x^3 / 3; x - tanh(x) would be a multiple of the rounding error of x."""
    x = np.array([1e-10, 1e-7, 1e-4, -1e-4], dtype)
    wide = x.astype("float64")
    rtol = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(F.tanhshrink(x), wide**3 / 3 - 2 * wide**5 / 15, rtol=rtol)


def test_what_is_refused(backend):
    x = np.ones(3)
    for name in ("softshrink", "hardshrink"):
        for function, args in ((getattr(F, name), (x,)), (getattr(F, f"{name}_backward"), (x, x))):
            with pytest.raises(ValueError, match=r"lambd must be at least 0, got -0\.5"):
                function(*args, -0.5)
    for layer in (nn.Softshrink, nn.Hardshrink):
        with pytest.raises(ValueError, match=r"lambd must be at least 0\.0, got -0\.5"):
            layer(-0.5)
    for eps in (-0.1, 0.75, NAN):
        with pytest.raises(ValueError, match=r"eps must be at least 0\.0 and at most 0\.5"):
            F.logit(x, eps)
        with pytest.raises(ValueError, match=r"eps must be at least 0\.0 and at most 0\.5"):
            F.logit_backward(x, x, eps)
    with pytest.raises(TypeError, match="eps must be a number, got str"):
        F.logit(x, "a")
    for bad, error in ((NAN, ValueError), ("a", TypeError)):
        for function, args in ((F.threshold, (x,)), (F.threshold_backward, (x, x)), (nn.Threshold, ())):
            with pytest.raises(error, match="threshold must be a number"):
                function(*args, threshold=bad, value=0.0)
            with pytest.raises(error, match="value must be a number"):
                function(*args, threshold=0.0, value=bad)
    with pytest.raises(TypeError, match="value"):
        nn.Threshold(0.5)


INPLACE = {
    "ReLU": (), "ReLU6": (), "SELU": (), "SiLU": (), "Mish": (), "Hardsigmoid": (), "Hardswish": (),
    "LeakyReLU": (0.1,), "ELU": (1.0,), "CELU": (1.0,), "Hardtanh": (-1.0, 1.0), "Threshold": (0.5, 0.25),
    "RReLU": (0.1, 0.3), "Dropout": (0.5,), "AlphaDropout": (0.5,),
}  # fmt: skip


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_is_accepted_where_pytorch_has_it(name):
    """At the place that it has there, and as a keyword; x stays as it is."""
    layer, args, x = getattr(nn, name), INPLACE[name], np.linspace(-2, 2, 5).reshape(1, 5)
    before, expected = x.copy(), layer(*args).eval()(x)
    for made in (layer(*args, True), layer(*args, inplace=True), layer(*args, inplace=False)):
        assert_same_bits(made.eval()(x), expected)
        assert made.config()["inplace"] in (True, False)
    assert_same_bits(x, before)
    with pytest.raises(TypeError, match="inplace must be True or False, got 1"):
        layer(*args, inplace=1)


@pytest.mark.parametrize("name", ["Sigmoid", "Tanh", "LogSigmoid", "Tanhshrink", "Softsign"])
def test_inplace_is_refused_elsewhere(name):
    with pytest.raises(TypeError, match="inplace"):
        getattr(nn, name)(inplace=True)


def test_layers_in_a_file(tmp_path, rng):
    layers = [nn.Linear(3, 5), nn.Threshold(-0.5, 0.25, True), nn.Linear(5, 4), nn.Softshrink(0.25), nn.Linear(4, 4),
              nn.Hardshrink(0.125), nn.Linear(4, 4), nn.LogSigmoid(), nn.Tanhshrink(), nn.RReLU(),
              nn.Softmin(1)]  # fmt: skip
    net = nn.Sequential(*layers, seed=0)
    net.save(tmp_path / "net.safetensors")
    x = rng.normal(size=(7, 3)).astype("float32")
    twin = fastnn.load(tmp_path / "net.safetensors")
    assert repr(twin) == repr(net)
    assert_same_bits(twin.predict(x), net.predict(x))
