"""Whether the last layer of a network and its loss match."""

from __future__ import annotations

import warnings

from .. import nn
from .._frames import frames_to_caller
from ..nn.heads import Heads, HeadsLoss
from ..nn.linear import Linear
from ..nn.loss import Loss
from ..nn.module import Module
from ..nn.sequential import Sequential

PROBABILITIES = (nn.Sigmoid, nn.Softmax, nn.Hardsigmoid)
UNBOUNDED = (Linear, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Tanh, nn.GELU)

LOGITS_OF_CLASSES = (nn.CrossEntropyLoss, nn.SoftmaxFocalLoss)
LOGITS = (nn.BCEWithLogitsLoss, nn.FocalLoss, nn.HingeLoss,
          nn.SoftMarginLoss)  # fmt: skip
LOG_PROBABILITIES = (nn.NLLLoss, nn.KLDivLoss)


def warn_of_odd_pair(net: Sequential, loss: Loss) -> None:
    """Warn if the last layer does not give what the loss takes: logits, probabilities or log-probabilities.

    Parameters
    ----------
    net : Sequential
    loss : Loss
        With several heads, each head is compared with its loss.

    Warns
    -----
    UserWarning
        With the layer and the loss, and what to use instead. Called once for each trainer.

    Examples
    --------
    >>> import warnings
    >>> from fastnn import nn
    >>> from fastnn.training.pairs import warn_of_odd_pair
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of_odd_pair(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), nn.BCEWithLogitsLoss())
    >>> print(caught[0].message)
    BCEWithLogitsLoss takes logits, but the last layer is Sigmoid: leave out Sigmoid, the loss has it in itself
    """
    last = last_layer(net)
    pairs = {"": (last, loss)}
    if isinstance(last, Heads) and isinstance(loss, HeadsLoss):
        heads = last.named_children()
        pairs = {f"head {name!r}: ": (last_layer(heads[name]), of_head) for name, of_head in loss.losses.items()}
    for prefix, (layer, of_layer) in pairs.items():
        message = None if layer is None else odd_pair(layer, of_layer)
        if message is not None:
            warnings.warn(prefix + message, UserWarning, stacklevel=frames_to_caller())


def last_layer(layer: Module) -> Module | None:
    """The layer that computes the outputs of a network, or the layer itself; None for an empty network.

    Examples
    --------
    >>> from fastnn import nn
    >>> from fastnn.training.pairs import last_layer
    >>> last_layer(nn.Sequential(nn.Linear(2, 1), nn.Sequential(nn.Tanh())))
    Tanh()
    """
    while isinstance(layer, Sequential):
        if not layer.layers:
            return None
        layer = layer.layers[-1]
    return layer


def odd_pair(last: Module, loss: Loss) -> str | None:
    """What does not match between the last layer and the loss, and what to use instead; None if nothing is known to be
    wrong.

    Examples
    --------
    >>> from fastnn import nn
    >>> from fastnn.training.pairs import odd_pair
    >>> odd_pair(nn.Linear(2, 3), nn.CrossEntropyLoss()) is None
    True
    >>> odd_pair(nn.Tanh(), nn.BCELoss())
    'BCELoss takes probabilities, but the last layer is Tanh: end with nn.Sigmoid(), or use nn.BCEWithLogitsLoss'
    """
    layer, name = type(last).__name__, type(loss).__name__
    is_log = type(last) is nn.LogSoftmax
    is_probability = isinstance(last, PROBABILITIES) and not is_log
    if isinstance(loss, LOGITS_OF_CLASSES + LOGITS) and is_probability:
        return f"{name} takes logits, but the last layer is {layer}: leave out {layer}, the loss has it in itself"
    is_nll = isinstance(loss, nn.NLLLoss)
    if isinstance(loss, LOG_PROBABILITIES) and (is_probability or (is_nll and isinstance(last, UNBOUNDED))):
        instead = ", or nn.CrossEntropyLoss on logits" if is_nll else ""
        return f"{name} takes log-probabilities, but the last layer is {layer}: end with nn.LogSoftmax(){instead}"
    if isinstance(loss, nn.BCELoss) and (is_log or isinstance(last, UNBOUNDED)):
        instead = "end with nn.Sigmoid(), or use nn.BCEWithLogitsLoss"
        return f"{name} takes probabilities, but the last layer is {layer}: {instead}"
    return None
