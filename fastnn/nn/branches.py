"""Layers made of layers: branches that read the same input, and whose outputs are added or concatenated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .module import Module
from .sequential import Sequential
from .structure import chain, check_free, tree

if TYPE_CHECKING:
    from ..compiler.builder import Builder
    from .structure import Node


class Branches(Module):
    """Base of the layers that contain other layers: `children`, a dict by name."""

    def __init__(self, children: dict[str, Any]) -> None:
        super().__init__()
        check_free(children)
        self._children: dict[str, Module] = children

    def named_children(self) -> dict[str, Module]:
        return self._children

    def replace(self, children: dict[str, Module]) -> None:
        """Consist of these layers, of the same names; files of the model then have them."""
        self._children, self._given = children, self._arguments(children)

    def _arguments(self, children: dict[str, Module]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments that make a layer of these."""
        return (), dict(children)

    def in_features_hint(self) -> int | None:
        hints = {hint for child in self.children() if (hint := child.in_features_hint()) is not None}
        if len(hints) > 1:
            raise ValueError(f"{type(self).__name__}: its branches take different numbers of features, {sorted(hints)}")
        return hints.pop() if hints else None

    def __repr__(self) -> str:
        return tree_of(self)


def tree_of(module: Module) -> str:
    """The lines of a module and of the layers that it is made of."""
    return "\n".join(text for text, _ in tree(chain({"": module}), depth=0))


class Residual(Branches):
    """Residual connection (He et al. 2016): the sum of a body and a shortcut.

    y = body(x) + shortcut(x),   shortcut(x) = x by default

    x has shape (..., in_features), y the number of features of the body, of one dtype, float32 or float64.

    Parameters
    ----------
    *body : Module
        One layer or network, or several layers, which make a `Sequential`.
    shortcut : Module, optional
        Needed where the body changes the number of features: `nn.Linear(4, 8, bias=False)`, for example. With a linear
        shortcut around a deep body this is also a wide-and-deep network (Cheng et al. 2016).

    Raises
    ------
    TypeError, ValueError
        If there is no body, something is not a layer or is part of another network, or body and shortcut return
        different numbers of features.

    Notes
    -----
    Names of parameters begin with "body" and "shortcut".

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> block = nn.Residual(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), block, nn.Linear(8, 1), seed=0)
    >>> [name for name, view in net.named_parameters()][2:4]
    ['2.body.0.weight', '2.body.0.bias']
    >>> nn.Residual(nn.ReLU())(np.array([[-1.0, 2.0]]))
    array([[-1.,  4.]])
    """

    def __init__(self, *body: Module, shortcut: Module | None = None) -> None:
        if not body:
            raise ValueError("Residual needs a body: a layer, or several")
        inner = body[0] if len(body) == 1 else Sequential(*body)
        super().__init__({"body": inner} | ({"shortcut": shortcut} if shortcut is not None else {}))
        hint = self.in_features_hint()
        if hint is not None:
            self.out_features_for(hint)

    def _arguments(self, children: dict[str, Module]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (children["body"],), {name: layer for name, layer in children.items() if name != "body"}

    def plan_branches(self, builder: Builder, label: str, branches: tuple[tuple[Node, ...], ...]) -> None:
        body, shortcut = (*branches, ())[:2]
        builder.residual(self, label, body, shortcut)

    def out_features_for(self, in_features: int) -> int:
        widths = [child.out_features_for(in_features) for child in self.children()]
        shortcut = (*widths, in_features)[1]
        if widths[0] != shortcut:
            raise ValueError(f"Residual: body gives {widths[0]} features, to be added to {shortcut} of the shortcut")
        return widths[0]


class Concat(Branches):
    """The outputs of branches that read the same input, concatenated.

    y = [branch_0(x), branch_1(x), ...]

    x has shape (..., in_features), y the sum of the numbers of features of the branches, of one dtype, float32 or
    float64.

    Parameters
    ----------
    *branches : Module
        Layers or networks. An empty `nn.Sequential()` returns its input (a dense skip connection).

    Raises
    ------
    TypeError, ValueError
        If there is no branch, or something is not a layer or is part of another network. In a network when it is made,
        or when called, if branches take different numbers of features.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Concat(nn.Sequential(), nn.Linear(4, 8)), nn.Linear(12, 1), seed=0)
    >>> [name for name, view in net.named_parameters()]
    ['0.1.weight', '0.1.bias', '1.weight', '1.bias']
    >>> nn.Concat(nn.Identity(), nn.ReLU())(np.array([[-1.0, 2.0]]))
    array([[-1.,  2.,  0.,  2.]])
    """

    def __init__(self, *branches: Module) -> None:
        if not branches:
            raise ValueError("Concat needs at least one branch")
        super().__init__({str(i): branch for i, branch in enumerate(branches)})

    def _arguments(self, children: dict[str, Module]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return tuple(children.values()), {}

    def plan_branches(self, builder: Builder, label: str, branches: tuple[tuple[Node, ...], ...]) -> None:
        builder.concat(self, label, branches)

    def out_features_for(self, in_features: int) -> int:
        return sum(child.out_features_for(in_features) for child in self.children())
