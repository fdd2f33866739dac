"""Optimizers as objects: they are the functions of optim.functional with a memory."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.nn.parameters import Parameters
from fastnn.optim import functional
from fastnn.testing.cases.records import numbered

# class, arguments, function, the names of its states in the function's order
CONFIGURATIONS = {
    "sgd": (optim.SGD, {}, ()),
    "sgd_decay": (optim.SGD, {"lr": 0.1, "weight_decay": 0.1}, ()),
    "momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9}, ("momentum_buffer",)),
    "dampening": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.2}, ("momentum_buffer",)),
    "nesterov": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}, ("momentum_buffer",)),
    "adagrad": (optim.Adagrad, {}, ("state_sum",)),
    "adagrad_all": (optim.Adagrad, {"lr_decay": 0.1, "weight_decay": 0.1, "eps": 1e-6}, ("state_sum",)),
    "rmsprop": (optim.RMSprop, {}, ("square_avg",)),
    "rmsprop_centered": (optim.RMSprop, {"alpha": 0.9, "centered": True}, ("square_avg", "grad_avg")),
    "rmsprop_momentum": (optim.RMSprop, {"momentum": 0.9}, ("square_avg", "momentum_buffer")),
    "adam": (optim.Adam, {}, ("exp_avg", "exp_avg_sq")),
    "adam_decay": (optim.Adam, {"betas": (0.8, 0.9), "weight_decay": 0.1}, ("exp_avg", "exp_avg_sq")),
    "amsgrad": (optim.Adam, {"amsgrad": True}, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")),
    "adam_keras": (optim.Adam, {"compat": "keras", "weight_decay": 0.1}, ("exp_avg", "exp_avg_sq")),
    "adam_onnx": (optim.Adam, {"compat": "onnx"}, ("exp_avg", "exp_avg_sq")),
    "adamw_onnx": (optim.AdamW, {"compat": "onnx", "weight_decay": 0.01}, ("exp_avg", "exp_avg_sq")),
    "sgd_keras": (optim.SGD, {"compat": "keras", "momentum": 0.9, "nesterov": True}, ("momentum_buffer",)),
    "sgd_onnx": (optim.SGD, {"compat": "onnx", "momentum": 0.9, "dampening": 0.1}, ("momentum_buffer",)),
    "rmsprop_keras": (optim.RMSprop, {"compat": "keras", "momentum": 0.9}, ("square_avg", "momentum_buffer")),
    "adagrad_onnx": (optim.Adagrad, {"compat": "onnx", "lr_decay": 0.1}, ("state_sum",)),
    "adadelta": (optim.Adadelta, {"weight_decay": 0.1}, ("square_avg", "acc_delta")),
    "nadam": (optim.NAdam, {}, ("exp_avg", "exp_avg_sq")),
    "nadam_all": (
        optim.NAdam,
        {"momentum_decay": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
        ("exp_avg", "exp_avg_sq"),
    ),
    "radam": (optim.RAdam, {"betas": (0.9, 0.99)}, ("exp_avg", "exp_avg_sq")),
    "radam_decay": (
        optim.RAdam,
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        ("exp_avg", "exp_avg_sq"),
    ),
    "adamax": (optim.Adamax, {"weight_decay": 0.1}, ("exp_avg", "exp_inf")),
    "lion": (optim.Lion, {"weight_decay": 0.1}, ("exp_avg",)),
    "rprop": (optim.Rprop, {"etas": (0.6, 1.1), "step_sizes": (1e-5, 1.0)}, ("prev", "step_size")),
    "asgd": (optim.ASGD, {"t0": 5.0, "weight_decay": 0.1}, ("ax",)),
    "schedulefree": (optim.ScheduleFreeAdamW, {"warmup_steps": 4, "weight_decay": 0.1}, ("z", "exp_avg_sq")),
    "adamw": (optim.AdamW, {}, ("exp_avg", "exp_avg_sq")),
    "adamw_amsgrad": (optim.AdamW, {"amsgrad": True, "weight_decay": 0.3}, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")),
}
# Rates with which each comes down a smooth valley in a few hundred steps.
FAST = {
    "sgd": {"lr": 0.1},
    "adagrad": {"lr": 0.5},
    "adagrad_all": {"lr": 0.5, "lr_decay": 0.0, "weight_decay": 0.0},
    "adagrad_onnx": {"lr": 0.5, "lr_decay": 0.0},
    "adadelta": {"lr": 5.0},
}
# In the curved valley; SGD, and RAdam before it corrects, go by the size of the gradient, which is hundreds there.
SLOW = {optim.SGD: 2e-4, optim.ASGD: 2e-4, optim.RAdam: 1e-3, optim.Adadelta: 1.0}
# These move without a rate, too: by what is in the buffer, by a decay that has no rate, by steps that have their own,
# by a rate of the step before, towards an average.
MOVES_ON = {"sgd_keras", "rmsprop_keras", "adamw_onnx", "rprop", "asgd", "schedulefree"}


def parameters(dtype="float64", start=None, size=37):
    params = Parameters({"p": (size,)}, dtype)
    params.data[:size] = np.random.default_rng(0).standard_normal(size) if start is None else start
    return params


def make(name, params, **changes):
    cls, arguments, _ = CONFIGURATIONS[name]
    return cls(params, **(arguments | changes))


def gradients(params, steps):
    """Gradients of several sizes, one after the other written where the optimizer reads them."""
    rng = np.random.default_rng(1)
    for _ in range(steps):
        params["p"].grad[...] = rng.standard_normal(params["p"].grad.shape) * 10.0 ** rng.integers(-3, 2)
        yield params["p"].grad


def bits(params):
    return params.data.tobytes()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_class_is_the_function_with_a_memory(name, dtype):
    cls, arguments, states = CONFIGURATIONS[name]
    function = getattr(functional, f"{cls.__name__.lower()}_step")
    params = parameters(dtype)
    optimizer = cls(params, **arguments)
    assert sorted(optimizer.states) == sorted(states)
    expected = params["p"].data.copy()
    memory = {state: np.zeros_like(expected) for state in states}
    rest = {k: v for k, v in arguments.items() if k != "amsgrad"}
    for step, grad in enumerate(gradients(params, 20), start=1):
        function(expected, grad, **memory, **numbered(function, step), **rest)
        optimizer.step()
        assert params["p"].data.tobytes() == expected.tobytes()
    assert optimizer.step_count == 20
    for state, array in memory.items():
        assert optimizer.states[state][: expected.size].tobytes() == array.tobytes()
    assert not params.data[expected.size :].any(), "the padding between parameters stays 0"


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_state_goes_on_bit_for_bit(name, dtype):
    params = parameters(dtype)
    optimizer = make(name, params)
    for _ in gradients(params, 7):
        optimizer.step()
    state = optimizer.state_dict()
    twin_params = parameters(dtype, start=params["p"].data)
    twin = make(name, twin_params, lr=123.0)
    twin.load_state_dict(state)
    for name_, array in state["states"].items():
        array[...] = 99.0  # a copy: neither of the two may see this
        assert 99.0 not in optimizer.states[name_]
    for _ in zip(gradients(params, 5), gradients(twin_params, 5), strict=True):
        optimizer.step()
        twin.step()
    assert bits(params) == bits(twin_params)
    assert twin.keywords() == optimizer.keywords()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_parabola_is_solved(name):
    target = np.array([3.0, -2.0, 0.5])
    params = parameters(start=np.zeros(3), size=3)
    # A decay of the weights pulls to 0: it is left out where the way to the target is the question.
    optimizer = make(name, params, **({"weight_decay": 0.0, "lr": 0.05} | FAST.get(name, {})))
    first = np.abs(target).max()
    for _ in range(600):
        params["p"].grad[...] = params["p"].data - target
        optimizer.step()
    assert np.abs(params["p"].data - target).max() < 0.03 * first


SWITCHES = {"SGD": "fused", "Adam": "capturable", "AdamW": "fused", "Adagrad": "differentiable", "RMSprop": "foreach"}
SWITCHES |= {"NAdam": "capturable", "RAdam": "foreach", "Adamax": "foreach", "Rprop": "capturable", "ASGD": "foreach"}


@pytest.mark.parametrize("name", SWITCHES)
def test_switches_of_torch_may_be_off(name):
    cls, switch = getattr(optim, name), SWITCHES[name]
    for off in (None, False):
        cls(parameters(), **{switch: off})
    with pytest.raises(ValueError, match=f"{switch} must be False or None: the update is one compiled pass"):
        cls(parameters(), **{switch: True})
    with pytest.raises(TypeError, match=f"{switch} must be True or False"):
        cls(parameters(), **{switch: "yes"})


def test_switches_that_torch_has_not_either():
    for cls, switch in ((optim.Lion, "foreach"), (optim.RMSprop, "fused"), (optim.SGD, "capturable")):
        with pytest.raises(TypeError, match=f"{cls.__name__} takes no argument '{switch}'"):
            cls(parameters(), **{switch: None})


def rosenbrock(x, y):
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_valley_of_rosenbrock_is_followed(name):
    params = parameters(start=(-1.0, 1.5), size=2)
    rate = SLOW.get(CONFIGURATIONS[name][0], 0.02)
    optimizer = make(name, params, weight_decay=0.0, lr=rate)
    start = rosenbrock(*params["p"].data)
    for _ in range(1000):
        x, y = params["p"].data
        params["p"].grad[...] = -2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)
        optimizer.step()
    assert rosenbrock(*params["p"].data) < 0.2 * start


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS.keys() - MOVES_ON))
def test_a_changed_rate_counts_at_once(name):
    params, twin_params = parameters(), parameters()
    optimizer, twin = make(name, params), make(name, twin_params)
    for _ in zip(gradients(params, 3), gradients(twin_params, 3), strict=True):
        optimizer.step()
        twin.step()
    before = params["p"].data.copy()
    optimizer.lr, twin.lr = 0.0, 0.5
    optimizer.step()
    twin.step()
    assert optimizer.lr == 0.0
    assert params["p"].data.tobytes() == before.tobytes()
    assert (twin_params["p"].data != before).all()


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw", "adagrad"])
def test_a_changed_rate_counts_in_a_compiled_step(name):
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    optimizer = make(name, net.parameters())
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
    trainer.step(x, y)
    before = bits(net.parameters())
    optimizer.lr = 0.0
    trainer.step(x, y)
    assert bits(net.parameters()) == before
    optimizer.lr = 0.1
    trainer.step(x, y)
    assert bits(net.parameters()) != before


def test_state_that_does_not_fit_changes_nothing():
    params = parameters()
    optimizer = optim.Adam(params)
    for _ in gradients(params, 3):
        optimizer.step()
    before = repr(optimizer.state_dict())
    good = optim.Adam(parameters()).state_dict()
    wrong = {
        "names": good | {"states": {"exp_avg": good["states"]["exp_avg"]}},
        "shape": good | {"states": {name: array[:3] for name, array in good["states"].items()}},
        "step": good | {"step": -1},
        "hyper": good | {"hyper": good["hyper"] | {"lr": "fast"}},
        "missing hyper": good | {"hyper": {}},
        "dtype": good | {"states": {name: array.astype("float32") for name, array in good["states"].items()}},
        "missing": {"step": 3},
    }
    for name, state in wrong.items():
        with pytest.raises((TypeError, ValueError, KeyError)):
            optimizer.load_state_dict(state)
        assert repr(optimizer.state_dict()) == before, name


@pytest.mark.parametrize("bad", [None, [3.0], np.zeros(3), nn.Linear(2, 2)])
def test_params_must_be_those_of_a_network(bad):
    with pytest.raises(TypeError, match=r"params must be net\.parameters\(\), got "):
        optim.Adam(bad)


def test_zero_grad():
    params = parameters()
    optimizer = optim.SGD(params, lr=0.1)
    next(gradients(params, 1))
    before = bits(params)
    optimizer.zero_grad()
    optimizer.step()
    assert not params.grad.any()
    assert bits(params) == before


@pytest.mark.parametrize("make", [optim.Adam, optim.LBFGS, optim.SWA, optim.ExponentialMovingAverage])
def test_arrays_that_updates_go_by_cannot_be_replaced(make):
    made = make(nn.Sequential(nn.Linear(2, 3), seed=0).parameters())
    for name in type(made).fixed:
        with pytest.raises(AttributeError, match=f"{type(made).__name__}.{name} cannot be changed"):
            setattr(made, name, np.zeros(1))
