"""What cannot be traced says which line, and why."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn

ELSEWHERE = nn.Linear(2, 2, seed=0)
CASES = {
    "a branch on values": (lambda self, x: x if x.sum(-1, keepdim=True) else -x, "depends on the values of x"),
    "a comparison": (lambda self, x: x * (x > 0), "a comparison of values has no compiled form"),
    "a loop over samples": (lambda self, x: [row for row in x], "there is no loop over samples"),  # noqa: C416
    "the number of rows": (lambda self, x: x / len(x), "the number of rows is not known"),
    "a NumPy function": (lambda self, x: np.sort(x), "np.sort has no compiled form"),
    "a ufunc": (lambda self, x: np.arctan(x), "np.arctan has no compiled form"),
    "an unknown method": (lambda self, x: x.flip(0), "no attribute 'flip'"),
    "a value": (lambda self, x: x * float(x), "x has no values yet"),
    "writing": (lambda self, x: x.__setitem__(0, 1.0), "columns cannot be written"),
    "rows": (lambda self, x: x[0:2], "only columns can be chosen"),
    "one column": (lambda self, x: x[:, 1], r"write x\[:, 1:2\]"),
    "a sum over rows": (lambda self, x: x.sum(0, keepdim=True), "over the features"),
    "a sum without its axis": (lambda self, x: x.sum(-1), r"x\.sum\(dim=-1, keepdim=True\)"),
    "features that differ": (lambda self, x: x + x[:, 0:1] * x[:, :2] + fastnn.concat([x, x]), "they must be equal"),
    "a matrix of numbers": (lambda self, x: x + np.ones((2, 4)), "a number or a row of them"),
    "a power": (lambda self, x: x**0.5, "only the powers"),
    "a softmax over rows": (lambda self, x: F.softmax(x, 0), "over the features"),
    "a function without a layer": (lambda self, x: F.layer_norm(x), "takes arrays, and x has no values yet"),
    "division by 0": (lambda self, x: x / 0, "division by 0"),
    "a product with numbers": (lambda self, x: x @ np.ones((4, 2)), "must be a parameter"),
    "no result": (lambda self, x: None, "must return one matrix, computed from x, got NoneType"),
    "two results": (lambda self, x: (x, x), "must return one matrix, computed from x, got tuple"),
    "a layer of its own": (lambda self, x: nn.Linear(4, 4)(x), "make it in __init__"),
    "a layer from elsewhere": (lambda self, x: ELSEWHERE(x[:, :2]), "make it in __init__"),
    "the dtype": (lambda self, x: x * x.dtype.type(2), "the dtype is that of the network"),
    "joined by rows": (lambda self, x: fastnn.concat([x, x], axis=0), "joined by their features"),
}


def module(forward):
    return type("Wrong", (nn.Module,), {"forward": forward})()


@pytest.mark.parametrize("case", CASES)
def test_the_message_has_the_reason_and_the_line(case):
    forward, message = CASES[case]
    with pytest.raises(nn.TraceError, match=message) as caught:
        nn.Sequential(nn.Linear(4, 4), module(forward), seed=0)(np.ones((3, 4), "float32"))
    if "must return" not in message:
        line = forward.__code__.co_firstlineno
        assert f"Wrong.forward cannot be traced, test_errors.py, line {line}" in str(caught.value)
        assert "a module that also defines backward(grad_output) runs in Python instead" in str(caught.value)


def test_it_is_raised_when_the_network_is_made_if_the_features_are_known():
    with pytest.raises(nn.TraceError):
        nn.Sequential(nn.Linear(4, 4), module(CASES["a comparison"][0]))


def test_a_forward_must_use_its_input():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_parameter("w", (4,))

        def forward(self, x):
            return self["w"] * 2.0

    with pytest.raises(nn.TraceError, match=r"Own\.forward does not use its input"):
        nn.Sequential(nn.Linear(4, 4), Own())


def test_a_python_layer_is_called_once():
    class Scale(nn.Module):
        def forward(self, x):
            return 2 * x

        def backward(self, grad_output):
            return 2 * grad_output

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = Scale()

        def forward(self, x):
            return self.scale(self.scale(x))

    with pytest.raises(nn.TraceError, match=r"Scale has a backward of its own, .*: call it once"):
        nn.Sequential(nn.Linear(4, 4), Twice())


def test_matrices_of_another_forward_are_refused():
    class Keeps(nn.Module):
        def forward(self, x):
            kept = self.__dict__.setdefault("kept", x)
            return x + kept

    with pytest.raises(nn.TraceError, match="a matrix of another forward"):
        nn.Sequential(nn.Linear(4, 4), Keeps())(np.ones((3, 4), "float32"))


def test_errors_of_ones_own_are_passed_on():
    class Fails(nn.Module):
        def forward(self, x):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        nn.Sequential(nn.Linear(4, 4), Fails())(np.ones((3, 4), "float32"))


def test_two_layers_of_one_kind_that_do_not_fit_are_named():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 5), nn.Linear(6, 2)

        def forward(self, x):
            return self.fc2(self.fc1(x))

    with pytest.raises(nn.TraceError, match=r"fc2 takes 6 features but gets 5"):
        nn.Sequential(nn.Linear(4, 4), Pair())
