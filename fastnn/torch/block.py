"""A network as a module of a torch model: forward and backward run here, gradients are PyTorch's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .. import nn


class Block(torch.nn.Module):  # type: ignore[misc]
    """A network of fastnn as a torch module: its passes run in fastnn, gradients go on to what is around it.

    Its parameters are tensors on the memory of the network, in PyTorch's shapes and under the network's names: a torch
    optimizer trains the network, and its state dict is that of `to_torch(net)`.

    Parameters
    ----------
    net : Module
        A network or a layer. It is used as it is, not copied: `net.predict` sees what is trained here.

    Attributes
    ----------
    net : Module

    Raises
    ------
    TypeError
        If net is no network. When called, if x has another dtype than the network, or is not on the CPU; when the
        module is converted by `.double()`, `.half()` or `.to(device)`: convert the network before.
    RuntimeError
        When called, if the layers or the dtype of the network changed since. In the backward pass, if a parameter was
        changed since the forward pass (PyTorch's error), or a second derivative is asked for.

    Notes
    -----
    Input and output have shape (..., features). A block that is called several times before the backward pass runs its
    forward pass again there, with the same random numbers.

    Examples
    --------
    >>> import torch
    >>> import fastnn.torch
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 1, weight_init=[[1.0], [2.0]], bias_init=0.0), nn.ReLU())
    >>> model = torch.nn.Sequential(fastnn.torch.Block(net), torch.nn.Sigmoid())
    >>> x = torch.tensor([[1.0, -0.5]], requires_grad=True)
    >>> model(x).sum().backward()
    >>> x.grad.tolist(), [tuple(p.shape) for p in model.parameters()]
    ([[0.0, 0.0]], [(1, 2), (1,)])
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        if not isinstance(net, nn.Module):
            raise TypeError(f"net must be a network or a layer of fastnn, got {type(net).__name__}")
        self.net = net
        self._runs: Any = net if net.is_network else net.as_network()
        self._params = self._runs.parameters()
        linear = {name for name, layer in self._runs.named_modules() if isinstance(layer, nn.Linear)}
        self._turned = [_owner(p.name) in linear and p.name.endswith("weight") for p in self._params]
        self._tensors: list[torch.nn.Parameter] = []
        for p, turned in zip(self._params, self._turned, strict=True):
            tensor = torch.nn.Parameter(_view(p.data, turned), requires_grad=p.requires_grad)
            _register(self, p.name, tensor)
            self._tensors.append(tensor)
        runs: Any = self._runs
        for name, array in runs.named_buffers():
            _register(self, name, torch.from_numpy(array))
        self.train(net.training)

    def forward(self, x: Tensor) -> Tensor:
        """The output of the network.

        Parameters
        ----------
        x : torch.Tensor of the network's dtype, shape (..., in_features)

        Returns
        -------
        y : torch.Tensor, shape (..., out_features)
        """
        self._params.check_moved("make another Block of it")
        if x.device.type != "cpu" or x.dtype != self._dtype:
            raise TypeError(f"x is {x.dtype} on {x.device}, but the network is {self._dtype} on the CPU")
        y: Tensor = _Passes.apply(self, x, *self._tensors)
        return y

    @property
    def _dtype(self) -> torch.dtype:
        return getattr(torch, self._params.dtype.name)

    def _apply(self, fn: Any, recurse: bool = True) -> Block:
        """Refuse what would move the parameters out of the network."""
        probe = fn(torch.zeros(1, dtype=self._dtype))
        if probe.dtype != self._dtype or probe.device.type != "cpu":
            raise TypeError(
                f"a Block stays {self._dtype} on the CPU, as its network is: call net.double() or net.float(), and "
                "make another Block"
            )
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Block:
        block = Block(copy.deepcopy(self.net, memo))
        return block.train(self.training)

    def __reduce__(self) -> Any:
        return _restored, (self.net, self.training)

    def extra_repr(self) -> str:
        """The network."""
        return repr(self.net)


class _Passes(torch.autograd.Function):  # type: ignore[misc]
    """The passes of a network: arguments are the block, x, and the parameters, which the network reads by itself."""

    @staticmethod
    def forward(ctx: Any, block: Block, x: Tensor, *parameters: Tensor) -> Tensor:
        """Run the forward pass; the block's mode says which program."""
        net, array = block._runs, x.detach().numpy()
        if not any(ctx.needs_input_grad) and not block.training:
            return torch.from_numpy(net.predict(array))
        ctx.block, ctx.mode = block, "train" if block.training else "inference_gradient"
        ctx.save_for_backward(x, *parameters)  # PyTorch then sees whether one is changed before the backward pass
        y = net.run_forward(array, ctx.mode)
        ctx.call = net._last
        return torch.from_numpy(y)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        """Run the backward pass; what is in the network's gradients before it is there afterwards."""
        block, net = ctx.block, ctx.block._runs
        x, *_ = ctx.saved_tensors
        if net._last is not ctx.call:
            _repeat(net, x.detach().numpy(), ctx)
        flat = block._params.grad
        before = flat.copy()
        flat[...] = 0
        grad_x = net.backward(np.ascontiguousarray(grad_output.numpy()))
        gradients = [
            _view(p.grad.copy(), turned) if wanted else None
            for p, turned, wanted in zip(block._params, block._turned, ctx.needs_input_grad[2:], strict=True)
        ]
        flat[...] = before
        return None, torch.from_numpy(grad_x), *gradients


def _repeat(net: Any, x: np.ndarray, ctx: Any) -> None:
    """Run a forward pass again for its backward pass: with its random numbers, and buffers left as they are."""
    buffers = {name: array.copy() for name, array in net.named_buffers()}
    net.run_forward(x, ctx.mode, ctx.call.tick)
    ctx.call = net._last
    for name, array in net.named_buffers():
        array[...] = buffers[name]


def _restored(net: nn.Module, training: bool) -> Block:
    """A block that was pickled."""
    return Block(net).train(training)


def _owner(name: str) -> str:
    return name.rpartition(".")[0]


def _view(array: np.ndarray, turned: bool) -> Tensor:
    """A tensor on the memory of an array, transposed or not."""
    tensor = torch.from_numpy(array)
    return tensor.T if turned else tensor


def _register(block: torch.nn.Module, name: str, tensor: Tensor) -> None:
    """Register a parameter or a buffer under a name that may have dots."""
    owner, _, own = name.rpartition(".")
    home = block
    for part in owner.split(".") if owner else ():
        if part not in home._modules:
            home.add_module(part, torch.nn.Module())
        home = home.get_submodule(part)
    if isinstance(tensor, torch.nn.Parameter):
        home.register_parameter(own, tensor)
    else:
        home.register_buffer(own, tensor)
