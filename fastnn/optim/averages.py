"""Averages of the weights over updates, which often generalize better than the last weights."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations, starmap
from operator import call
from typing import Any, ClassVar

import numpy as np

from .. import _schema as schema
from .. import _validation as check
from .._core import dispatch
from .._core import parameters as core
from .._frames import errors_of_use
from ..compiler.memory import aligned_zeros
from ..nn.fixed import Fixed
from ..nn.parameters import Parameters

Array = check.Array


STATE = schema.record(
    {"seen": schema.integer(), "settings": schema.listed(schema.number(nan=True)), "data": schema.anything}
)


class WeightAverage(Fixed):
    """The equal average of the parameters after each update: stochastic weight averaging (SWA).

    average += (param - average) / (n_averaged + 1)

    Give it to the trainer, `Trainer(net, loss, optimizer, average=average)`, which updates it within its compiled loop;
    or call `update` after each `optimizer.step()`. `optim.SWA` is another name for it.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    start : int, at least 0, default 0
        Number of updates before averaging begins.
    every : int, at least 1, default 1
        After that, one update in this many is averaged; for example the number of batches of an epoch.

    Raises
    ------
    TypeError, ValueError
        If params is not `net.parameters()`, or start or every is out of range.

    Notes
    -----
    Source: Izmailov et al., 2018 (UAI; arXiv:1803.05407); the arithmetic of torch.optim.swa_utils.AveragedModel.

    The average begins as a copy of the first weights that are averaged; until then `applied` and `copy_to` use the
    current weights. Running statistics of normalization layers are not parameters, and are not averaged: `update_bn`
    computes them for the averaged weights. `fit(..., validate_average=True)` validates with the averaged weights.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, bias=False), dtype="float64")
    >>> weight, average = net.parameters()["0.weight"].data, optim.WeightAverage(net.parameters())
    >>> for value in (1.0, 2.0, 6.0):
    ...     weight[...] = value
    ...     average.update()
    >>> with average.applied():
    ...     weight.item()
    3.0
    >>> weight.item()
    6.0
    """

    _internal: ClassVar[tuple[str, ...]] = ("apply", "restore")
    fixed = ("params", "data", "settings", "seen")

    def __init__(self, params: Parameters, *, start: int = 0, every: int = 1) -> None:
        self._begin(params, math.nan, start, every)

    def _begin(self, params: Parameters, decay: float, start: int, every: int) -> None:
        if not isinstance(params, Parameters):
            raise TypeError(f"params must be net.parameters(), got {type(params).__name__}")
        self.params = params
        self.data = aligned_zeros(params.data.shape, params.data.dtype)
        at_least_0 = check.check_integer("start", start, at_least=0, at_most=check.MAX_ROWS)
        self.settings = np.array([decay, at_least_0, check.check_integer("every", every, at_least=1)], "float64")
        self.seen = np.zeros(1, "int64")  # updates so far, including those that are not averaged
        self.is_applied = False

    @property
    def n_averaged(self) -> int:
        """Number of weights in the average so far."""
        _, start, every = self.settings
        return max(0, math.ceil((int(self.seen[0]) - start) / every))

    def update(self) -> None:
        """Add the current parameters, after one more update, to the average.

        Raises
        ------
        RuntimeError
            While the average is applied.
        """
        self.check_not_applied()
        if dispatch.get_reference():
            from ..reference.parameters import average

            average(self.data, self.params.data, self.settings, self.seen)
        else:
            core.average(self.data, self.params.data, self.settings, self.seen)

    def check_not_applied(self) -> None:
        """Raise RuntimeError while the average is applied to the network."""
        if self.is_applied:
            raise RuntimeError("the average is applied: leave `with average.applied():` before you continue training")

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within `with average.applied():` the network has the averaged weights; its own are restored at the end.

        Raises
        ------
        RuntimeError
            If the average is applied already.
        """
        self.apply()
        try:
            yield
        finally:
            self.restore()

    def apply(self) -> None:
        """Give the network the averaged weights; RuntimeError if it has them."""
        self.check_not_applied()
        self._swap(True)

    def restore(self) -> None:
        """Give the network its own weights back, if it has the averaged ones."""
        if self.is_applied:
            self._swap(False)

    def _swap(self, applied: bool) -> None:
        """Exchange the weights of the network and the average, once there is one."""
        settings: list[tuple[Any, Any, Any]] = [(self.__dict__.__setitem__, "is_applied", applied)]
        if self.n_averaged:
            settings += [(a.__setitem__, ..., b.copy()) for a, b in permutations((self.params.data, self.data))]
        deque(starmap(call, settings), 0)  # one call into C: Ctrl-C finds all of it or nothing

    def copy_to(self, params: Parameters | None = None) -> None:
        """Set parameters to the average for good.

        Parameters
        ----------
        params : Parameters, optional
            Those of a network like this one; by default those of the network itself.

        Raises
        ------
        RuntimeError
            While the average is applied.
        ValueError
            If params differ in names, shapes or dtype.
        """
        self.check_not_applied()
        target = self.params if params is None else params
        shapes = [[(p.name, p.data.shape) for p in of] for of in (self.params, target)]
        if shapes[0] != shapes[1] or target.dtype != self.params.dtype:
            raise ValueError(f"params must be those of a network like this one, {self.params!r}, got {target!r}")
        target.data[...] = self.data if self.n_averaged else self.params.data

    def state_dict(self) -> dict[str, Any]:
        """A copy of the average, its settings, and the number of updates it has seen."""
        self.check_not_applied()
        return {"seen": int(self.seen[0]), "settings": self.settings.tolist(), "data": self.data.copy()}

    @errors_of_use
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict` returned.

        Raises
        ------
        RuntimeError
            While the average is applied.
        TypeError, ValueError
            If the state does not fit, or its settings differ. Nothing has changed then.
        """
        self.check_not_applied()
        state = STATE("", state)
        data = check.as_strict("data", state["data"])
        check.check_same_dtype(parameters=self.params.data, data=data)
        check.check_shape("data", data, self.data.shape, "like the parameters")
        if not np.array_equal(state["settings"], self.settings, equal_nan=True):
            raise ValueError(f"settings must be {self.settings.tolist()}, got {state['settings']}")
        self.seen[0], self.data[...] = state["seen"], data

    def __repr__(self) -> str:
        decay, start, every = self.settings
        given = {"decay": decay, "start": start, "every": every}
        text = ", ".join(f"{name}={value:g}" for name, value in given.items() if value == value)
        return f"{type(self).__name__}({text})"


class ExponentialMovingAverage(WeightAverage):
    """The exponential moving average (EMA) of the parameters after each update.

    average += (1 - decay) * (param - average)

    Its methods are those of `WeightAverage`.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    decay : float in [0, 1], default 0.999
        Fraction of the average that is kept at each update.
    start : int, at least 0, default 0
        Number of updates before averaging begins.
    every : int, at least 1, default 1
        After that, one update in this many is averaged.

    Raises
    ------
    TypeError, ValueError
        If params is not `net.parameters()`, or decay, start or every is out of range.

    Notes
    -----
    Source: the arithmetic of torch.optim.swa_utils.get_ema_multi_avg_fn. The average begins as a copy of the first
    weights that are averaged.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, bias=False), dtype="float64")
    >>> weight = net.parameters()["0.weight"].data
    >>> average = optim.ExponentialMovingAverage(net.parameters(), decay=0.75)
    >>> for value in (1.0, 2.0):
    ...     weight[...] = value
    ...     average.update()
    >>> average.copy_to()
    >>> weight.item()
    1.25
    """

    def __init__(self, params: Parameters, decay: float = 0.999, *, start: int = 0, every: int = 1) -> None:
        self._begin(params, check.check_number("decay", decay, at_least=0.0, at_most=1.0), start, every)


SWA = WeightAverage
