"""fastnn.gradcheck: it passes what is right, and says what is wrong."""

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.gradcheck import GradcheckError


class Scale(nn.Module):
    """A layer of a user's own, right unless told otherwise."""

    def __init__(self, input_error=1.0, parameter_error=1.0, adds=True):
        super().__init__()
        self.add_parameter("factor", (2,), init=1.5)
        self.input_error, self.parameter_error, self.adds = input_error, parameter_error, adds

    def forward(self, x):
        self.x = x.copy()
        return self["factor"] * x

    def backward(self, grad_output):
        gradient = self.parameter_error * (grad_output * self.x).sum(axis=0)
        self.gradient("factor")[...] = gradient + (self.gradient("factor") if self.adds else 0)
        return self.input_error * self["factor"] * grad_output


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 2))


def test_what_is_right_passes(x, backend):
    for right in (
        Scale(),
        nn.Linear(2, 3),
        nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5), nn.Tanh(), Scale2(), seed=0),
        nn.MSELoss("sum"),
        lambda y_pred, y: (((y_pred - y) ** 2).sum(), 2 * (y_pred - y)),
    ):
        assert fastnn.gradcheck(right, x, None if isinstance(right, nn.Module) else x * 2)
    assert fastnn.gradcheck(nn.CrossEntropyLoss(label_smoothing=0.1), x, [0, 1, 1])


class Scale2(Scale):
    def __init__(self):
        nn.Module.__init__(self)
        self.add_parameter("factor", (4,), init=0.5)
        self.input_error, self.parameter_error, self.adds = 1.0, 1.0, True


def test_what_is_wrong_is_named(x):
    for wrong, message in (
        (Scale(input_error=1.1), r"Scale: the gradient of x\[0, 0\] is .*, differences give"),
        (Scale(parameter_error=-1), r"Scale: the gradient of 'factor'\[0\] is"),
        (Scale(adds=False), "Scale: backward must add to the gradient of 'factor', not replace it"),
        (nn.Sequential(nn.Linear(2, 2), Scale(1.1), seed=0), r"Sequential: the gradient of x\[0, 0\]"),
    ):
        with pytest.raises(GradcheckError, match=message):
            fastnn.gradcheck(wrong, x)
        assert not fastnn.gradcheck(wrong, x, raise_exception=False)
    with pytest.raises(GradcheckError, match=r"python: the gradient has shape \(3,\)|gradient has shape \(3,\)"):
        fastnn.gradcheck(lambda y_pred, y: (y_pred.sum(), np.ones(3)), x, x)


def test_what_is_checked_stays_as_it_is(x):
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), seed=3)
    layer = net[0]
    before, gradient = net.parameters().data.copy(), net.parameters().grad.copy()
    assert fastnn.gradcheck(net, x)
    assert fastnn.gradcheck(layer, x)
    np.testing.assert_array_equal(net.parameters().data, before)
    np.testing.assert_array_equal(net.parameters().grad, gradient)
    assert net.dtype == "float32"
    assert net._tick[0] == 0


def test_wrong_arguments(x):
    with pytest.raises(TypeError, match="what must be a layer, a network or a loss, got int"):
        fastnn.gradcheck(3, x)
    with pytest.raises(ValueError, match="target must be given"):
        fastnn.gradcheck(nn.MSELoss(), x)
    with pytest.raises(ValueError, match='reduction must be "mean" or "sum"'):
        fastnn.gradcheck(nn.MSELoss("none"), x, x)
    with pytest.raises(ValueError, match="eps must be above 0"):
        fastnn.gradcheck(nn.Tanh(), x, eps=0)
