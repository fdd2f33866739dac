"""State dicts and safetensors files in PyTorch's layout: weights of linear layers are (out, in) there."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from .._frames import errors_of_use
from ..files.format import FileFormatError
from ..files.replace import replace
from ..nn import Linear, Module
from ..nn.state import LoadedKeys

PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def linear_weights(net: Module) -> set[str]:
    """The names of the weights that are transposed."""
    return {f"{name}.weight" if name else "weight" for name, layer in net.named_modules() if isinstance(layer, Linear)}


def arrays_of(net: Module) -> dict[str, np.ndarray]:
    """A copy of the state of a network, in PyTorch's layout."""
    turned = linear_weights(net)
    return {n: np.ascontiguousarray(v.T) if n in turned else v for n, v in net.state_dict().items()}


@errors_of_use
def state_dict(net: Module) -> dict[str, torch.Tensor]:
    """The state dict of a network for PyTorch: tensors, with the weights of linear layers as (out, in).

    Parameters
    ----------
    net : Module
        A network or a layer.

    Returns
    -------
    state : dict of str to torch.Tensor
        Copies, under the names that they have in the network.

    Examples
    --------
    >>> import fastnn.torch
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), seed=0)
    >>> {name: tuple(tensor.shape) for name, tensor in fastnn.torch.state_dict(net).items()}
    {'0.weight': (3, 2), '0.bias': (3,)}
    """
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays_of(net).items()}


@errors_of_use
def load_state_dict(net: Module, state: Any, strict: bool = True) -> LoadedKeys:
    """Load a state dict of PyTorch into a network.

    Parameters
    ----------
    net : Module
    state : dict of str to torch.Tensor or array
        With the weights of linear layers as (out, in). Tensors may require gradients, and be on another device.
    strict : bool, default True
        Whether missing and unexpected names are errors.

    Returns
    -------
    keys : LoadedKeys
        (missing_keys, unexpected_keys), two lists of names.

    Raises
    ------
    TypeError, ValueError
        If a name, a shape or a dtype does not fit. The message lists everything that does not, and nothing is changed.

    Examples
    --------
    >>> import torch
    >>> import fastnn.torch
    >>> from fastnn import nn
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    >>> fastnn.torch.load_state_dict(net, model.state_dict())
    LoadedKeys(missing_keys=[], unexpected_keys=[])
    """
    if not hasattr(state, "items"):
        raise TypeError(f"state must be a dict of tensors, got {type(state).__name__}{_way_out(state)}")
    arrays = {name: as_array(value) for name, value in state.items()}
    return net.load_state_dict(arrays, strict, layout="torch")


def as_array(value: Any) -> Any:
    """A tensor as an array; bfloat16, which NumPy does not have, as float32."""
    if not isinstance(value, torch.Tensor):
        return value
    value = value.detach().cpu()
    return (value.float() if value.dtype == torch.bfloat16 else value).numpy()


@errors_of_use
def save_file(net: Module, path: str | os.PathLike[str]) -> None:
    """Write the state of a network as a safetensors file for PyTorch: `safetensors.torch.load_file(path)` reads it.

    It holds values only; `net.save(path)` writes a file that `fastnn.load` makes the whole network of.

    Parameters
    ----------
    net : Module
    path : str or path-like
        A file that is there is replaced in one step.

    Raises
    ------
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> import fastnn.torch
    >>> from fastnn import nn
    >>> net, twin = nn.Sequential(nn.Linear(2, 3), seed=0), nn.Sequential(nn.Linear(2, 3), seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "state.safetensors")
    ...     fastnn.torch.save_file(net, path)
    ...     fastnn.torch.load_file(twin, path)
    LoadedKeys(missing_keys=[], unexpected_keys=[])
    >>> bool((twin.parameters().data == net.parameters().data).all())
    True
    """
    from safetensors.numpy import save

    replace(path, save(arrays_of(net)))


@errors_of_use
def load_file(net: Module, path: str | os.PathLike[str], strict: bool = True) -> LoadedKeys:
    """Load a safetensors file of a PyTorch module, as `safetensors.torch.save_file` writes, into a network.

    Parameters
    ----------
    net : Module
    path : str or path-like
    strict : bool, default True
        Whether missing and unexpected names are errors.

    Returns
    -------
    keys : LoadedKeys

    Raises
    ------
    FileFormatError
        If it is no safetensors file. A `.pt` file is a pickle, which can run code, and is refused: the message says how
        to go on.
    TypeError, ValueError
        If a name, a shape or a dtype does not fit; nothing is changed then.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> import torch
    >>> from safetensors.torch import save_file
    >>> import fastnn.torch
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(1, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     save_file({"0.weight": torch.ones(1, 1), "0.bias": torch.zeros(1)}, path)
    ...     fastnn.torch.load_file(net, path)
    LoadedKeys(missing_keys=[], unexpected_keys=[])
    >>> net[0].weight.tolist()
    [[1.0]]
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    with open(path, "rb") as file:
        data = file.read()
    if data[:2] in PICKLES and data[8:9] != b"{":
        raise FileFormatError(f"{path} is a pickle of torch.save, which can run code{_way_out(path)}")
    try:
        state = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise FileFormatError(f"{path} is no safetensors file, or damaged: {error}") from None
    return load_state_dict(net, state, strict)


def _way_out(state: Any) -> str:
    """How to read a pickle of torch.save, for messages."""
    if not isinstance(state, (str, os.PathLike)):
        return ": give module.state_dict()"
    return (
        f': read it with torch.load("{os.fspath(state)}", weights_only=True) and give its state dict to '
        "fastnn.torch.load_state_dict(net, state)"
    )
