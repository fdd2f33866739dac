"""SGD: momentum and Nesterov, switched on and off."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from test_optimizer import bits, parameters


def test_momentum_cannot_be_switched_on_where_there_is_no_buffer_for_it():
    """Both ways to step agree: no step that silently leaves the momentum out."""
    for cls in (optim.SGD, optim.RMSprop):
        with pytest.raises(ValueError, match="momentum"):
            cls(parameters()).momentum = 0.9
        optimizer = cls(parameters(), momentum=0.5)
        optimizer.momentum = 0.9
        assert optimizer.momentum == 0.9


@pytest.mark.parametrize("cls", [optim.SGD, optim.RMSprop])
def test_momentum_that_is_switched_off_leaves_its_buffer(cls):
    """Both ways to step agree."""
    x, y = np.ones((4, 2)), np.ones((4, 1))
    nets = [nn.Sequential(nn.Linear(2, 1), seed=0, dtype="float64") for _ in range(2)]
    optimizers = [cls(net.parameters(), lr=0.1, momentum=0.5) for net in nets]
    if cls is optim.SGD:
        for optimizer in optimizers:
            optimizer.dampening = 0.5
    trainer = fastnn.Trainer(nets[0], nn.MSELoss(), optimizers[0])
    for momentum in (0.5, 0.0, 0.0, 0.5):
        for optimizer in optimizers:
            optimizer.momentum = momentum
        trainer.step(x, y)
        nets[1].backward(nn.MSELoss()(nets[1](x), y)[1])
        optimizers[1].step()
        optimizers[1].zero_grad()
        assert bits(nets[0].parameters()) == bits(nets[1].parameters())


def test_hyperparameters_that_do_not_go_together():
    net = nn.Sequential(nn.Linear(2, 2), seed=0)
    sgd = optim.SGD(net.parameters(), momentum=0.9, nesterov=True)
    assert sgd.nesterov is True
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        sgd.momentum = 0.0
    with pytest.raises(TypeError, match="nesterov must be True or False"):
        sgd.nesterov = "yes"
    state = sgd.state_dict()
    for name, value in (("lr", -1.0), ("momentum", 0.0)):
        broken = {**state, "hyper": {**state["hyper"], name: value}}
        with pytest.raises(ValueError, match=r"lr must be|nesterov needs"):
            sgd.load_state_dict(broken)
    assert sgd.state_dict()["hyper"] == state["hyper"]
