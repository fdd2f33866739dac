"""Training runs that several test files share: those of recorded/make_torch_groups.py, and steps in two ways."""

import numpy as np

import fastnn
from fastnn import nn, optim
from support import RECORDED

with np.load(RECORDED / "torch_groups.npz") as _file:
    TORCH = dict(_file)

STEPS = 10
# As in make_torch_groups.py.
OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    "Adagrad": {"lr": 0.05, "weight_decay": 0.01},
    "RMSprop": {"lr": 0.01, "weight_decay": 0.01},
    "Adam": {"lr": 0.02, "weight_decay": 0.01},
    "AdamW": {"lr": 0.02, "weight_decay": 0.1},
}
# All rules that go through the flat buffer once a step.
RULES = OPTIMIZERS | {
    "Adadelta": {"weight_decay": 0.01},
    "NAdam": {"lr": 0.02, "weight_decay": 0.01, "momentum_decay": 0.1},
    "RAdam": {"lr": 0.02, "weight_decay": 0.01, "betas": (0.9, 0.5)},
    "Adamax": {"lr": 0.02, "weight_decay": 0.01},
    "Lion": {"lr": 0.01, "weight_decay": 0.1},
    "Rprop": {"lr": 0.01},
    "ASGD": {"lr": 0.1, "lambd": 0.01, "t0": 3, "weight_decay": 0.01},
    "ScheduleFreeAdamW": {"lr": 0.02, "warmup_steps": 3, "weight_decay": 0.01},
    "Adafactor": {"lr": 0.05, "weight_decay": 0.01},
}


def torch_network(**settings):
    """The network of make_torch_groups.py with its first parameters."""
    layers = [nn.Linear(3, 6, **settings), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4)]
    net = nn.Sequential(*layers, seed=0, dtype="float64")
    start = 0
    for _, view in net.named_parameters():
        view[...] = TORCH["parameters"][start : start + view.size].reshape(view.shape)
        start += view.size
    return net


def torch_trainer(name, net=None, **options):
    """A trainer of that network by the optimizer `name`."""
    net = torch_network() if net is None else net
    return fastnn.Trainer(net, nn.MSELoss(), getattr(optim, name)(net.parameters(), **(RULES[name] | options)))


def values(net):
    """All parameters in one vector."""
    return np.concatenate([view.ravel() for _, view in net.named_parameters()])


def trainer_step(trainer, x, y):
    """One step, compiled as a whole."""
    return trainer.step(x, y)


def explicit_step(trainer, x, y):
    """The same, call by call."""
    trainer.optimizer.zero_grad()
    loss, grad = trainer.loss(trainer.net(x), y)
    trainer.net.backward(grad)
    trainer.optimizer.step()
    if trainer.average is not None:
        trainer.average.update()
    return loss


WAYS = {"trainer": trainer_step, "loop": explicit_step}
