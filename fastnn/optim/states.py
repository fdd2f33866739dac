"""States of optimizers, as dicts: what `state_dict` returns and `load_state_dict` checks and loads."""

from __future__ import annotations

import copy
from typing import Any

from .. import _schema as schema
from .. import _validation as check
from .._core.rules import CLIPPING, HYPERPARAMETERS
from .._frames import errors_of_use
from ..nn.fixed import Fixed
from ..nn.parameters import Parameters
from .groups import ParamGroup

Array = check.Array

# The numbers of clipping without the one that a step writes.
CLIPPING_SETTINGS = tuple(name for name in CLIPPING if name != "grad_norm")


# Layout of a state; the names of hyperparameters and states, and their bounds, are those of the rule.
GROUP = {"step": schema.integer(), "hyper": schema.mapping()}
OWN = {"params": schema.listed(schema.text), "own": schema.listed(schema.text)}
STATE = schema.record(
    GROUP | {"states": schema.mapping()},
    {
        "params": schema.listed(schema.text),  # of group 0, where it has not all that other groups do not have
        "groups": schema.listed(schema.record(GROUP | OWN)),
        "clipping": schema.mapping(),
    },
)


class Stateful(Fixed):
    """Base class of `Optimizer`, which sets these attributes."""

    params: Parameters
    param_groups: list[ParamGroup]
    number: int | None
    hyper: Array
    step_count: Array
    clipping: Array
    states: dict[str, Array]
    _listed: bool

    @classmethod
    def hyperparameter_names(cls) -> list[str]:
        """The names of the hyperparameters of this rule."""
        raise NotImplementedError

    def hyperparameters(self, group: int = 0) -> dict[str, float]:
        """The hyperparameters of a group by name, as numbers."""
        raise NotImplementedError

    def check_together(self, values: dict[str, float]) -> None:
        """Raise ValueError if hyperparameters contradict each other."""

    def at(self, group: int) -> Any:
        """A view of the optimizer for one parameter group."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the next steps depend on: step count, hyperparameters, groups, clipping, states.

        Returns
        -------
        state : dict
            Numbers, lists, dicts and arrays, for `load_state_dict` of an optimizer made with the same arguments.
        """
        params = {"params": list(self.param_groups[0].params)} if self._listed else {}
        return params | {
            "step": int(self.step_count[0]),
            "hyper": self.hyperparameters(),
            "groups": [
                {
                    "params": list(g.params),
                    "own": sorted(g.own),
                    "hyper": self.hyperparameters(g.number),
                    "step": int(self.step_count[g.number]),
                }
                for g in self.param_groups[1:]
            ],
            "clipping": {name: getattr(self, name) for name in CLIPPING_SETTINGS},
            "states": {name: state.copy() for name, state in self.states.items()},
        }

    @errors_of_use
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict` returned.

        Parameters
        ----------
        state : dict
            State of an optimizer of this class, with groups and parameters like these.

        Raises
        ------
        TypeError, ValueError
            If the state does not fit. Nothing has changed then.
        """
        step, hyper, arrays = self._checked_state(state, tuple(self.states))
        self._check_first_group(state)
        groups = self._checked_groups(state.get("groups", []))
        clipping = self._checked_clipping(state.get("clipping", {}))
        for name, array in arrays.items():
            check.check_same_dtype(**{"parameters": self.params.data, name: array})
            check.check_shape(name, array, self.states[name].shape, "like the parameters")
        self._set_numbers(step, hyper)
        self.clipping[...] = clipping
        for group, (steps, values, own) in zip(self.param_groups[1:], groups, strict=True):
            self.at(group.number)._set_numbers(steps, values)
            group.own = own
        for name, array in arrays.items():
            self.states[name][...] = array

    def _checked_state(self, state: Any, states: tuple[str, ...]) -> tuple[int, dict[str, float], dict[str, Array]]:
        """The step count, hyperparameters and states (arrays of these names) from what `state_dict` returned."""
        state = STATE("", state)
        if set(state["states"]) != set(states):
            raise ValueError(f"states must be {sorted(states)}, got {sorted(state['states'])}")
        step, hyper = self._checked_numbers(state)
        return step, hyper, {name: check.as_strict(name, array) for name, array in state["states"].items()}

    def _checked_numbers(self, state: dict[str, Any]) -> tuple[int, dict[str, float]]:
        """The step count and hyperparameters of the state of a group."""
        given, names = state["hyper"], self.hyperparameter_names()
        if set(given) != set(names):
            raise ValueError(f"hyper must be {sorted(names)}, got {sorted(given)}")
        hyper = {name: getattr(type(self), name).checked(self, value) for name, value in given.items()}
        self.check_together(hyper)
        return int(state["step"]), hyper

    def _check_first_group(self, state: dict[str, Any]) -> None:
        """Raise ValueError if a state is of other parameters than this optimizer's list."""
        mine, given = self.param_groups[0].params, state.get("params")
        if self._listed and given is not None and given != mine:
            raise ValueError(f"params of the first group must be {mine}, got {given}")

    def _checked_groups(self, given: Any) -> list[tuple[int, dict[str, float], set[str]]]:
        """Step count, hyperparameters, and which of these are its own, of all groups except number 0."""
        mine, names = [group.params for group in self.param_groups[1:]], [list(group["params"]) for group in given]
        if names != mine:
            raise ValueError(f"groups must be of {mine}, got {names}")
        for group in given:
            if unknown := set(group["own"]) - set(self.hyperparameter_names()):
                raise ValueError(f"own must be hyperparameters, got {sorted(unknown)}")
        return [(*self._checked_numbers(group), set(group["own"])) for group in given]

    def _checked_clipping(self, given: dict[str, Any]) -> Array:
        if unknown := set(given) - set(CLIPPING_SETTINGS):
            raise ValueError(f"clipping must be of {', '.join(CLIPPING_SETTINGS)}, got {sorted(unknown)}")
        twin = copy.copy(self)
        twin.__dict__["clipping"] = self.clipping.copy()
        for name in CLIPPING_SETTINGS:
            setattr(twin, name, given.get(name, getattr(self, name)))
        return twin.clipping

    def _set_numbers(self, step: int, hyper: dict[str, float]) -> None:
        self.step_count[0] = step
        for name, value in hyper.items():
            self.hyper[self.number or 0, HYPERPARAMETERS.index(name)] = value
