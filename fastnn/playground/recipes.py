"""The calls that settings stand for: data, network, loss, optimizer, schedule, training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .calls import Call, Name
from .settings import LayerSettings, Settings

PARAMETERS = Name("net.parameters()")
# Initial values that are not names of `nn.init`.
INITS: dict[str, Any] = {
    "normal": Call("nn.init.Normal", std=1.0),
    "wide": Call("nn.init.Normal", std=5.0),
    "uniform": Call("nn.init.Uniform", -1.0, 1.0),
}


def layers(settings: Settings) -> list[tuple[Call, ...]]:
    """The layers of the network by hidden layer: linear, norm, activation, dropout; last the linear one of outputs."""
    widths = [2, *(layer.units for layer in settings.layers)]
    hidden = [tuple(_hidden(n, layer, settings.init)) for n, layer in zip(widths, settings.layers, strict=False)]
    return [*hidden, (_linear(widths[-1], settings.n_out, settings.init),)]


def _hidden(n_in: int, layer: LayerSettings, init: str) -> Iterator[Call]:
    yield _linear(n_in, layer.units, init)
    if layer.norm != "none":
        yield Call(f"nn.{layer.norm}", layer.units)
    if layer.activation != "Identity":
        yield Call(f"nn.{layer.activation}")
    if layer.dropout:
        yield Call("nn.Dropout", layer.dropout)


def _linear(n_in: int, n_out: int, init: str) -> Call:
    if init == "default":
        return Call("nn.Linear", n_in, n_out)
    return Call("nn.Linear", n_in, n_out, weight_init=INITS.get(init, init), bias_init="zeros")


def network(settings: Settings) -> Call:
    """The network, with its initial values."""
    return Call("nn.Sequential", *(layer for block in layers(settings) for layer in block), seed=settings.seed)


def loss(settings: Settings) -> Call:
    """The loss, a mean over the batch."""
    return Call(f"nn.{settings.loss}")


def hyperparameters(settings: Settings) -> dict[str, Any]:
    """The numbers of the optimizer, as its arguments and attributes."""
    numbers = dict(settings.optimizer.numbers)
    if "beta1" in numbers:
        betas = numbers.pop("beta1"), numbers.pop("beta2")
        return {"lr": numbers.pop("lr"), "betas": betas, **numbers}
    return numbers


def optimizer(settings: Settings) -> Call:
    """The optimizer of the network."""
    return Call(f"optim.{settings.optimizer.kind}", PARAMETERS, **hyperparameters(settings))


def schedule(settings: Settings) -> Call | None:
    """The schedule of the optimizer, None for a constant rate."""
    of = settings.schedule
    return (
        None if of.kind == "constant" else Call(f"optim.lr_scheduler.{of.kind}", Name("optimizer"), **dict(of.numbers))
    )


def trainer_options(settings: Settings) -> dict[str, Any]:
    """Keywords of the trainer beside network, loss, optimizer and schedule."""
    return {name: value for name in ("l1", "l2") if (value := getattr(settings, name))}


def fit_options(settings: Settings, start: int, end: int) -> dict[str, Any]:
    """Keywords of `fit` that train the epochs from `start` to `end`: in one call or in several, to the same bits."""
    return {
        "epochs": end,
        "initial_epoch": start,
        "batch_size": settings.batch_size or None,
        "seed": settings.seed,
        "progress": False,
        "callbacks": [Call("callbacks.TerminateOnNaN")],
    }


def goes_on(settings: Settings, before: Settings) -> bool:
    """Whether a trainer with settings `before` goes on with these: at most rates and batch size are others."""
    same = ("loss", "l1", "l2", "schedule")
    if any(getattr(settings, name) != getattr(before, name) for name in same):
        return False
    if settings.optimizer.kind != before.optimizer.kind:
        return False
    return settings.optimizer == before.optimizer or settings.schedule.kind == "constant"
