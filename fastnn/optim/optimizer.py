"""Base class of the optimizers: hyperparameters, flat states like the parameters, and an in-place update."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypedDict, TypeVar, overload

import numpy as np

from .. import _schema as schema
from .. import _validation as check
from .._core import dispatch
from .._core import optimizers as core
from .._core.rules import CLIPPING, HYPERPARAMETERS
from .._frames import errors_of_use
from ..compiler.memory import aligned_zeros
from ..nn.fixed import Fixed
from ..nn.parameters import Parameters
from .groups import ParamGroup, make_groups, make_spans
from .hyperparameters import Clip, Hyperparameter, Pair, Switch, keyword_names, state_names

Array = check.Array
Value = TypeVar("Value")  # what a closure returns

# The numbers of clipping without the one that a step writes.
CLIPPING_SETTINGS = tuple(name for name in CLIPPING if name != "grad_norm")


# Layout of a state; the names of hyperparameters and states, and their bounds, are those of the rule.
GROUP = {"step": schema.integer(), "hyper": schema.mapping()}
OWN = {"params": schema.listed(schema.text), "own": schema.listed(schema.text)}
STATE = schema.record(
    GROUP | {"states": schema.mapping()},
    {"groups": schema.listed(schema.record(GROUP | OWN)), "clipping": schema.mapping()},
)


class Common(TypedDict, total=False):
    """The arguments that every optimizer takes; `Optimizer` describes them."""

    groups: Any
    max_grad_norm: float | None
    max_grad_value: float | None
    error_if_nonfinite: bool


class Optimizer(Fixed):
    """Base class of the optimizers.

    A subclass sets `rule` and `function`, its update, and passes the names of its states to this constructor. All
    optimizers take the parameters from `groups` on as keywords.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`: the flat buffer of a network, which is updated as one array.
    state_names : tuple of str
        The states of this optimizer, by the names of the arguments of `function`.
    fill : float, default 0
        Initial value of the states.
    groups : list of dict, optional
        Parameters with hyperparameters of their own: {"params": "*.bias", "weight_decay": 0.0}. "params" is a name, a
        pattern as in `fnmatch`, a layer of the network, or a list of those; with "frozen": True these parameters, their
        states and their step count do not change. Parameters that no group names are in group 0.
    max_grad_norm : float, at least 0, optional
        Largest 2-norm of all gradients together (frozen ones aside): if theirs is above it, they are scaled down to it,
        as by PyTorch's `clip_grad_norm_`. With `math.inf` nothing is clipped, but `grad_norm` is computed.
    max_grad_value : float, at least 0, optional
        Largest magnitude of an element of the gradients, to which they are clipped after that, as by
        `clip_grad_value_`.
    error_if_nonfinite : bool, default False
        Raise RuntimeError if the norm of the gradients, with max_grad_norm, is NaN or infinite, and change nothing. By
        default NaN then reaches the parameters.

    Attributes
    ----------
    param_groups : list of ParamGroup
        The groups as mappings, which can be changed at any time: `optimizer.param_groups[1]["lr"] = 1e-4`. Setting an
        attribute of the optimizer, such as `lr`, sets it for all groups that were not given their own.
    grad_norm : float
        2-norm of the gradients at the last step, before clipping; NaN without max_grad_norm.

    Raises
    ------
    TypeError
        If params is not `net.parameters()`, or an argument is unknown or of a wrong type.
    ValueError
        If a number is out of range, or groups name unknown keys, no parameter, or one parameter twice.

    Notes
    -----
    Source of the clipping by norm: Pascanu, Mikolov and Bengio, 2013 (ICML; arXiv:1211.5063).

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 1), dtype="float64")
    >>> groups = [{"params": "*.bias", "lr": 0.25}]
    >>> optimizer = optim.SGD(net.parameters(), lr=0.5, groups=groups, max_grad_norm=1.0)
    >>> [(group["params"], group["lr"]) for group in optimizer.param_groups]
    [(['0.weight'], 0.5), (['0.bias'], 0.25)]
    >>> params = optimizer.params
    >>> params["0.weight"].grad[...], params["0.bias"].grad[...] = [[3.0], [0.0]], 4.0
    >>> optimizer.step()
    >>> optimizer.grad_norm
    5.0
    """

    _internal: ClassVar[tuple[str, ...]] = (
        "arrays", "at", "check_moved", "check_together", "clipping", "decoupled", "decouples", "function", "group_keys",
        "hyper", "hyperparameter_names", "keywords", "number", "place", "rule", "scheduled", "searches", "slots",
    )  # fmt: skip
    searches: ClassVar[bool] = False  # whether a step evaluates the loss several times, on all samples
    rule: ClassVar[str]  # the kernel
    function: ClassVar[Callable[..., None]]  # the same update as a function of arrays
    fixed = ("params", "number", "param_groups", "hyper", "step_count", "clipping", "states")
    way_out = "make a new optimizer, or load_state_dict"
    lr = Hyperparameter()
    weight_decay = Hyperparameter()
    maximize = Switch()
    frozen = Switch()
    max_grad_norm = Clip(math.nan)
    max_grad_value = Clip(math.inf)

    def __init__(
        self,
        params: Parameters,
        state_names: tuple[str, ...],
        fill: float = 0.0,
        *,
        groups: Any = (),
        max_grad_norm: float | None = None,
        max_grad_value: float | None = None,
        error_if_nonfinite: bool = False,
        **unknown: Any,
    ) -> None:
        if unknown:
            check.refuse_unknown(type(self), unknown, Common.__annotations__)
        if not isinstance(params, Parameters):
            raise TypeError(f"params must be net.parameters(), got {type(params).__name__}")
        self.params = params
        self.number: int | None = None  # the group whose values the attributes are, see `at`; None for all groups
        self.param_groups: list[ParamGroup] = make_groups(self, () if groups is None else groups)
        self.hyper = np.zeros((len(self.param_groups), len(HYPERPARAMETERS)))
        self.step_count = np.zeros(len(self.param_groups), "int64")
        self.clipping = np.full(len(CLIPPING), math.nan)
        self.max_grad_norm, self.max_grad_value = max_grad_norm, max_grad_value
        self.error_if_nonfinite = error_if_nonfinite
        self.frozen = False
        self._spans: tuple[Any, Array] = None, np.zeros(0, core.SPAN)
        # By place, for schedulers: the value before the first scheduler, and the value that the last one set.
        self.scheduled: dict[int, tuple[float, float]] = {}
        self.states: dict[str, Array] = {}
        for name in state_names:
            self.states[name] = aligned_zeros(params.data.shape, params.data.dtype)
            self.states[name] += fill

    @property
    def error_if_nonfinite(self) -> bool:
        """Whether a step raises RuntimeError if the norm of the gradients is not finite; only with max_grad_norm."""
        return bool(self.clipping[CLIPPING.index("error_if_nonfinite")])

    @error_if_nonfinite.setter
    def error_if_nonfinite(self, value: bool) -> None:
        self.clipping[CLIPPING.index("error_if_nonfinite")] = check.check_switch("error_if_nonfinite", value)

    @property
    def grad_norm(self) -> float:
        """The 2-norm of the gradients at the last step, before clipping; NaN if `max_grad_norm` is None."""
        return float(self.clipping[CLIPPING.index("grad_norm")])

    # -- what a rule defines -------------------------------------------------------------------------------------------

    def keywords(self) -> dict[str, Any]:
        """The hyperparameters as the keywords of `function`."""
        names = keyword_names(type(self).function)
        return {name: int(self.step_count[0]) if name == "step" else getattr(self, name) for name in names}

    def slots(self) -> tuple[Array | None, ...]:
        """The states in the order of the arguments of `function`, at most three; None for a state that this optimizer
        lacks.
        """
        return tuple(self.states.get(name) for name in state_names(type(self).function))

    def check_together(self, values: dict[str, float]) -> None:
        """Raise ValueError if hyperparameters contradict each other."""

    # -- hyperparameters -----------------------------------------------------------------------------------------------

    @classmethod
    @functools.cache
    def hyperparameter_names(cls) -> list[str]:
        """The names of the hyperparameters of this rule."""
        return [name for name in HYPERPARAMETERS if isinstance(getattr(cls, name, None), Hyperparameter)]

    @classmethod
    @functools.cache
    def group_keys(cls) -> list[str]:
        """The hyperparameters that a parameter group can have of its own."""
        pairs = {name: pair for name in dir(cls) if isinstance(pair := getattr(cls, name, None), Pair)}
        others = {"compat", "mu_product", *(name for pair in pairs.values() for name in pair.names)}
        return [*(name for name in cls.hyperparameter_names() if name not in others), *pairs]

    def hyperparameters(self, group: int = 0) -> dict[str, float]:
        """The hyperparameters of a group by name, as numbers."""
        row = self.hyper[group]
        return {name: float(row[HYPERPARAMETERS.index(name)]) for name in self.hyperparameter_names()}

    def place(self, name: str, group: int = 0) -> int:
        """The index of a hyperparameter of a group in `hyper.reshape(-1)`, where schedulers set it."""
        if name not in self.hyperparameter_names():
            raise ValueError(f"{type(self).__name__} has no {name!r}; it has {', '.join(self.hyperparameter_names())}")
        return group * len(HYPERPARAMETERS) + HYPERPARAMETERS.index(name)

    def at(self, group: int) -> Self:
        """A view of the optimizer for one parameter group: its attributes are the hyperparameters of the group."""
        view = copy.copy(self)
        number = int(group)
        view.__dict__ |= {"number": number, "step_count": self.step_count[number : number + 1]}
        return view

    # -- steps ---------------------------------------------------------------------------------------------------------

    def arrays(self, l1: float = 0.0, l2: float = 0.0) -> dict[str, Array]:
        """All arrays that a step reads and writes, by name; `l1` and `l2` are penalties on all weights."""
        key = (self.params.settings.tobytes(), self.params.trained.tobytes(), l1, l2)
        spans = self._spans
        if spans[0] != key:
            self._spans = spans = key, make_spans(self.params, self.param_groups, l1, l2)
        arrays = {"weight": self.params.data, "grad_weight": self.params.grad, "hyper": self.hyper}
        arrays |= {"step": self.step_count, "spans": spans[1], "clipping": self.clipping}
        return arrays | {f"s{i}": state for i, state in enumerate(self.slots()) if state is not None}

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Value]) -> Value: ...
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters by their gradients, in place.

        Parameters
        ----------
        closure : callable, optional
            Called first; it computes the gradients and returns the loss.

        Returns
        -------
        loss : object
            What closure returned; None without one.

        Raises
        ------
        RuntimeError
            If the norm of the gradients is not finite, with `error_if_nonfinite`, or the layers now belong to another
            network. Nothing has changed then.
        """
        self.check_moved()
        loss = None if closure is None else closure()
        if dispatch.get_reference():
            from ..reference.updates import update_parameters

            update_parameters(self, self.arrays())
        else:
            core.step(self.rule, self.arrays())
        return loss

    def check_moved(self) -> None:
        """Raise RuntimeError if the network changed since, or its layers now belong to another one."""
        if self.params.moved:
            raise RuntimeError(
                f"{self.params.moved}: make an optimizer from the parameters of the network as it is now"
            )

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        self.params.grad[...] = 0

    # -- state ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the next steps depend on: step count, hyperparameters, groups, clipping, states.

        Returns
        -------
        state : dict
            Numbers, lists, dicts and arrays, for `load_state_dict` of an optimizer made with the same arguments.
        """
        return {
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
        return step, hyper, {name: check.as_array(name, array) for name, array in state["states"].items()}

    def _checked_numbers(self, state: dict[str, Any]) -> tuple[int, dict[str, float]]:
        """The step count and hyperparameters of the state of a group."""
        given, names = state["hyper"], self.hyperparameter_names()
        if set(given) != set(names):
            raise ValueError(f"hyper must be {sorted(names)}, got {sorted(given)}")
        hyper = {name: getattr(type(self), name).checked(self, value) for name, value in given.items()}
        self.check_together(hyper)
        return int(state["step"]), hyper

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

    def __repr__(self) -> str:
        limits = {name: getattr(self, name) for name in ("max_grad_norm", "max_grad_value")}
        limits = {name: limit for name, limit in limits.items() if limit is not None}
        groups = f", {len(self.param_groups)} parameter groups" if len(self.param_groups) > 1 else ""
        usual = {"step": None, "mu_product": None, "maximize": False, "compat": "torch"}
        settings = ", ".join(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value!r}"
                             for name, value in (self.keywords() | limits).items()
                             if name not in usual or usual[name] not in (None, value))  # fmt: skip
        return f"{type(self).__name__}({settings}{groups})"
