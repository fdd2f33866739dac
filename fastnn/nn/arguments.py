"""The arguments that an object was made with: found again, so that a file can hold them and make an equal object."""

from __future__ import annotations

import inspect
from typing import Any


def arguments_of(obj: Any, given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})) -> dict[str, Any]:
    """The current arguments of the constructor of `obj`, by name.

    An argument is the attribute of the same name, which may have changed since; without such an attribute, what was
    `given`; or else the default, which may change in a later version.

    Raises
    ------
    TypeError
        If an argument without a default is neither an attribute nor given.
    """
    signature = inspect.signature(type(obj).__init__)
    bound = signature.bind_partial(obj, *given[0], **given[1])
    bound.apply_defaults()
    attributes = getattr(obj, "__dict__", {})
    arguments: dict[str, Any] = {}
    for name, parameter in list(signature.parameters.items())[1:]:  # the first is the object itself
        if parameter.kind is parameter.VAR_KEYWORD:
            arguments |= {key: attributes.get(key, value) for key, value in bound.arguments[name].items()}
        elif name in attributes:
            arguments[name] = attributes[name]
        elif getattr(inspect.getattr_static(type(obj), name, None), "is_argument", False):
            arguments[name] = getattr(obj, name)
        elif name in bound.arguments:
            arguments[name] = bound.arguments[name]
        else:
            raise TypeError(f"{type(obj).__name__} must keep its argument {name!r} as an attribute, or define config()")
    return arguments


def make(cls: type, arguments: dict[str, Any]) -> Any:
    """Make an object of class `cls` from its arguments by name; those of a `*args` are one sequence."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    arguments = dict(arguments)
    positional: list[Any] = []
    variadic = next((p for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    if variadic is not None and variadic.name in arguments:
        before = parameters[: parameters.index(variadic)]
        positional += [arguments.pop(p.name) for p in before]
        positional += arguments.pop(variadic.name)
    return cls(*positional, **arguments)
