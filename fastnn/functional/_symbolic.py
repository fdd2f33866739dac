"""What stands for an array in a `forward` that is traced (nn/tracing): functions pass their arguments to it."""

from __future__ import annotations

from typing import Any


class Symbolic:
    """Base of symbols; functions of arrays call `apply` where an argument is one."""

    __slots__ = ()

    def apply(self, name: str, *args: Any) -> Any:
        """The symbol of what the function `name` makes of its arguments, this symbol among them."""
        raise NotImplementedError

    def call(self, layer: Any) -> Any:
        """The symbol of what a layer makes of this one."""
        raise NotImplementedError

    def concat(self, parts: Any, axis: Any) -> Any:
        """The symbol of matrices side by side, this one among them."""
        raise NotImplementedError


def symbolic(*arrays: Any) -> Symbolic | None:
    """The first symbol among arrays, None if there is none."""
    return next((array for array in arrays if isinstance(array, Symbolic)), None)
