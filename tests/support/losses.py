"""Training with losses of classes, for tests of their options."""

import fastnn
from fastnn import nn, optim

ROWS, CLASSES = 24, 4


def make_trainer(loss, n_out=CLASSES, dtype="float64"):
    net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, n_out), seed=1, dtype=dtype)
    return fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1))


def parameters(trainer):
    return trainer.net.parameters().data.copy()
