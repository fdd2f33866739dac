"""What modules of this room use of modules above them; `nn/__init__.py` fills it in.

A layer that is called alone runs in a network of its own, and files name classes: both are above the layers.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .._validation import Array

# The public classes of layers and of rules of initial values, by name: those that files may name.
LAYERS: dict[str, type] = {}
INITIALIZERS: dict[str, type] = {}


class Network(Protocol):
    """A network, as a layer in it knows it."""

    training: bool
    _saving: bool

    def __call__(self, x: Any) -> Array:
        """Its output."""

    def backward(self, grad_output: Any) -> Array:
        """The gradient of its last input."""

    def parameters(self) -> Any:
        """All parameters."""

    def _forget_programs(self) -> None:
        """Compile the programs again, when they are next needed."""


class Above:
    """Functions that are defined above the layers."""

    network_of_one: Callable[[Any, str], Network]  # a network of one layer, and its dtype
    fold: Callable[[Any], Any]  # a network without the normalizations that can be part of its linear layers
    freeze: Callable[[Any, Any, Any], Any]  # a copy of a network for inference
    trace: Callable[..., Any]  # the trace of a module's forward
    required_features: Callable[[Any], int | None]  # the features that a forward requires of its input
    tree_of: Callable[[Any], str]  # the lines of a module and of the layers that it is made of
    returned_features: Callable[[Any, int], int]  # those of its output


# The trace that runs in this context: `self["name"]` in a forward is a symbol of it.
tracing: ContextVar[Any] = ContextVar("tracing", default=None)


def public(module: Any, base: type) -> dict[str, type]:
    """The public classes of `module` below `base`, by name."""
    names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
    classes = {name: cls for name in names if isinstance(cls := getattr(module, name), type) and issubclass(cls, base)}
    return {name: cls for name, cls in classes.items() if cls is not base and cls.__module__.startswith("fastnn.")}
