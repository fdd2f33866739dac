"""What all optimizers are: hyperparameters, and states as flat as the parameters, around one in-place update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from .. import _validation as check
from .._core import optimizers as core
from ..nn.parameters import Parameters, aligned_zeros
from .hyperparameters import Hyperparameter, Switch, keyword_names, state_names

Array = check.Array


class Optimizer:
    """Base of the optimizers.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`: the flat buffer of a network, which is updated as one array.
    state_names : tuple of str
        The states that this optimizer has, by the names of the arguments of `function`.
    fill : float, default 0
        What they start as.
    """

    searches: ClassVar[bool] = False  # whether a step evaluates the loss several times, on all samples
    rule: ClassVar[str]  # the kernel
    function: ClassVar[Callable[..., None]]  # the same update as a function of arrays
    lr = Hyperparameter()
    weight_decay = Hyperparameter()
    maximize = Switch()

    def __init__(self, params: Parameters, state_names: tuple[str, ...], fill: float = 0.0) -> None:
        if not isinstance(params, Parameters):
            raise TypeError(f"params must be net.parameters(), got {type(params).__name__}")
        self.params = params
        self.hyper = np.zeros(len(core.HYPERPARAMETERS))
        self.step_count = np.zeros(1, "int64")
        # What schedulers know by place: the value before there was one, and the value that the last one set.
        self.scheduled: dict[int, tuple[float, float]] = {}
        self.states: dict[str, Array] = {}
        for name in state_names:
            self.states[name] = aligned_zeros(params.data.shape, params.data.dtype)
            self.states[name] += fill

    def keywords(self) -> dict[str, Any]:
        """The hyperparameters as `function` takes them."""
        names = keyword_names(type(self).function)
        return {name: int(self.step_count[0]) if name == "step" else getattr(self, name) for name in names}

    def slots(self) -> tuple[Array | None, ...]:
        """The states in the order of the arguments of `function`, at most three; None for what this one has not."""
        return tuple(self.states.get(name) for name in state_names(type(self).function))

    def hyperparameters(self) -> dict[str, float]:
        """The hyperparameters of this optimizer by name, as numbers."""
        names = [name for name in core.HYPERPARAMETERS if isinstance(getattr(type(self), name, None), Hyperparameter)]
        return {name: float(self.hyper[core.HYPERPARAMETERS.index(name)]) for name in names}

    def check_together(self, values: dict[str, float]) -> None:
        """Raise ValueError if hyperparameters do not go together."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters by their gradients, in place.

        `closure`, if given, is called first; it computes the gradients anew and returns the loss, which is returned.
        """
        self.check_moved()
        loss = None if closure is None else closure()
        arrays = (self.params.data, self.params.grad, *self.slots())
        self.step_count[0] += 1
        try:
            if not core.RULES[self.rule].quick(self.hyper, self.step_count.item(), *arrays):
                type(self).function(*arrays, **self.keywords())
        except BaseException:
            self.step_count[0] -= 1
            raise
        return loss

    def check_moved(self) -> None:
        """Raise RuntimeError if the parameters are no longer those of a network."""
        if self.params.moved:
            raise RuntimeError("the network went into another one: make an optimizer from that one's parameters")

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        self.params.grad[...] = 0

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything that decides the next steps: the step count, hyperparameters and states."""
        return {
            "step": int(self.step_count[0]),
            "hyper": self.hyperparameters(),
            "states": {name: state.copy() for name, state in self.states.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave; nothing changes if it does not fit."""
        step, hyper, arrays = self._checked_state(state, tuple(self.states))
        for name, array in arrays.items():
            check.check_same_dtype(**{"parameters": self.params.data, name: array})
            check.check_shape(name, array, self.states[name].shape, "like the parameters")
        self._take_over(step, hyper)
        for name, array in arrays.items():
            self.states[name][...] = array

    def _checked_state(self, state: Any, states: tuple[str, ...]) -> tuple[int, dict[str, float], dict[str, Array]]:
        """The step count, hyperparameters and states (arrays of these names) of what `state_dict` gave."""
        if not isinstance(state, dict):
            raise TypeError(f"state must be a dict, got {type(state).__name__}")
        for key, names in (("hyper", tuple(self.hyperparameters())), ("states", states)):
            if set(state.get(key, ())) != set(names):
                raise ValueError(f"{key} must be {sorted(names)}, got {sorted(state.get(key, ()))}")
        step = check.check_integer("step", state.get("step"), at_least=0)
        hyper = {name: getattr(type(self), name).checked(self, value) for name, value in state["hyper"].items()}
        self.check_together(hyper)
        return step, hyper, {name: check.as_array(name, array) for name, array in state["states"].items()}

    def _take_over(self, step: int, hyper: dict[str, float]) -> None:
        self.step_count[0] = step
        for name, value in hyper.items():
            self.hyper[core.HYPERPARAMETERS.index(name)] = value

    def __repr__(self) -> str:
        usual = {"step": None, "mu_product": None, "maximize": False, "compat": "torch"}
        settings = ", ".join(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value!r}"
                             for name, value in self.keywords().items()
                             if name not in usual or usual[name] not in (None, value))  # fmt: skip
        return f"{type(self).__name__}({settings})"
