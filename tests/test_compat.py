"""compat=: the numbers of Keras, ONNX and scikit-learn, by their own code; what each mode knows, and its defaults."""

import json

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core.compat import DEFAULTS
from fastnn.nn.parameters import Parameters
from fastnn.optim import functional
from fastnn.optim.hyperparameters import state_names
from fastnn.testing.cases.records import numbered
from support import RECORDED

CLASSES = {
    "adam_step": optim.Adam,
    "adamw_step": optim.AdamW,
    "adagrad_step": optim.Adagrad,
    "rmsprop_step": optim.RMSprop,
    "sgd_step": optim.SGD,
}


def load(name):
    with np.load(RECORDED / f"{name}_optimizers.npz") as file:
        return dict(file)


KERAS, ONNX = load("keras"), load("onnx")
START, GRADIENTS = ONNX.pop("start"), ONNX.pop("gradients")
BUFFER = ONNX.pop("buffer")


def optimizer_of(function, keywords, start=START, **more):
    """An optimizer of as many parameters, with these first values."""
    params = Parameters({"p": start.shape}, "float64")
    params["p"].data[...] = start
    return CLASSES[function](params, **keywords, **more)


def stepped(optimizer, gradients=GRADIENTS):
    """The parameters after each step."""
    steps = []
    for grad in gradients:
        optimizer.params["p"].grad[...] = grad
        optimizer.step()
        steps.append(optimizer.params["p"].data.copy())
    return np.stack(steps)


@pytest.mark.parametrize("key", KERAS)
def test_keras(key, backend):
    function, keywords = key.split(" ", 1)
    optimizer = optimizer_of(function, json.loads(keywords), compat="keras")
    np.testing.assert_allclose(stepped(optimizer), KERAS[key], rtol=1e-12)


@pytest.mark.parametrize("key", ONNX)
def test_onnx(key, backend):
    """Also with states that are not 0 before the first step, where T is 0."""
    function, rest = key.split(" ", 1)
    keywords, end = json.JSONDecoder().raw_decode(rest)
    _, scales = json.loads(rest[end:])
    optimizer = optimizer_of(function, keywords, compat="onnx")
    for name, scale in zip(optimizer.states, scales, strict=True):
        is_square = name in ("exp_avg_sq", "state_sum")
        optimizer.states[name][: len(BUFFER)] = scale * (np.abs(BUFFER) if is_square else BUFFER)
    exact = "weight_decay" in keywords  # its attributes are float32, in which the defaults are others
    np.testing.assert_allclose(stepped(optimizer), ONNX[key], rtol=1e-12 if exact else 1e-4)


