"""Base class of the optimizers: hyperparameters, flat states like the parameters, and an in-place update."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self, TypedDict, TypeVar, overload

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import optimizers as core
from .._core.rules import CLIPPING, HYPERPARAMETERS
from ..compiler.memory import aligned_zeros
from .array_parameters import ArrayParameters
from .groups import ParamGroup, make_group, make_groups, make_spans
from .hyperparameters import Clip, Hyperparameter, Pair, Switch
from .param_lists import Params, resolve
from .updating import Updating

Array = check.Array
Value = TypeVar("Value")  # what a closure returns


class Common(TypedDict, total=False):
    """The arguments that every optimizer takes; `Optimizer` describes them."""

    groups: Any
    max_grad_norm: float | None
    max_grad_value: float | None
    error_if_nonfinite: bool
    foreach: bool | None
    fused: bool | None
    capturable: bool | None
    differentiable: bool | None


class Optimizer(Updating):
    """Base class of the optimizers.

    A subclass sets `rule` and `function`, its update, and passes the names of its states to this constructor. All
    optimizers take the parameters from `groups` on as keywords.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`: the flat buffer of a network, which is updated as one array. Or a list, as in PyTorch: of
        some of its elements, the only ones that are then updated; of arrays of one dtype; or of groups of either,
        {"params": net[0].parameters(), "lr": 1e-4}. Groups here are all groups, numbered from 0, and `groups` must not
        be given.
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
    foreach, fused, capturable, differentiable : False or None, default None
        PyTorch's switches, where its optimizer has them. An update here is always one fused pass, so True is an error.

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
        If params is none of these, or an argument is unknown or of a wrong type.
    ValueError
        If a number is out of range, or groups name unknown keys, no parameter, or one parameter twice.
    RuntimeError
        If params were taken before the layers of the network changed.

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

    Some parameters of a network, and arrays:

    >>> head = [p for p in net.parameters() if p.name == "0.bias"]
    >>> optim.Adam([{"params": head, "lr": 0.5}]).param_groups[0]["params"]
    ['0.bias']
    >>> import numpy as np
    >>> w, b = np.array([1.0, 2.0]), np.array(3.0)
    >>> optim.SGD([w, b], lr=0.5).step(grads=[np.array([2.0, 0.0]), np.array(1.0)])
    >>> w.tolist(), b.item()
    ([0.0, 2.0], 2.5)
    """

    _internal: ClassVar[tuple[str, ...]] = (
        "arrays", "at", "check_moved", "check_together", "clipping", "decoupled", "default_hyper", "function",
        "evaluating", "evaluated", "group_keys", "hyper", "hyperparameter_names", "keywords", "number", "operands",
        "place", "places", "rule", "scheduled", "scratch", "searches", "slots", "switches", "to_evaluation",
        "to_training", "update", "update_name",
    )  # fmt: skip
    searches: ClassVar[bool] = False  # whether a step evaluates the loss several times, on all samples
    evaluating: bool | property = (
        False  # whether the parameters are those that are evaluated, not those that are trained
    )
    switches: ClassVar[tuple[str, ...]] = (
        "foreach",
        "capturable",
        "differentiable",
    )  # of PyTorch's, which have no effect
    rule: ClassVar[str]  # the kernel
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
        params: Params,
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
            self._check_switches(unknown)
        self.params, groups, self._listed = resolve(params, groups)
        self.check_moved()
        self._compiled = False  # whether a program has the addresses of `arrays`
        self.number: int | None = None  # the group whose values the attributes are, see `at`; None for all groups
        self.param_groups: list[ParamGroup] = make_groups(self, () if groups is None else groups, self._listed)
        self.default_hyper = np.zeros(len(HYPERPARAMETERS))  # of a group that is added
        self.hyper = np.zeros((len(self.param_groups), len(HYPERPARAMETERS)))
        self.step_count = np.zeros(len(self.param_groups), "int64")
        self.clipping = np.full(len(CLIPPING), math.nan)
        self.max_grad_norm, self.max_grad_value = max_grad_norm, max_grad_value
        self.error_if_nonfinite = error_if_nonfinite
        self.frozen = False
        self._spans: tuple[Any, Array] = None, np.zeros(0, core.SPAN)
        # By place, for schedulers: the value before the first scheduler, and the value that the last one set.
        self.scheduled: dict[int, tuple[float, float]] = {}
        self.scratch: Array | None = None  # memory for a step of a rule that works on whole matrices
        self.states: dict[str, Array] = {}
        for name in state_names:
            self.states[name] = aligned_zeros(self.params.data.shape, self.params.data.dtype)
            self.states[name] += fill

    def _check_switches(self, given: dict[str, Any]) -> None:
        """Raise TypeError for an unknown keyword, and ValueError for a switch of PyTorch's that is on."""
        known = [
            name for name in Common.__annotations__ if name not in ("foreach", "fused", "capturable", "differentiable")
        ]
        check.refuse_unknown(
            type(self), [name for name in given if name not in self.switches], [*known, *self.switches]
        )
        for name, value in given.items():
            if value is not None and check.check_switch(name, value):
                raise ValueError(f"{name} must be False or None: the update is one compiled pass, leave {name} out")

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
        others = {
            "compat",
            "mu_product",
            "eta",
            "weight_sum",
            "lr_max",
            *(name for pair in pairs.values() for name in pair.names),
        }
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
        """All arrays that a program's step reads and writes, by name; `l1` and `l2` are penalties on all weights."""
        self._compiled = True
        return self._arrays(l1, l2)

    def _arrays(self, l1: float = 0.0, l2: float = 0.0) -> dict[str, Array]:
        key = (self.params.settings.tobytes(), self.params.trained.tobytes(), l1, l2)
        spans = self._spans
        if spans[0] != key:
            self._spans = spans = key, make_spans(self.params, self.param_groups, l1, l2, self.places())
        arrays = {"weight": self.params.data, "grad_weight": self.params.grad, "hyper": self.hyper}
        arrays |= {"step": self.step_count, "spans": spans[1], "clipping": self.clipping}
        if self.scratch is not None:
            arrays["scratch"] = self.scratch
        return arrays | {f"s{i}": state for i, state in enumerate(self.slots()) if state is not None}

    @overload
    def step(self, closure: None = None, *, grads: Sequence[Any] | None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Value], *, grads: None = None) -> Value: ...
    def step(self, closure: Callable[[], Any] | None = None, *, grads: Sequence[Any] | None = None) -> Any:
        """Update the parameters by their gradients, in place.

        Parameters
        ----------
        closure : callable, optional
            Called first; it computes the gradients and returns the loss, or (loss, grads) if arrays are optimized.
        grads : list of ndarray, optional
            The gradients, only where arrays are optimized, like those in dtype and shape; instead of closure.

        Returns
        -------
        loss : object
            What closure returned (for arrays, the loss of the pair); None without one.

        Raises
        ------
        RuntimeError
            If the norm of the gradients is not finite, with `error_if_nonfinite`, or the layers now belong to another
            network. Nothing has changed then.
        TypeError, ValueError
            If arrays are optimized and neither or both arguments are given, or gradients do not fit; or a network and
            grads are given. Nothing has changed then.
        """
        self.check_moved()
        if closure is not None and not callable(closure):
            way_out = ": gradients are given by name, step(grads=[...])" if isinstance(closure, (list, tuple)) else ""
            raise TypeError(f"closure must be a function, got {type(closure).__name__}{way_out}")
        if isinstance(self.params, ArrayParameters):
            return self.params.step(self._step, closure, grads)
        if grads is not None:
            raise TypeError("grads are only for an optimizer of arrays: net.backward writes those of a network")
        return self._step(closure)

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        """A step by the gradients in `params.grad` after `closure` was called, if there is one."""
        loss = None if closure is None else closure()
        self.update()
        return loss

    def update(self, l1: float = 0.0, l2: float = 0.0) -> None:
        """Update the parameters by the gradients in `params.grad`, and penalties on all weights."""
        if dispatch.get_reference():
            from ..reference.updates import update_parameters

            update_parameters(self, self._arrays(l1, l2))
        else:
            core.step(self.rule, self._arrays(l1, l2))

    def check_moved(self) -> None:
        """Raise RuntimeError if the network changed since, or its layers now belong to another one."""
        self.params.check_moved("make an optimizer from the parameters of the network as it is now")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of the parameters of this optimizer to 0.

        Parameters
        ----------
        set_to_none : bool, default True
            Accepted as in PyTorch. The gradients are 0 with either value: they are views of one buffer, never None.
        """
        if set_to_none is not True:
            check.check_switch("set_to_none", set_to_none)
        if not self._listed:
            self.params.grad[...] = 0
            return
        for name in (name for group in self.param_groups for name in group.params):
            self.params[name].grad[...] = 0

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters of the same network that this optimizer does not update yet.

        Parameters
        ----------
        param_group : dict
            {"params": net[2].parameters(), "lr": 1e-4}, as in a list of groups. What it does not set is as given to
            the optimizer, or set by attribute since. Its steps are counted from 0.

        Raises
        ------
        TypeError, ValueError
            If it is not such a group, or a parameter is in a group already, or arrays are optimized. All parameters of
            `net.parameters()` are in group 0: an optimizer of some of them takes a list.
        RuntimeError
            If a trainer has compiled the updates of this optimizer. Nothing has changed after any error.

        Examples
        --------
        >>> from fastnn import nn, optim
        >>> net = nn.Sequential(nn.Linear(2, 1), dtype="float64")
        >>> optimizer = optim.SGD([net.parameters()["0.bias"]], lr=0.5)
        >>> optimizer.add_param_group({"params": net.parameters()["0.weight"], "lr": 0.25})
        >>> [(group["params"], group["lr"]) for group in optimizer.param_groups]
        [(['0.bias'], 0.5), (['0.weight'], 0.25)]
        """
        if isinstance(self.params, ArrayParameters):
            raise ValueError("arrays cannot be added: make an optimizer from all of them, [{'params': [w]}, ...]")
        if self._compiled:
            raise RuntimeError(
                "a trainer has compiled this optimizer: add groups before, or set a new trainer.optimizer"
            )
        groups, number = list(self.param_groups), len(self.param_groups)
        new = make_group(self, number, param_group, f"param_groups[{number}]", groups)
        twin = copy.copy(self)
        twin.__dict__ |= {
            "param_groups": [*groups, new],
            "hyper": np.vstack([self.hyper, self.default_hyper]),
            "step_count": np.append(self.step_count, 0),
            "_spans": (None, self._spans[1]),
        }
        view = twin.at(number)
        for key, value in list(new.pending.items()):
            setattr(view, key, value)
        self.__dict__.update(twin.__dict__)
        for group in self.param_groups:
            group.optimizer = self

    def __repr__(self) -> str:
        limits = {name: getattr(self, name) for name in ("max_grad_norm", "max_grad_value")}
        limits = {name: limit for name, limit in limits.items() if limit is not None}
        groups = f", {len(self.param_groups)} parameter groups" if len(self.param_groups) > 1 else ""
        usual = {
            "step": None,
            "mu_product": None,
            "eta": None,
            "weight_sum": None,
            "lr_max": None,
            "maximize": False,
            "compat": "torch",
        }
        settings = ", ".join(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value!r}"
                             for name, value in (self.keywords() | limits).items()
                             if name not in usual or usual[name] not in (None, value))  # fmt: skip
        return f"{type(self).__name__}({settings}{groups})"
