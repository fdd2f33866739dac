"""Parameter groups: parameters with hyperparameters of their own, and their ranges in the flat buffer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from .._core.optimizers import SPAN
from .._validation import Array
from ..nn.module import Module
from ..nn.parameters import Parameter, Parameters
from .interfaces import Optimizer

ELEMENTS = 0, 0, 0, 0  # the last fields of a span whose elements are updated one by one


class ParamGroup(Mapping[str, Any]):
    """The hyperparameters of some parameters, by name: `group["lr"] = 1e-4` sets one for this group only.

    `group["params"]` is the list of names of the parameters; `group["frozen"]` is whether updates leave them unchanged.
    """

    def __init__(self, optimizer: Optimizer, number: int, params: list[str], settings: dict[str, Any]) -> None:
        self.optimizer, self.number, self.params = optimizer, number, params
        self.pending = settings  # values given for the group, until the optimizer sets its own value
        self.own: set[str] = set()  # hyperparameters that setting the optimizer's attribute does not change

    def __getitem__(self, key: str) -> Any:
        if key == "params":
            return list(self.params)
        self._check(key)
        return getattr(self.optimizer.at(self.number), key)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "params":
            raise ValueError("the params of a group are decided when the optimizer is made")
        self._check(key)
        setattr(self.optimizer.at(self.number), key, value)

    def _check(self, key: str) -> None:
        if key not in type(self.optimizer).group_keys():
            raise KeyError(f"no {key!r} in a parameter group; there are {', '.join(self)}")

    def __iter__(self) -> Iterator[str]:
        return iter(("params", *type(self.optimizer).group_keys()))

    def __len__(self) -> int:
        return 1 + len(type(self.optimizer).group_keys())

    def __repr__(self) -> str:
        return f"ParamGroup({dict(self)})"


def make_groups(optimizer: Optimizer, groups: Any, listed: bool) -> list[ParamGroup]:
    """The groups of an optimizer.

    Number 0 has the parameters that `groups` does not name, and those given follow, in order. If the optimizer was
    given a list (`listed`), there are only those given, from number 0 on, and other parameters are not updated.

    Raises
    ------
    TypeError, ValueError
        If a group is not a dict with "params" and hyperparameters, or names no parameter, or one that another group
        names.
    """
    if isinstance(groups, (str, Mapping)) or not isinstance(groups, Iterable):
        raise TypeError(f"groups must be a list of dicts, got {type(groups).__name__}")
    made: list[ParamGroup] = []
    for i, group in enumerate(groups):
        made.append(make_group(optimizer, i + (not listed), group, f"{'params' if listed else 'groups'}[{i}]", made))
    if listed:
        return made
    grouped = {name for group in made for name in group.params}
    return [ParamGroup(optimizer, 0, [p.name for p in optimizer.params if p.name not in grouped], {}), *made]


def make_group(optimizer: Optimizer, number: int, group: Any, where: str, others: list[ParamGroup]) -> ParamGroup:
    """The group from a dict of a user; `where` is its name in errors, `others` are those before it."""
    if not isinstance(group, Mapping):
        raise TypeError(f"{where} must be a dict, got {type(group).__name__}")
    keys = ("params", *type(optimizer).group_keys())
    unknown = [key for key in group if key not in keys]
    if unknown:
        raise ValueError(f"{where} has unknown keys {unknown}; there are {', '.join(keys)}")
    if "params" not in group:
        raise ValueError(f"{where} must name its parameters: {{'params': '*.bias', ...}}")
    names = _named(optimizer.params, group["params"], where)
    if not names:
        raise ValueError(f"{where} names no parameter")
    for i, other in enumerate(others):
        if shared := [name for name in names if name in other.params]:
            raise ValueError(f"{where}: {shared[0]} is in {where.partition('[')[0]}[{i}] already")
    return ParamGroup(optimizer, number, names, {key: value for key, value in group.items() if key != "params"})


def asked_for(key: str, *lists: Any) -> bool:
    """Whether a group in these lists sets this hyperparameter to a value other than 0: then its state is needed."""
    groups = [group for given in lists if isinstance(given, (list, tuple)) for group in given]
    return any(bool(group.get(key)) for group in groups if isinstance(group, Mapping))


def _named(params: Parameters, given: Any, where: str) -> list[str]:
    """The names of the parameters that a pattern, a layer, an array or a list of those selects, in order."""
    several = isinstance(given, Iterable) and not isinstance(given, (str, Module, np.ndarray))
    found: set[str] = set()
    for one in given if several else (given,):
        if isinstance(one, str):
            names = [p.name for p in params if fnmatchcase(p.name, one)]
        elif isinstance(one, (Module, Parameter, np.ndarray)):
            views = _views(one)
            names = [p.name for p in params if any(p.data is view for view in views)]
        else:
            raise TypeError(f"{where}: params must be names, patterns or layers, got {type(one).__name__}")
        if not names:
            there = ", ".join(p.name for p in params)
            raise ValueError(f"{where}: no parameter matches {one!r:.60}; there are {there}")
        found.update(names)
    return [p.name for p in params if p.name in found]


def _views(given: Any) -> list[Array]:
    """The values of the parameters of a layer or a network, or a parameter's own."""
    if isinstance(given, Parameter):
        return [given.data]
    if isinstance(given, Module):
        own = [given[name] for name in given.parameter_shapes()]
        return [view for child in given.children() for view in _views(child)] + own
    return [given]


def make_spans(
    params: Parameters,
    groups: list[ParamGroup],
    l1: float,
    l2: float,
    places: Mapping[str, tuple[int, int]] | None = None,
) -> Array:
    """The ranges of the buffers whose elements the compiled update treats alike, each as long as possible.

    Parameters that are in no group have no range. `l1` and `l2` are penalties on all parameters that decay, added to
    those of their layers. With `places`, where the states of each parameter begin, each has a range of its own, with
    the shape of its matrices.
    """
    group_of = {name: group.number for group in groups for name in group.params}
    stops = [*(p.start for p in params), params.data.size][1:]
    spans: list[list[Any]] = []
    for p, stop in zip(params, stops, strict=True):
        if p.name not in group_of or not p.requires_grad:
            continue
        decay, layer_l1, layer_l2, max_norm = p.settings[0].item()
        settings = [group_of[p.name], layer_l1 + l1 * decay, layer_l2 + l2 * decay]
        if places is not None:
            limit = [max_norm, p.data.shape[-1] if max_norm < np.inf else 0]
            matrix = p.data.shape[-2:] if p.data.ndim > 1 else (0, p.data.size)
            spans.append([p.start, p.start + p.data.size, *settings, *limit, *matrix, *places[p.name]])
            continue
        if max_norm < np.inf:
            spans.append([p.start, p.start + p.data.size, *settings, max_norm, p.data.shape[-1], *ELEMENTS])
        elif spans and spans[-1][1:] == [p.start, *settings, np.inf, 0, *ELEMENTS]:
            spans[-1][1] = stop
        else:
            spans.append([p.start, stop, *settings, np.inf, 0, *ELEMENTS])
    return np.array([tuple(span) for span in spans if span[1] > span[0]], SPAN)
