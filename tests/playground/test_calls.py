"""What is made and what is written are the same call."""

import numpy as np
import pytest

from fastnn import nn, optim
from fastnn.playground import recipes
from fastnn.playground.calls import Call, Name
from fastnn.playground.choices import INITS
from fastnn.playground.settings import from_json


def test_a_call_is_made_with_calls_and_names_within():
    call = Call("nn.Sequential", Call("nn.Linear", 2, Name("units"), bias=False), Call("nn.ReLU"), seed=3)
    assert str(call) == "nn.Sequential(nn.Linear(2, units, bias=False), nn.ReLU(), seed=3)"
    net = call.make({"units": 4})
    assert np.array_equal(net[0].weight, eval(str(call), {"nn": nn, "units": 4})[0].weight)


def test_lists_are_made_and_written_part_by_part():
    call = Call("data.make_blobs", 4, centers=[[0.0, 1.0]], spread=0, seed=0)
    assert str(call) == "data.make_blobs(4, centers=[[0.0, 1.0]], spread=0, seed=0)"
    assert call.make({})[0].tolist() == [[0, 1]] * 4


@pytest.mark.parametrize("init", INITS)
def test_every_initial_value_can_be_made(init):
    settings = from_json({"init": init, "layers": [{"units": 16}, {"units": 16}]})
    net = recipes.network(settings).make({})
    same = eval(str(recipes.network(settings)), {"nn": nn})
    assert np.array_equal(net.parameters().data, same.parameters().data)
    assert np.isfinite(net.parameters().data).all()
    if init == "wide":
        assert 4 < net[2].weight.std() < 6
    if init == "zeros":
        assert not net[2].weight.any()


def test_betas_are_a_pair():
    settings = from_json({"optimizer": {"kind": "Adam", "numbers": {"lr": 0.5, "beta1": 0.8}}})
    assert recipes.hyperparameters(settings) == {"lr": 0.5, "betas": (0.8, 0.999), "eps": 1e-8, "weight_decay": 0.0}
    net = recipes.network(settings).make({})
    optimizer = recipes.optimizer(settings).make({"net.parameters()": net.parameters()})
    assert isinstance(optimizer, optim.Adam)
    assert (optimizer.lr, optimizer.betas) == (0.5, (0.8, 0.999))
