"""What optimizers take as `params`: a network's parameters, some of them, plain arrays, or a list of groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..nn.module import Module
from ..nn.parameters import Parameter, Parameters, parameter_of
from .array_parameters import ArrayParameters, all_arrays

Params = Parameters | Iterable[Parameter] | Iterable[Parameters] | Iterable[np.ndarray] | Iterable[Mapping[str, Any]]
WAYS = 'net.parameters(), or a list of its elements, of arrays, or of groups {"params": ..., "lr": ...}'


def resolve(params: Any, groups: Any) -> tuple[Parameters, Any, bool]:
    """Return the `Parameters` that an optimizer updates, its groups, and whether only those in groups are updated.

    Raises
    ------
    TypeError, ValueError
        If params is none of `WAYS`, is empty, mixes networks, or is a list of groups where `groups` is given too.
    """
    if isinstance(params, Parameters):
        return params, groups, False
    if isinstance(params, (str, bytes, Mapping, np.ndarray, Module, Parameter)) or not isinstance(params, Iterable):
        way_out = ": give a list, [params]" if isinstance(params, (np.ndarray, Mapping, Parameter)) else f", or {WAYS}"
        raise TypeError(f"params must be net.parameters(), got {type(params).__name__}{way_out}")
    given = list(params)
    if not given:
        raise ValueError(f"params must not be empty: give {WAYS}")
    as_groups = [isinstance(one, Mapping) for one in given]
    if any(as_groups):
        if not all(as_groups):
            raise TypeError('params must be a list of groups or of parameters, not of both: {"params": [p], ...}')
        if groups:
            raise ValueError("groups must not be given where params is a list of groups")
        specs = [{**group, "params": _members(group, f"params[{i}]")} for i, group in enumerate(given)]
    else:
        specs = [{"params": _flat(given)}]
    found = [member for spec in specs for member in spec["params"]]
    if all_arrays(found):
        return _of_arrays(found, specs, groups, any(as_groups))
    whole = _network_of(found, type(params).__name__)
    if groups:
        raise ValueError('groups must not be given where params is a list: give [{"params": [p, ...], "lr": ...}, ...]')
    return whole, specs, True


def _members(group: Mapping[str, Any], where: str) -> list[Any]:
    """The elements of "params" of a group."""
    if "params" not in group:
        raise ValueError(f"{where} must name its parameters: {{'params': net.parameters(), ...}}")
    given = group["params"]
    several = isinstance(given, Iterable) and not isinstance(given, (str, Module, np.ndarray))
    return _flat(given if several else [given])


def _flat(given: Iterable[Any]) -> list[Any]:
    """The elements, with those of each `Parameters` in its place, and parameters for their arrays."""
    members = (member for one in given for member in (one if isinstance(one, Parameters) else (one,)))
    return [(parameter_of(one) or one) if isinstance(one, np.ndarray) else one for one in members]


def _of_arrays(arrays: list[Any], specs: list[Any], groups: Any, listed: bool) -> tuple[Parameters, Any, bool]:
    """The same for arrays: in the groups they are replaced by their names."""
    for i, spec in enumerate(specs):
        _refuse_twice(f"params[{i}]['params']" if listed else "params", spec["params"])
    unique = list({id(array): array for array in arrays}.values())
    params = ArrayParameters(unique)
    names = {id(array): str(i) for i, array in enumerate(unique)}

    def named(given: Any) -> Any:
        if isinstance(given, np.ndarray):
            return names.get(id(given), given)
        return [named(one) for one in given] if isinstance(given, (list, tuple)) else given

    chosen = specs if listed else groups or ()
    if isinstance(chosen, (list, tuple)):
        chosen = [
            {**spec, "params": named(spec["params"])} if isinstance(spec, Mapping) and "params" in spec else spec
            for spec in chosen
        ]
    return params, chosen, listed


def _refuse_twice(name: str, arrays: list[Any]) -> None:
    """Raise ValueError if an array occurs twice in a list."""
    first: dict[int, int] = {}
    for i, array in enumerate(arrays):
        if (place := first.setdefault(id(array), i)) != i:
            raise ValueError(f"{name}[{place}] and {name}[{i}] are the same array: give it once")


def _network_of(found: list[Any], kind: str) -> Parameters:
    """The parameters of the whole network that these are of."""
    roots: dict[int, Parameters] = {}
    for one in found:
        if isinstance(one, Parameter):
            owner = one.owner()
            if owner is None:
                raise ValueError(f"params: {one!r} was copied from a network, and belongs to none")
            roots[id(owner.root())] = owner.root()
        elif not isinstance(one, (str, Module)):
            raise TypeError(f"params must be net.parameters(), got {kind} with {type(one).__name__}: give {WAYS}")
    if not roots:
        raise TypeError(f"params must be net.parameters(), got {kind} without a parameter: give {WAYS}")
    if len(roots) > 1:
        raise ValueError(f"params must be of one network, got parameters of {len(roots)}: make an optimizer for each")
    return next(iter(roots.values()))
