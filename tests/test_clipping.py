"""Gradients clipped by norm and by value within the update."""

import math

import numpy as np
import pytest

from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.torch_runs import OPTIMIZERS, STEPS, TORCH, WAYS, torch_network, torch_trainer, values

X, Y = TORCH["x"], TORCH["y"]
KINDS = {
    "norm": {"max_grad_norm": 0.7},
    "value": {"max_grad_value": 0.1},
    "both": {"max_grad_norm": 0.7, "max_grad_value": 0.1},
}


@pytest.mark.parametrize("step", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_clipping_follows_torch(name, kind, step, backend):
    trainer, norms = torch_trainer(name, **KINDS[kind]), []
    for _ in range(STEPS):
        step(trainer, X, Y)
        norms.append(trainer.optimizer.grad_norm)
    np.testing.assert_allclose(values(trainer.net), TORCH[f"clip {kind} {name}"], rtol=1e-11)
    if kind == "value":
        assert np.isnan(norms).all()
    else:
        np.testing.assert_allclose(norms, TORCH[f"norms {kind} {name}"], rtol=1e-11)
        assert max(norms) > 0.7


def test_norm_within_the_limit_changes_no_bit(dtype, backend):
    ends = []
    for limit in (None, 1e6, math.inf):
        net = nn.Sequential(nn.Linear(4, 5), seed=0, dtype=dtype.name)
        optimizer = optim.SGD(net.parameters(), lr=0.1, max_grad_norm=limit)
        net.parameters().grad[...] = net.parameters().data
        norm = float(np.linalg.norm(net.parameters().grad.astype("float64")))
        optimizer.step()
        assert optimizer.grad_norm == (
            pytest.approx(norm, rel=1e-12) if limit else pytest.approx(math.nan, nan_ok=True)
        )
        ends.append(net.parameters().data)
    assert_same_bits(ends[1], ends[0])
    assert_same_bits(ends[2], ends[0])


def test_frozen_parameters_do_not_count(backend):
    net = torch_network()
    optimizer = optim.SGD(net.parameters(), groups=[{"params": "4.*", "frozen": True}], max_grad_norm=1.0)
    for p in net.parameters():
        p.grad[...] = np.nan if p.name.startswith("4.") else 0.5
    optimizer.step()
    assert optimizer.grad_norm == pytest.approx(0.5 * math.sqrt(18 + 6 + 30 + 5))
    assert np.isfinite(values(net)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_spreads_as_in_torch(bad, dtype, backend):
    """PyTorch's factor is NaN for a norm of NaN, and 0 for an infinite one: then only infinities become NaN."""
    for function in (False, True):
        net = nn.Sequential(nn.Linear(3, 2), seed=0, dtype=dtype.name)
        params, before = net.parameters(), values(net)
        optimizer = optim.SGD(params, lr=0.1, max_grad_norm=None if function else 1.0)
        params["0.weight"].grad[...], params["0.bias"].grad[...] = 1.0, bad
        if function:
            assert math.isnan(nn.utils.clip_grad_norm_(params, 1.0)) == np.isnan(bad)
        optimizer.step()
        after = values(net)
        assert np.isnan(after[6:]).all()
        assert np.isnan(after[:6]).all() if np.isnan(bad) else (after[:6] == before[:6]).all()


@pytest.mark.filterwarnings("ignore:the loss of batch")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_an_error_where_asked_for(bad, backend):
    trainer = torch_trainer("AdamW", max_grad_norm=1.0, error_if_nonfinite=True)
    trainer.step(X, Y)
    before = values(trainer.net), trainer.optimizer.states["exp_avg"].copy(), trainer.optimizer.step_count.copy()
    wrong = np.full_like(Y, 1.7e308)  # the gradient, twice the error, is infinite
    for call in (
        lambda: trainer.step(X, wrong),
        trainer.optimizer.step,
        lambda: trainer.fit(X, wrong, batch_size=None),
        lambda: trainer.fit(X, wrong, batch_size=2, accumulate=5),
    ):
        with pytest.raises(RuntimeError, match="norm of the gradients is not finite"):
            call()
        after = values(trainer.net), trainer.optimizer.states["exp_avg"], trainer.optimizer.step_count
        for a, b in zip(after, before, strict=True):
            assert_same_bits(a, b)
        assert not math.isfinite(trainer.optimizer.grad_norm)
    with pytest.raises(RuntimeError, match="norm of the gradients is"):
        nn.utils.clip_grad_norm_(trainer.net.parameters(), 1.0, error_if_nonfinite=True)
    trainer.step(X, Y)
    assert np.isfinite(values(trainer.net)).all()


def test_limits_can_be_changed_and_are_saved(backend):
    trainer = torch_trainer("SGD", max_grad_norm=1.0)
    optimizer = trainer.optimizer
    assert (optimizer.max_grad_norm, optimizer.max_grad_value, optimizer.error_if_nonfinite) == (1.0, None, False)
    assert "max_grad_norm=1" in repr(optimizer)
    trainer.step(X, Y)
    optimizer.max_grad_norm, optimizer.max_grad_value = None, 0.0
    before = values(trainer.net)
    optimizer.momentum = optimizer.weight_decay = 0.0
    trainer.step(X, Y)
    assert_same_bits(values(trainer.net), before)
    assert math.isnan(optimizer.grad_norm)
    optimizer.max_grad_norm, optimizer.max_grad_value, optimizer.error_if_nonfinite = 0.5, 0.25, True
    twin = torch_trainer("SGD").optimizer
    twin.load_state_dict(optimizer.state_dict())
    assert (twin.max_grad_norm, twin.max_grad_value, twin.error_if_nonfinite) == (0.5, 0.25, True)
    before = repr(twin.state_dict())
    with pytest.raises(ValueError, match="max_grad_value must be at least"):
        twin.load_state_dict(optimizer.state_dict() | {"clipping": {"max_grad_norm": 3.0, "max_grad_value": -1}})
    assert repr(twin.state_dict()) == before


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_grad_norm": -1}, ValueError, r"max_grad_norm must be at least 0.0, got -1"),
        ({"max_grad_norm": math.nan}, ValueError, "max_grad_norm must be at least 0.0, got nan"),
        ({"max_grad_value": "1"}, TypeError, "max_grad_value must be a number, got str"),
        ({"error_if_nonfinite": "no"}, TypeError, "error_if_nonfinite must be True or False, got 'no'"),
    ],
)
def test_wrong_limits(options, error, message):
    with pytest.raises(error, match=message):
        torch_trainer("SGD", **options)
