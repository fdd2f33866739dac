"""Running statistics of batch normalization, computed again for weights that were averaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..nn.inputs import as_rows, converted
from ..nn.normalization import BatchNorm1d
from ..nn.sequential import Sequential


@errors_of_use
def update_bn(data: Any, net: Sequential, *, batch_size: int = 256) -> None:
    """Compute the running statistics of all BatchNorm1d layers again, for the weights that the network has now.

    running_mean, running_var = the averages over all batches of their means and unbiased variances

    Parameters
    ----------
    data : array of shape (n, in_features), or iterable of batches
        The samples that the network was trained on. A batch is x, or a tuple or list that begins with x.
    net : Sequential
    batch_size : int, at least 1, default 256
        Rows of a batch of an array.

    Raises
    ------
    TypeError, ValueError
        If x does not fit the network, a batch has a single row, which has no variance, or there is no batch. The
        running statistics are then as before.

    Notes
    -----
    The average of weights (`WeightAverage`) does not include running statistics, and those of the last weights do not
    fit it. The forward passes are those of training: normalized by the batch, with dropout. Layers that are `frozen`
    keep their statistics; a network without batch normalization stays as it is. Source:
    torch.optim.swa_utils.update_bn (Izmailov et al., 2018), which also averages over batches, each with the same say.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.BatchNorm1d(1, affine=False))
    >>> average = optim.WeightAverage(net.parameters())
    >>> average.copy_to()
    >>> optim.update_bn(np.array([[1.0], [3.0], [5.0], [9.0]], "float32"), net, batch_size=2)
    >>> net[0].running_mean.tolist(), net[0].running_var.tolist()
    ([4.5], [5.0])
    """
    if not isinstance(net, Sequential):
        raise TypeError(f"net must be a Sequential, got {type(net).__name__}: update_bn(data, net)")
    size = check.check_integer("batch_size", batch_size, at_least=1)
    layers = [layer for layer in net.modules() if isinstance(layer, BatchNorm1d) and layer.track_running_stats]
    layers = [layer for layer in layers if not layer.frozen]
    if layers:
        _update(layers, net, _batches(data, net, size))


def _update(layers: list[BatchNorm1d], net: Sequential, batches: Iterator[Any]) -> None:
    """Run the batches in training mode, with cumulative averages as running statistics."""
    first = next(batches, None)
    if first is None:
        raise ValueError("data must have at least one batch")
    state, momenta = net.state_dict(), [layer.momentum for layer in layers]
    training, tick = net.training, int(net._tick[0])
    try:
        for layer in layers:
            layer.momentum = None
            for name, start in (("running_mean", 0.0), ("running_var", 1.0), ("num_batches_tracked", 0)):
                layer.buffer(name)[...] = start
        net.train()
        for x in chain([first], batches):
            net(x)
    except BaseException:
        net.load_state_dict(state)
        raise
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        net.train(training)
        net._tick[0] = tick  # dropout in training continues as if nothing had happened


def _batches(data: Any, net: Sequential, size: int) -> Iterator[Any]:
    """The inputs of the batches of `data`."""
    if hasattr(data, "__array__") or not isinstance(data, Iterable):
        rows, _ = as_rows(net, data)
        for start in range(0, len(rows), size):
            yield converted(net, rows[start : start + size], start)
        return
    for batch in data:
        x = batch[0] if isinstance(batch, (tuple, list)) and len(batch) and np.ndim(batch[0]) > 1 else batch
        yield converted(net, as_rows(net, x)[0])
