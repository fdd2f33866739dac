"""A check of gradients by central differences: for layers and losses of one's own, and for whole networks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _validation as check
from ._frames import errors_of_use

if TYPE_CHECKING:
    from .nn.loss import Loss
    from .nn.module import Module
    from .nn.sequential import Sequential

Array = check.Array


class GradcheckError(AssertionError):
    """A gradient is not that of central differences."""


@errors_of_use
def gradcheck(
    what: Any,
    x: Any,
    target: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    seed: int = 0,
    raise_exception: bool = True,
) -> bool:
    """Compare every gradient of a layer, a network or a loss with central differences, in float64.

    A layer is checked with respect to its input and to each of its parameters, for the sum of its outputs times random
    numbers; a loss with respect to its input.

    Parameters
    ----------
    what : Module, Loss, or function (y_pred, y) -> (value, gradient)
        A layer or network is copied, and the copy trains in float64: what is given stays as it is.
    x : array of shape (rows, features)
        The input. Keep it small (two evaluations an entry), and away from kinks, where differences are no derivative.
    target : array, optional
        Of the loss.
    eps : float, default 1e-6
        (f(x + eps) - f(x - eps)) / (2 eps) is taken.
    atol, rtol : float, default 1e-5 and 1e-3
        |gradient - difference| may be atol + rtol |difference|.
    seed : int, default 0
        Of the random numbers, and of a layer's initial parameters.
    raise_exception : bool, default True
        Otherwise False is returned.

    Returns
    -------
    passed : bool

    Raises
    ------
    GradcheckError
        It names the parameter and the entry, and gives both numbers.
    TypeError, ValueError
        If the arguments are no layer or loss and its input.

    Notes
    -----
    Defaults and tolerances are those of `torch.autograd.gradcheck`. Random layers (dropout) draw the same numbers in
    every evaluation.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import nn
    >>> fastnn.gradcheck(nn.Residual(nn.Linear(3, 3), nn.Tanh()), np.random.default_rng(0).normal(size=(4, 3)))
    True
    """
    values = np.array(check.from_any("x", x), "float64")
    rng = np.random.default_rng(seed)
    compare = _Compare(*(check.check_number(name, value, at_least=0.0)
                         for name, value in (("eps", eps), ("atol", atol), ("rtol", rtol))))  # fmt: skip
    from .nn.loss import Loss
    from .nn.module import Module
    from .nn.python_loss import as_loss

    try:
        if isinstance(what, Module):
            _check_layer(what, values, rng, seed, compare)
        elif isinstance(what, Loss) or (callable(what) and not isinstance(what, type)):
            _check_loss(as_loss(what), values, target, compare)
        else:
            raise TypeError(f"what must be a layer, a network or a loss, got {type(what).__name__}")
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


class _Compare:
    """Central differences, and the comparison with them."""

    def __init__(self, eps: float, atol: float, rtol: float) -> None:
        self.eps, self.atol, self.rtol = eps, atol, rtol
        if eps == 0:
            raise ValueError("eps must be above 0")

    def __call__(self, name: str, gradient: Any, f: Callable[[], float], x: Array) -> None:
        """Compare the gradient of f, which reads x, at each entry of x."""
        gradient = np.asarray(gradient)
        if gradient.shape != x.shape:
            raise GradcheckError(f"{name} has shape {gradient.shape}, it must have {x.shape}")
        for index in np.ndindex(x.shape):
            difference = self._difference(f, x, index)
            error = abs(gradient[index] - difference)
            if not error <= self.atol + self.rtol * abs(difference):
                at = ", ".join(map(str, index))
                raise GradcheckError(f"{name}[{at}] is {gradient[index]:.8g}, differences give {difference:.8g}")

    def _difference(self, f: Callable[[], float], x: Array, index: tuple[int, ...]) -> float:
        before = x[index]
        try:
            x[index] = before + self.eps
            above = f()
            x[index] = before - self.eps
            return (above - f()) / (2 * self.eps)
        finally:
            x[index] = before


def _check_layer(layer: Module, x: Array, rng: np.random.Generator, seed: int, compare: _Compare) -> None:
    from .nn.sequential import Sequential

    net = _in_float64(layer, seed)
    net.train()
    name = type(layer).__name__
    tick = int(net._tick[0])

    def output() -> Array:
        net._tick[0] = tick  # the same random numbers
        return net(x)

    upstream = rng.normal(size=output().shape)

    def value() -> float:
        return float((upstream * output()).sum())

    net.zero_grad()
    output()
    grad_x = net.backward(upstream)
    gradients = {key: gradient.copy() for key, gradient in net.named_gradients()}
    compare(f"{name}: the gradient of x", grad_x, value, x)
    prefix = "" if isinstance(layer, Sequential) else "0."
    for key, view in net.named_parameters():
        compare(f"{name}: the gradient of {key.removeprefix(prefix)!r}", gradients[key], value, view)
    output()
    net.backward(upstream)
    for key, gradient in net.named_gradients():
        if not np.allclose(gradient, 2 * gradients[key], rtol=1e-9, atol=1e-12):
            key = key.removeprefix(prefix)
            raise GradcheckError(f"{name}: backward must add to the gradient of {key!r}, not replace it")


def _in_float64(layer: Module, seed: int) -> Sequential:
    """A copy of a layer or network, in float64, with the values of its parameters if it has some."""
    from .nn.sequential import Sequential
    from .nn.structure import release

    fresh = copy.deepcopy(layer)
    values = dict(fresh.named_parameters()) if isinstance(fresh, Sequential) else {}
    values = {key: view.copy() for key, view in values.items()}
    layers = list(fresh.children()) if isinstance(fresh, Sequential) else [fresh]
    release(fresh)
    net = Sequential(*layers, seed=seed, dtype="float64")
    for key, value in values.items():
        net[key][...] = value
    return net


def _check_loss(loss: Loss, x: Array, target: Any, compare: _Compare) -> None:
    if target is None:
        raise ValueError("target must be given to check a loss")
    if loss.reduction == "none":
        raise ValueError('loss: reduction must be "mean" or "sum" to be checked, got "none"')
    _, gradient = loss(x, target)
    compare(f"{loss!r}: the gradient", gradient, lambda: float(loss(x, target)[0]), x)
