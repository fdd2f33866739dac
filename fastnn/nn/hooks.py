"""Functions that are called with the input and the output of a layer after each forward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._validation import Array

Hook = Callable[[Any, Array, Array], Any]


class HookHandle:
    """A forward hook of a layer; made by `layer.register_forward_hook`.

    Examples
    --------
    >>> from fastnn import nn
    >>> layer = nn.ReLU()
    >>> with layer.register_forward_hook(lambda layer, x, y: print(y.shape)):
    ...     _ = layer([[1.0, 2.0]])
    (1, 2)
    """

    def __init__(self, layer: Any, hook: Hook) -> None:
        self._layer, self.hook = layer, hook

    def remove(self) -> None:
        """Have the hook called no longer; it may be removed already."""
        hooks = self._layer._hooks
        if self in hooks:
            self._layer._set_hooks(tuple(handle for handle in hooks if handle is not self))

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