@pytest.mark.parametrize(
    ("name", "theirs", "function", "ours"),
    [
        ("AdamOptimizer", {}, "adam_step", {}),
        (
            "AdamOptimizer",
            {"learning_rate_init": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.01},
            "adam_step",
            {"lr": 0.05, "betas": (0.8, 0.95), "eps": 0.01},
        ),
        ("SGDOptimizer", {"nesterov": False}, "sgd_step", {"lr": 0.1, "momentum": 0.9}),
        ("SGDOptimizer", {}, "sgd_step", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("SGDOptimizer", {"momentum": 0.0, "nesterov": False}, "sgd_step", {"lr": 0.1}),
    ],
)
def test_sklearn(name, theirs, function, ours, backend):
    optimizers = pytest.importorskip("sklearn.neural_network._stochastic_optimizers")
    param, expected = START.copy(), []
    other = getattr(optimizers, name)([param], **theirs)
    for grad in GRADIENTS:
        other.update_params([param], [grad])
        expected.append(param.copy())
    optimizer = optimizer_of(function, ours, compat="sklearn")
    np.testing.assert_allclose(stepped(optimizer), expected, rtol=1e-12)


def test_a_rate_that_changes_counts_as_in_keras(backend):
    """It is in the velocity: what is in there has the rate of its time."""
    optimizer = optimizer_of("sgd_step", {"lr": 0.1, "momentum": 0.5}, np.zeros(1), compat="keras")
    positions = []
    for rate in (0.1, 0.01):
        optimizer.lr = rate
        positions.append(stepped(optimizer, [[1.0]])[0, 0])
    assert positions == pytest.approx([-0.1, -0.1 - 0.05 - 0.01])
    assert optimizer.states["momentum_buffer"][0] == pytest.approx(-0.06)


@pytest.mark.parametrize("function", CLASSES)
@pytest.mark.parametrize("compat", ["torch", "keras", "sklearn", "onnx"])
def test_defaults(function, compat):
    """Those of the table, for the class and for the function; torch's are what both have without compat."""
    if compat not in DEFAULTS[function]:
        message = f"compat must be one of .*{list(DEFAULTS[function])[-1]}.*, got '{compat}'"
        with pytest.raises(ValueError, match=message):
            optimizer_of(function, {}, compat=compat)
        call, states = getattr(functional, function), [np.zeros(3)] * (2 if "adam" in function else 1)
        with pytest.raises(ValueError, match=message):
            call(np.ones(3), np.ones(3), *states, compat=compat, **numbered(call, 1))
        return
    optimizer, defaults = optimizer_of(function, {}, compat=compat), dict(DEFAULTS[function][compat])
    start = defaults.pop("initial_accumulator_value", 0.0)
    assert optimizer.compat == compat
    assert all((state[:6] == start).all() for state in optimizer.states.values())
    assert defaults.items() <= optimizer.keywords().items()
    assert (compat == "torch") == ("compat" not in repr(optimizer))
    call, param = getattr(functional, function), START.copy()
    memory = {name: np.full(6, start) for name in state_names(call) if name in optimizer.states}
    call(param, GRADIENTS[0], **memory, **numbered(call, 1), **({} if compat == "torch" else {"compat": compat}))
    np.testing.assert_array_equal(stepped(optimizer, GRADIENTS[:1])[0], param)


@pytest.mark.parametrize("compat", [None, 7, "Torch", "tensorflow", [], np.zeros(2)])
def test_modes_that_nobody_knows(compat):
    with pytest.raises((ValueError, TypeError)):
        optimizer_of("adam_step", {}, compat=compat)
    with pytest.raises((ValueError, TypeError)):
        functional.adam_step(np.ones(2), np.ones(2), np.zeros(2), np.zeros(2), step=1, compat=compat)
    optimizer = optimizer_of("adam_step", {})
    with pytest.raises((ValueError, TypeError)):
        optimizer.compat = compat
    assert optimizer.compat == "torch"


def test_settings_that_do_not_go_together():
    for compat in ("keras", "sklearn"):
        with pytest.raises(ValueError, match=f"dampening must be 0 with compat='{compat}', got 0.5"):
            optimizer_of("sgd_step", {"momentum": 0.9, "dampening": 0.5}, compat=compat)
        with pytest.raises(ValueError, match="dampening must be 0"):
            functional.sgd_step(np.ones(2), np.ones(2), np.zeros(2), momentum=0.9, dampening=0.5, compat=compat)
    optimizer = optimizer_of("sgd_step", {"momentum": 0.9, "dampening": 0.5, "nesterov": True}, compat="onnx")
    with pytest.raises(ValueError, match="nesterov needs"):
        optimizer.compat = "torch"
    assert optimizer.compat == "onnx"


def test_the_mode_is_part_of_the_state():
    optimizer, twin = optimizer_of("adam_step", {}, compat="keras"), optimizer_of("adam_step", {"lr": 0.5})
    stepped(optimizer, GRADIENTS[:2])
    twin.load_state_dict(optimizer.state_dict())
    twin.params.data[...] = optimizer.params.data
    assert twin.compat == "keras"
    np.testing.assert_array_equal(stepped(optimizer), stepped(twin))


@pytest.mark.parametrize("compat", ["keras", "sklearn"])
def test_training_in_a_mode(compat, backend):
    x, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), seed=0, dtype="float64")
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, compat=compat)
    history = fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer).fit(x, y, epochs=20, batch_size=5)
    assert history["loss"][-1] < 0.9 * history["loss"][0]


# -- climbing ----------------------------------------------------------------------------------------------------------


RULES = [rule for rule in vars(optim).values() if isinstance(rule, type) and hasattr(rule, "rule")]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not optim.Muon])  # test_matrix_rules.py has Muon
def test_climbing_is_descending_with_the_other_gradient(rule, backend):
    ends = []
    for maximize in (False, True):
        params = Parameters({"p": START.shape}, "float64")
        params["p"].data[...] = START
        optimizer = rule(params, weight_decay=0.1, maximize=maximize)
        assert optimizer.maximize is maximize
        ends.append(stepped(optimizer, -GRADIENTS if maximize else GRADIENTS))
    np.testing.assert_array_equal(*ends)


def test_maximize_is_a_switch():
    optimizer = optimizer_of("adam_step", {})
    for wrong in (2, "yes", None, np.ones(2)):
        with pytest.raises(TypeError, match="maximize must be True or False, got "):
            optimizer.maximize = wrong
        with pytest.raises(TypeError, match="maximize must be True or False, got "):
            functional.lion_step(np.ones(2), np.ones(2), np.zeros(2), maximize=wrong)
    optimizer.maximize = True
    assert "maximize=True" in repr(optimizer)
