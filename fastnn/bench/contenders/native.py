"""fastnn itself."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

import fastnn
import fastnn.functional as F
from fastnn import nn, optim

from .. import data
from ..cases import Case, Network
from .common import LEARNING_RATE, Run, imported, in_place, on_parameters, quickest, repeated

set_num_threads = fastnn.set_num_threads
VERSION = f"fastnn {fastnn.__version__} ({fastnn.get_isa()})"


def network(network: Network, dtype: str) -> nn.Sequential:
    """The network of a case, with its weights."""
    layers: list[Any] = []
    for n_in, n_out in network.layers:
        layers += [nn.Linear(n_in, n_out), getattr(nn, network.activation)()]
    net = nn.Sequential(*layers[:-1], seed=0, dtype=dtype)
    values = [array for layer in data.weights(network, dtype) for array in layer]
    for (_, view), value in zip(net.named_parameters(), values, strict=True):
        view[...] = value
    return net


def trainer(case: Case) -> fastnn.Trainer:
    """The trainer of a case."""
    net = network(case.network, case.dtype)
    rule = getattr(optim, case.network.optimizer)(net.parameters(), lr=LEARNING_RATE, **case.network.options)
    steps, k = case.options.get("T_max"), case.options.get("k")
    scheduler = optim.lr_scheduler.CosineAnnealingLR(rule, steps, by="batch") if steps else None
    metrics = ["f1", fastnn.metrics.TopKAccuracy(k)] if k else []
    loss = getattr(nn, case.network.loss)()
    return fastnn.Trainer(net, loss=loss, optimizer=rule, scheduler=scheduler, metrics=metrics)


def fit(case: Case) -> Run:
    """Epochs over batches without shuffling."""
    train, (x, y) = trainer(case), data.batches(case.network, case.dtype, case.parts)
    rows, alpha = case.network.rows, case.options.get("alpha")
    mixup = fastnn.data.Mixup(alpha) if alpha else None

    def run(n: int) -> float:
        history = train.fit(x, y, epochs=n, batch_size=rows, shuffle=False, transform=mixup, progress=False)
        return history["loss"][-1]

    return run


def step(case: Case) -> Run:
    """One step on one batch."""
    train, (x, y) = trainer(case), data.batches(case.network, case.dtype)
    return repeated(lambda: train.step(x, y))


def predict(case: Case) -> Run:
    """Outputs of the network."""
    net, (x, _) = network(case.network, case.dtype), data.batches(case.network, case.dtype)
    return repeated(lambda: net.predict(x))


def linear(case: Case) -> Run:
    """Into a new or an existing array, whichever is faster."""
    x, weight, bias, grad = data.product(case)
    out = np.empty_like(grad)
    return quickest(lambda: F.linear(x, weight, bias, "relu"), lambda: F.linear(x, weight, bias, "relu", out=out))


def linear_backward(case: Case) -> Run:
    """All three gradients."""
    x, weight, _, grad = data.product(case)
    return repeated(lambda: F.linear_backward(grad, x, weight))


def function(case: Case) -> Run:
    """Into a new array or, if the function takes `out`, an existing one, whichever is faster."""
    called, arguments, options = getattr(F, case.operation), data.arguments(case), case.options
    if "out" not in inspect.signature(called).parameters:
        return repeated(lambda: called(*arguments, **options))
    out = np.empty_like(called(*arguments, **options))
    return quickest(lambda: called(*arguments, **options), lambda: called(*arguments, **options, out=out))


def update(case: Case) -> Run:
    """The update function of `optim.functional`."""
    called, arguments = getattr(optim.functional, case.operation), data.arguments(case)
    return in_place(repeated(lambda: called(*arguments, **case.options)), arguments[0])


def parameters(case: Case) -> Run:
    """A function that changes the first array, or returns a norm."""
    return on_parameters(getattr(optim.functional, case.operation), case)


def cross_entropy(case: Case) -> Run:
    """The loss object, which computes value and gradient."""
    loss, (x, labels) = nn.CrossEntropyLoss(), data.arguments(case)
    return repeated(lambda: loss(x, labels))


def startup(case: Case) -> Run:
    """The import."""
    return imported("fastnn")
