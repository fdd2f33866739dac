"""A layer as a tree of layers: walks over it, and what is done to all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .. import _validation as check
from .hooks import Hook, HookHandle
from .variables import Variables

if TYPE_CHECKING:
    from .registry import Network


class Tree(Variables):
    """A layer, and the layers that it is made of."""

    _saving = False  # whether a pass in inference keeps what `backward` needs
    _internal: ClassVar[tuple[str, ...]] = ("trained_names",)

    def __init__(self) -> None:
        super().__init__()
        self._network: Network | None = None  # the network that this layer is part of
        self._hooks: tuple[HookHandle, ...] = ()

    def _forget_programs(self) -> None:
        """Have every network that this layer is part of compile its programs again."""
        raise NotImplementedError

    def named_children(self) -> dict[str, Any]:
        """The layers that this one is made of, by name; empty for most layers."""
        return {}

    def modules(self) -> Iterator[Any]:
        """Yield this layer and those that it is made of, at any depth; in PyTorch's order.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Residual(nn.Linear(2, 2)), nn.ReLU())
        >>> [type(layer).__name__ for layer in net.modules()]
        ['Sequential', 'Residual', 'Linear', 'ReLU']
        """
        return (module for _, module in self.named_modules())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield the same with their names; that of this layer is `prefix`.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Residual(nn.Linear(2, 2)), nn.ReLU())
        >>> [name for name, layer in net.named_modules()]
        ['', '0', '0.body', '1']
        """
        yield prefix, self
        for key, child in self.named_children().items():
            yield from child.named_modules(f"{prefix}.{key}" if prefix else key)

    def apply(self, fn: Callable[[Any], Any]) -> Self:
        """Call `fn` with each layer that this one is made of, at any depth, then with this one; returns self.

        Examples
        --------
        >>> from fastnn import nn
        >>> def zero_bias(layer):
        ...     if isinstance(layer, nn.Linear):
        ...         layer.bias[...] = 0.0
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).apply(zero_bias)
        >>> net["0.bias"].tolist(), net["2.bias"].tolist()
        ([0.0, 0.0], [0.0])
        """
        if not callable(fn):
            raise TypeError(f"fn must be a function of a layer, got {type(fn).__name__}")
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether the parameters of this layer, and of those that it is made of, are trained; returns self.

        Parameters that are not are left out of updates, penalties and constraints; their gradients are 0, and the
        backward pass ends at the first layer that is trained. Buffers are not affected: see `BatchNorm1d.frozen`.

        Parameters
        ----------
        requires_grad : bool, default True

        Returns
        -------
        self : Module

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> layer = net[0].requires_grad_(False)
        >>> {p.name: p.requires_grad for p in net.parameters()}
        {'0.weight': False, '0.bias': False, '2.weight': True, '2.bias': True}
        """
        requires_grad = check.check_switch("requires_grad", requires_grad)
        for module in self.modules():
            module._set_trained(requires_grad)
        return self

    def _set_trained(self, trained: bool) -> None:
        """`requires_grad_` for this layer alone."""
        self._requires_grad = trained
        if not trained and self._home is not None:
            for name in self.parameter_shapes():
                self._parameter(name).grad[...] = 0
        self._settle()
        self._forget_programs()

    @property
    def requires_grad(self) -> bool:
        """Whether the parameters of this layer are trained; of a layer made of layers, whether any are."""
        children = tuple(self.named_children().values())
        own = self._requires_grad and bool(self._shapes or not children)
        return own or any(child.requires_grad for child in children)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def trained_names(self) -> tuple[str, ...]:
        """The names of the layer's own parameters that are trained."""
        return tuple(self.parameter_shapes()) if self._requires_grad else ()

    def float(self) -> Self:
        """Convert parameters and buffers to float32, in place of those that are there; returns self.

        Optimizers and trainers made before refuse to go on. A layer in a network is converted with that.

        Raises
        ------
        ValueError
            If this is part of a network.

        Examples
        --------
        >>> from fastnn import nn
        >>> nn.Sequential(nn.Linear(2, 1), dtype="float64").float().dtype
        'float32'
        """
        self._convert("float32")
        return self

    def double(self) -> Self:
        """Convert parameters and buffers to float64; see `float`.

        Examples
        --------
        >>> from fastnn import nn
        >>> nn.Linear(2, 1).double().weight.dtype.name
        'float64'
        """
        self._convert("float64")
        return self

    def _convert(self, dtype: str) -> None:
        if self._network is not None:
            raise ValueError(f"{type(self).__name__} is part of a network, which has one dtype: convert the network")
        for child in self.children():
            child._convert(dtype)
        if "dtype" in self.__dict__:
            self.__dict__["dtype"] = dtype
        if self._home is not None and self._home[0].dtype != dtype:
            self._home[0].leave(f"the layer was converted to {dtype}")
            self._alone(dtype)

    def register_forward_hook(self, hook: Hook) -> HookHandle:
        """Have `hook(layer, input, output)` called after each forward pass of each network that this is part of.

        It is called once for each batch, in training and in inference: a batch of `fit`, up to 512 rows of `predict`.
        If it raises an error, the pass fails with that. Copies and files of networks have no hooks.

        Parameters
        ----------
        hook : function
            Of this layer and two read-only arrays, input of shape (rows, in_features) and output of shape
            (rows, out_features). They are copies, which can be kept. What it returns is ignored.

        Returns
        -------
        handle : HookHandle
            `handle.remove()`, or the end of a with block around it, ends the calls.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), seed=0)
        >>> handle = net[1].register_forward_hook(lambda layer, x, y: print(layer, x.shape, bool((y >= 0).all())))
        >>> y = net.predict(np.ones((4, 2), "float32"))
        ReLU() (4, 3) True
        >>> handle.remove()
        """
        if not callable(hook):
            raise TypeError(f"hook must be a function of (layer, input, output), got {type(hook).__name__}")
        handle = HookHandle(self, hook)
        self._set_hooks((*self._hooks, handle))
        return handle

    def _set_hooks(self, hooks: tuple[HookHandle, ...]) -> None:
        self._hooks = hooks
        self._forget_programs()
