"""The reference's optimizer updates: first steps worked by hand, and a parabola."""

import math

import numpy as np
import pytest

import fastnn.reference as ref
from fastnn.testing.cases.records import numbered

pytestmark = pytest.mark.filterwarnings("error")


def after(step, n_steps, n_states, grad=0.5, **kwargs):
    """Return a parameter that starts at 1, after some steps with one gradient."""
    param, states = np.ones(1), [np.zeros(1) for _ in range(n_states)]
    for t in range(1, n_steps + 1):
        assert step(param, np.array([grad]), *states, **numbered(step, t), **kwargs) is None
    return param[0]


@pytest.mark.parametrize(
    ("step", "n_steps", "n_states", "kwargs", "expected"),
    [
        (ref.sgd_step, 1, 0, {"lr": 0.1}, 0.95),
        (ref.sgd_step, 1, 0, {"lr": 0.1, "weight_decay": 0.1}, 0.94),
        (ref.sgd_step, 2, 1, {"lr": 0.1, "momentum": 0.9}, 1 - 0.05 - 0.095),
        (ref.sgd_step, 2, 1, {"lr": 0.1, "momentum": 0.9, "dampening": 0.2}, 1 - 0.05 - 0.085),
        (ref.sgd_step, 2, 1, {"lr": 0.1, "momentum": 0.9, "nesterov": True}, 1 - 0.095 - 0.1355),
        (ref.adagrad_step, 1, 1, {}, 0.99),
        (ref.adagrad_step, 2, 1, {"lr_decay": 1.0}, 0.99 - 0.005 / math.sqrt(2)),
        (ref.rmsprop_step, 1, 1, {}, 0.9),
        (ref.rmsprop_step, 1, 2, {"centered": True}, 1 - 0.005 / math.sqrt(0.0025 - 0.005**2)),
        (ref.adam_step, 5, 2, {}, 0.995),
        (ref.adam_step, 5, 3, {}, 0.995),
        (ref.adamw_step, 1, 2, {"weight_decay": 0.1}, 1 - 1e-4 - 1e-3),
        (ref.adadelta_step, 1, 2, {}, 1 - 1e-3 / math.sqrt(0.025 + 1e-6) * 0.5),
        (ref.nadam_step, 1, 2, {"momentum_decay": 0.0}, 1 - 2e-3 * (1 + 0.1 * 0.45 / (1 - 0.45**2))),
        (ref.radam_step, 3, 2, {}, 1 - 3 * 5e-4),
        (ref.radam_step, 1, 2, {"weight_decay": 0.1, "decoupled_weight_decay": True}, 1 - 1e-4 - 5e-4),
        (ref.adamax_step, 4, 2, {}, 1 - 4 * 2e-3),
        (ref.lion_step, 3, 1, {}, 1 - 3e-4),
        (ref.lion_step, 1, 1, {"weight_decay": 0.1}, 1 - 1e-5 - 1e-4),
        (ref.rprop_step, 3, 2, {}, 1 - 0.01 * (1 + 1.2 + 1.44)),
        (ref.rprop_step, 3, 2, {"step_sizes": (1e-6, 0.011)}, 1 - 0.01 * (1 + 1.1 + 1.1)),
        (ref.sgd_step, 2, 1, {"lr": 0.1, "momentum": 0.9, "compat": "keras"}, 1 - 0.05 - 0.095),
        (ref.sgd_step, 1, 1, {"momentum": 0.9, "nesterov": True, "compat": "keras"}, 1 - 0.01 * 0.5 * 1.9),
        (ref.sgd_step, 1, 1, {"weight_decay": 0.1, "compat": "keras"}, 1 - 0.001 - 0.005),
        (ref.adagrad_step, 1, 1, {"eps": 0.75, "compat": "keras"}, 1 - 0.001 * 0.5),
        (ref.rmsprop_step, 2, 1, {"alpha": 1.0, "eps": 0.25, "compat": "keras"}, 1 - 0.002),
        (ref.adam_step, 1, 2, {"eps": 0.5, "betas": (0.9, 0.75), "compat": "sklearn"}, 1 - 0.0005 * 0.5 / 0.75),
        (ref.adam_step, 1, 2, {"eps": 0.75, "betas": (0.9, 0.75), "compat": "onnx"}, 1 - 0.001 * 0.05),
        (ref.adamw_step, 1, 2, {"weight_decay": 0.5, "lr": 0.0, "compat": "onnx"}, 0.5),
    ],
)
def test_optimizer_by_hand(step, n_steps, n_states, kwargs, expected):
    assert after(step, n_steps, n_states, **kwargs) == pytest.approx(expected, rel=1e-6)


def test_optimizer_states():
    buffer = np.array([0.5])
    ref.sgd_step(np.ones(1), np.array([0.5]), buffer, lr=0.1, momentum=0.9, dampening=0.2)
    assert buffer[0] == pytest.approx(0.85)  # without a step number the buffer counts as filled
    param, states = np.ones(1), [np.zeros(1) for _ in range(3)]
    ref.rmsprop_step(param, np.array([0.5]), *states, momentum=0.9)
    ref.rmsprop_step(param, np.array([0.0]), *states, momentum=0.9)
    assert param[0] == pytest.approx(1 - 0.1 - 0.09)
    m, v, v_max = (np.zeros(1) for _ in range(3))
    for t, grad in enumerate([10.0, 0.0], start=1):
        ref.adam_step(np.ones(1), np.array([grad]), m, v, v_max, step=t, betas=(0.4, 0.9))
    assert (m[0], v[0], v_max[0]) == pytest.approx((2.4, 9.0, 10.0))


@pytest.mark.parametrize(
    ("step", "n_states", "lr"),
    [
        (ref.sgd_step, 1, 0.1),
        (ref.adagrad_step, 1, 1.0),
        (ref.rmsprop_step, 1, 0.01),
        (ref.adam_step, 2, 0.05),
        (ref.adamw_step, 3, 0.05),
        (ref.adadelta_step, 2, 3.0),
        (ref.nadam_step, 2, 0.05),
        (ref.radam_step, 2, 0.05),
        (ref.adamax_step, 2, 0.05),
        (ref.lion_step, 1, 0.02),
        (ref.rprop_step, 2, 0.1),
    ],
)
def test_optimizer_finds_the_bottom_of_a_parabola(step, n_states, lr):
    param, states = np.array([3.0, -2.0]), [np.zeros(2) for _ in range(n_states)]
    for t in range(1, 501):
        step(param, np.array([1.0, 4.0]) * param, *states, lr=lr, **numbered(step, t))
    np.testing.assert_allclose(param, 0, atol=0.02)
