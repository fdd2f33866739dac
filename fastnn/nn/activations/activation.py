"""The base classes of the elementwise activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ... import _validation as check
from ..module import Module

if TYPE_CHECKING:
    from ...compiler.builder import Builder


class Activation(Module):
    """Base of the elementwise activations: a kernel and its parameters.

    Subclasses name the kernel in `kernel` and its parameters, which can be set at any time, in `planned`.
    """

    kernel: ClassVar[str]
    fixed = ("kernel",)

    def __init__(self, **params: float) -> None:
        super().__init__()
        for name, value in params.items():
            if name not in self.planned:
                raise TypeError(f"{type(self).__name__} takes no argument {name!r}")
            setattr(self, name, check.check_number(name, value))

    @property
    def params(self) -> dict[str, float]:
        """The parameters of the kernel by name, in the order in which the kernel takes them."""
        return {name: check.check_number(name, getattr(self, name)) for name in self.planned}

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.activation(self, label, self.kernel, tuple(self.params.values()))

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.params.items())


class InplaceActivation(Activation):
    """Base of the activations that take PyTorch's `inplace`, which changes nothing: programs manage their memory."""

    def __init__(self, inplace: bool = False, **params: float) -> None:
        super().__init__(**params)
        check.check_flag("inplace", inplace)
