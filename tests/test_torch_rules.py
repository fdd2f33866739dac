"""PyTorch's numbers in float64 for the rules that came later, climbing, and L-BFGS; recorded/make_torch_rules.py."""

import numpy as np
import pytest

import fastnn
from support import RECORDED
from test_trajectories import called, data, explicit_step, make_trainer

with np.load(RECORDED / "torch_rules.npz") as _file:
    STORED = dict(_file)


def keys(kind):
    return sorted({key.rpartition("/")[0] for key in STORED if key.startswith(f"{kind}/")})


def trained(key, step):
    """A trainer after the steps of a key, and their losses."""
    loss, target = key.split("/")[1].split()
    trainer = make_trainer(loss, *called(key))
    return trainer, [step(trainer, data("x"), data(target)) for _ in STORED[f"{key}/losses"]]


def assert_followed(key, trainer, losses, rtol):
    parameters = np.concatenate([view.ravel() for _, view in trainer.net.named_parameters()])
    np.testing.assert_allclose(losses, STORED[f"{key}/losses"], rtol=rtol)
    np.testing.assert_allclose(parameters, STORED[f"{key}/parameters"], rtol=rtol)


@pytest.mark.parametrize("step", [fastnn.Trainer.step, explicit_step], ids=["trainer", "loop"])
@pytest.mark.parametrize("key", keys("trajectory"))
def test_training_follows_torch(key, step, backend):
    assert_followed(key, *trained(key, step), 1e-10 if "RMSprop" in key else 1e-11)


@pytest.mark.parametrize("step", [fastnn.Trainer.step, explicit_step], ids=["trainer", "loop"])
@pytest.mark.parametrize("key", keys("long"))
def test_sixty_steps_follow_torch(key, step, backend):
    """Muon's steps are those of PyTorch with products in float64.

    Where Adafactor climbs, a unit gets to the tail of GELU, where PyTorch's gradient has few digits, and is scaled up.
    """
    climbs = "Adafactor" in key and "maximize" in key
    assert_followed(key, *trained(key, step), 1e-7 if climbs else 1e-9)


@pytest.mark.parametrize("key", keys("rounded"))
def test_muon_is_near_torch_whose_products_are_rounded(key):
    """To bfloat16, which has three digits."""
    trainer, losses = trained(key, fastnn.Trainer.step)
    parameters = np.concatenate([view.ravel() for _, view in trainer.net.named_parameters()])
    np.testing.assert_allclose(losses, STORED[f"{key}/losses"], rtol=1e-2)
    np.testing.assert_allclose(parameters, STORED[f"{key}/parameters"], atol=1e-2)


def step_with_closure(trainer, x, y):
    def closure():
        trainer.optimizer.zero_grad()
        loss, grad = trainer.loss(trainer.net(x), y)
        trainer.net.backward(grad)
        return loss

    return trainer.optimizer.step(closure)


@pytest.mark.parametrize("step", [fastnn.Trainer.step, step_with_closure], ids=["trainer", "closure"])
@pytest.mark.parametrize("key", keys("search"))
def test_lbfgs_follows_torch(key, step, backend):
    trainer, losses = trained(key, step)
    assert trainer.optimizer.memory.evaluations == STORED[f"{key}/evaluations"]
    assert_followed(key, trainer, losses, 1e-6)
