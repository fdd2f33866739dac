"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack

import numpy as np

from .. import _validation as check
from .._core.rules import HYPERPARAMETERS
from .functional import schedulefreeadamw_step
from .functional.averaged import check_beta1
from .hyperparameters import Count, Hyperparameter, Pair
from .optimizer import Array, Common, Optimizer
from .param_lists import Params

EVALUATING = HYPERPARAMETERS.index("evaluating")
TRAINED = "y"  # the name among the states, while the parameters are x, of the parameters that are trained


class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW: an average of the parameters takes the place of a schedule of the rate.

        rate = lr * min(1, step / warmup_steps)
        weight = step^r * lr_max^weight_lr_power, with the largest rate so far
        c = weight / (sum of the weights so far)
        v = beta2 * v + (1 - beta2) * grad^2
        u = grad / (sqrt(v / (1 - beta2^step)) + eps) + weight_decay * y
        x = (1 - c) * x + c * (z - rate * u)
        z -= rate * u
        y = (1 - beta1) * z + beta1 * x

    Gradients are computed at y, which are the parameters while the network is trained; the average x is to be evaluated
    and saved. `eval()` sets the parameters to x, `train()` back to y. A `Trainer` switches by itself: it validates,
    evaluates and keeps the best epoch with x, and x is in the network after `fit`. After `trainer.step`, call `eval()`
    before predictions.

    `optim.functional.schedulefreeadamw_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 2.5e-3
        Learning rate after the warm-up.
    betas : pair of floats in [0, 1), the first above 0, default (0.9, 0.999)
        How near y is to x, and the decay rate of v.
    eps : float, at least 0, default 1e-8
        Added to the root.
    weight_decay : float, at least 0, default 0
        Factor of the decay, which is computed at y.
    warmup_steps : int, at least 0, default 0
        Number of updates over which the rate rises linearly.
    r : float, default 0
        Power of the step in the weights of the average.
    weight_lr_power : float, at least 0, default 2
        Power of the largest rate in the weights.
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: Defazio et al., 2024 (NeurIPS; arXiv:2405.15682); the arithmetic of AdamWScheduleFree of their package
    schedulefree. Running statistics of batch normalization are those at y, as there; compute them at x with a pass in
    training mode over some batches.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> optimizer = optim.ScheduleFreeAdamW(params, lr=0.25, betas=(0.5, 0.75))
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> for step in range(2):
    ...     optimizer.step()
    >>> weight.data.round(4).ravel().tolist()
    [0.5625, 1.4375]
    >>> optimizer.eval()
    >>> weight.data.round(4).ravel().tolist()
    [0.625, 1.375]
    """

    _made = False  # whether all hyperparameters are set
    switches = ("foreach",)
    rule = "schedulefreeadamw_step"
    function = schedulefreeadamw_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()
    warmup_steps = Count()
    r = Hyperparameter()
    weight_lr_power = Hyperparameter()
    weight_sum = Hyperparameter()  # sum of the weights of the steps so far
    lr_max = Hyperparameter()  # the largest rate so far

    def __init__(
        self,
        params: Params,
        lr: float = 2.5e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
        r: float = 0.0,
        weight_lr_power: float = 2.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("z", "exp_avg_sq"), **common)
        self.states["z"][...] = np.nan  # of a parameter that was never updated
        self._trained: Array | None = None  # y, while the parameters are x
        self.lr, self.betas, self.eps, self.weight_decay, self.maximize = lr, betas, eps, weight_decay, maximize
        self.warmup_steps, self.r, self.weight_lr_power = warmup_steps, r, weight_lr_power
        self.weight_sum = self.lr_max = 0.0
        self._made = True
        for group in self.param_groups:
            self.check_together(self.hyperparameters(group.number))

    def check_together(self, values: dict[str, float]) -> None:
        if self._made:
            check_beta1(values["beta1"])

    def keywords(self) -> dict[str, Any]:
        row = self.hyper[self.number or 0]
        places = {name: HYPERPARAMETERS.index(name) for name in ("weight_sum", "lr_max")}
        return super().keywords() | {name: row[place : place + 1] for name, place in places.items()}

    # -- x and y -------------------------------------------------------------------------------------------------------

    @property
    def evaluating(self) -> bool:  # type: ignore[override]
        """Whether the parameters are the average x, not y."""
        return self._trained is not None

    def eval(self) -> None:
        """Set the parameters to the average x, for evaluation; nothing happens if they are x already.

        Raises
        ------
        RuntimeError
            If the network changed since, or its layers now belong to another one.
        """
        self.check_moved()
        if self._trained is None:
            trained = self.params.data.copy()
            self.params.data[...] = self._average(trained)
            self._set_trained(trained)

    def train(self) -> None:
        """Set the parameters to y, to be trained; nothing happens if they are y already.

        y has the same bits as before `eval()`, except where a parameter has been changed since: there it is
        (1 - beta1) * z + beta1 * param.

        Raises
        ------
        RuntimeError
            If the network changed since, or its layers now belong to another one.
        """
        self.check_moved()
        if self._trained is None:
            return
        trained, data, z = self._trained, self.params.data, self.states["z"]
        changed = (data != self._average(trained)) & ~np.isnan(data)
        for part, beta1 in self._parts():
            mixed = data[part] + data.dtype.type(1 - beta1) * (z[part] - data[part])
            mixed = np.where(np.isnan(z[part]), data[part], mixed)
            trained[part] = np.where(changed[part], mixed, trained[part])
        data[...] = trained
        self._set_trained(None)

    def to_training(self) -> None:
        if self._trained is not None:
            self.train()

    def to_evaluation(self) -> None:
        if not self.params.moved:
            self.eval()

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """A context in which the parameters are x."""
        before = self.evaluating
        self.eval()
        try:
            yield
        finally:
            if not before:
                self.train()

    def _set_trained(self, trained: Array | None) -> None:
        self._trained = trained
        for hyper in (self.hyper, self.default_hyper):
            hyper[..., EVALUATING] = trained is not None

    def _average(self, trained: Array) -> Array:
        """x = y + (1 - 1 / beta1) (z - y)."""
        x, z = trained.copy(), self.states["z"]
        for part, beta1 in self._parts():
            way = x.dtype.type(1 - 1 / beta1) * (z[part] - x[part])
            x[part] += np.where(np.isnan(z[part]), 0, way)
        return x

    def _parts(self) -> Iterator[tuple[slice, float]]:
        """The places of the parameters that are optimized, and beta1 of their groups."""
        for group in self.param_groups:
            for name in group.params:
                yield self.params.place(self.params[name].data), self.at(group.number).beta1

    # -- states --------------------------------------------------------------------------------------------------------

    def step(self, closure: Any = None, *, grads: Any = None) -> Any:
        """Update the parameters by their gradients, in place; as `Optimizer.step`.

        Raises
        ------
        RuntimeError
            Also after `eval()`: gradients are to be computed at y.
        """
        if self._trained is not None:
            raise RuntimeError(
                "the parameters are those to be evaluated: call optimizer.train() before the forward pass"
            )
        return super().step(closure, grads=grads)

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        if self._trained is not None:
            state["states"][TRAINED] = self._trained.copy()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        trained = None
        if isinstance(state, dict) and isinstance(state.get("states"), dict) and TRAINED in state["states"]:
            arrays = dict(state["states"])
            trained = self._checked_trained(arrays.pop(TRAINED))
            state = state | {"states": arrays}
        super().load_state_dict(state)
        self._set_trained(trained)

    def _checked_trained(self, trained: Any) -> Array:
        """A copy of y from a state."""
        array = check.as_array(TRAINED, trained)
        check.check_same_dtype(**{"parameters": self.params.data, TRAINED: array})
        check.check_shape(TRAINED, array, self.params.data.shape, "like the parameters")
        return array.copy()
