"""Hyperparameters as attributes of optimizers: what they start from, and what can be set."""

import pytest

from fastnn import optim
from test_optimizer import parameters


def test_attributes_are_the_hyperparameters():
    params = parameters()
    adam = optim.Adam(params, lr=0.5, betas=(0.1, 0.2), eps=0.3, weight_decay=0.4)
    assert (adam.lr, adam.betas, adam.beta1, adam.beta2) == (0.5, (0.1, 0.2), 0.1, 0.2)
    assert (adam.eps, adam.weight_decay) == (0.3, 0.4)
    assert repr(adam) == "Adam(lr=0.5, betas=(0.1, 0.2), eps=0.3, weight_decay=0.4)"
    sgd = optim.SGD(params, lr=0.5, momentum=0.25, nesterov=True)
    assert (sgd.momentum, sgd.dampening, bool(sgd.nesterov)) == (0.25, 0.0, True)
    rmsprop = optim.RMSprop(params, alpha=0.5, momentum=0.25)
    assert (rmsprop.alpha, rmsprop.momentum) == (0.5, 0.25)
    adagrad = optim.Adagrad(params, lr_decay=0.5, initial_accumulator_value=2.0)
    assert adagrad.lr_decay == 0.5
    assert (adagrad.states["state_sum"] == 2.0).all()


def test_defaults_are_those_of_pytorch():
    params = parameters()
    assert optim.SGD(params).lr == optim.Adam(params).lr == optim.AdamW(params).lr == 1e-3
    assert optim.RMSprop(params).lr == optim.Adagrad(params).lr == 1e-2
    assert optim.Adam(params).betas == (0.9, 0.999)
    assert optim.Adam(params).eps == optim.RMSprop(params).eps == 1e-8
    assert (optim.Adagrad(params).eps, optim.RMSprop(params).alpha) == (1e-10, 0.99)
    assert (optim.Adam(params).weight_decay, optim.AdamW(params).weight_decay) == (0.0, 1e-2)


@pytest.mark.parametrize(
    ("cls", "name", "bad"),
    [
        (optim.SGD, "lr", -1),
        (optim.SGD, "lr", float("nan")),
        (optim.SGD, "momentum", -0.1),
        (optim.SGD, "weight_decay", -1e-9),
        (optim.Adagrad, "lr_decay", -1),
        (optim.Adagrad, "eps", -1e-9),
        (optim.Adagrad, "initial_accumulator_value", -1),
        (optim.RMSprop, "alpha", 1.5),
        (optim.RMSprop, "momentum", -1),
        (optim.Adam, "betas", (0.5, 1.0)),
        (optim.Adam, "betas", (-0.1, 0.5)),
        (optim.Adam, "eps", -1),
        (optim.AdamW, "weight_decay", -1),
    ],
)
def test_a_rate_out_of_range_is_refused_and_forgotten(cls, name, bad):
    optimizer = cls(parameters())
    before = optimizer.state_dict()["hyper"]
    with pytest.raises(ValueError, match=rf"^{name}(\[[01]\])? must be "):
        cls(optimizer.params, **{name: bad})
    if name != "initial_accumulator_value":
        with pytest.raises(ValueError, match=rf"^{name}(\[[01]\])? must be "):
            setattr(optimizer, name, bad)
    assert optimizer.state_dict()["hyper"] == before
