"""What the outputs of a network and the targets of its loss mean for metrics: probabilities, classes and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...functional.sigmoids import sigmoid
from ...functional.softmax import softmax
from .._inputs import Array

if TYPE_CHECKING:
    from ...nn.loss import Loss

# Losses of logits of labels, and of log-probabilities, which are logits too: their softmax is their exponential.
OF_SIGMOID = ("binary_cross_entropy_with_logits", "sigmoid_focal_loss", "soft_margin_loss")
OF_LOGARITHMS = ("nll_loss", "kl_div")


def has_logits(loss: Loss) -> bool:
    """Whether a softmax of the outputs for this loss gives the class probabilities."""
    return loss.logits or loss.name in OF_LOGARITHMS


def is_exclusive(y_true: Array, y_pred: Array, logits: bool) -> bool:
    """Whether columns of outputs are classes that exclude each other, and not a label each."""
    return logits or (y_true.ndim == 1 and y_pred.shape[1] > 1)


def known(y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> tuple[Array, Array, Array]:
    """Targets, outputs and weights (ones for None), without samples of weight 0 or of a class index out of range."""
    weights = np.ones(len(y_pred)) if weight is None else np.asarray(weight, "float64")
    kept = weights > 0
    if is_exclusive(y_true, y_pred, logits) and y_true.ndim == 1:
        kept &= (y_true >= 0) & (y_true < y_pred.shape[1])
    return y_true[kept], y_pred[kept], weights[kept]


def targets(y_true: Array, y_pred: Array, logits: bool) -> Array:
    """Targets in the form of the outputs: one-hot rows, probabilities, or 0 and 1.

    Parameters
    ----------
    y_true : ndarray
        The targets of the loss: class indices, shape (n,), or shape (n, outputs).
    y_pred : ndarray, shape (n, outputs)
    logits : bool
        Whether a softmax of the outputs gives the class probabilities.

    Returns
    -------
    ndarray of float64, shape (n, outputs)
    """
    if is_exclusive(y_true, y_pred, logits) and y_true.ndim == 1:
        return (y_true[:, None] == np.arange(y_pred.shape[1])).astype("float64")
    return np.maximum(y_true.reshape(len(y_pred), -1).astype("float64"), 0.0)  # labels may be -1 and 1


def positives(y_true: Array, y_pred: Array, logits: bool) -> Array:
    """Whether each class or label is true, of bool, shape (n, outputs); of probabilities the largest is the class."""
    target = targets(y_true, y_pred, logits)
    if is_exclusive(y_true, y_pred, logits) and y_true.ndim > 1:
        positive: Array = target.argmax(1)[:, None] == np.arange(target.shape[1])
        return positive
    return target > 0.5


def probabilities(name: str, y_pred: Array, loss: Loss) -> Array:
    """The outputs as probabilities, of float64.

    Parameters
    ----------
    name : str
        Of the metric, for the message.
    y_pred : ndarray, shape (n, outputs)
        Finite.
    loss : Loss
        Outputs for a loss of logits or log-probabilities have their softmax or sigmoid; those for another loss must be
        probabilities.

    Raises
    ------
    ValueError
        If an output is not between 0 and 1.
    """
    output = y_pred.astype("float64")
    if has_logits(loss):
        return np.asarray(softmax(output))
    if loss.name in OF_SIGMOID:
        return np.asarray(sigmoid(output))
    outside = (output < 0) | (output > 1)
    if outside.any():
        raise ValueError(f"{name} needs probabilities: use a loss of logits, like nn.CrossEntropyLoss or "
                         f"nn.BCEWithLogitsLoss, or outputs between 0 and 1, got {output[outside][0]}")  # fmt: skip
    return output


def class_indices(name: str, y_true: Array, y_pred: Array, loss: Loss) -> tuple[Array, Array]:
    """The true and the predicted class of each sample, of int64; ValueError for several labels a sample."""
    true, pred = predictions(y_true, y_pred, loss)
    if true.ndim == 2:
        raise ValueError(f"{name} is for one label a sample, and the targets have several")
    return true, pred


def predictions(y_true: Array, y_pred: Array, loss: Loss) -> tuple[Array, Array]:
    """True and predicted classes, as a counter of classes counts them.

    Returns
    -------
    true, pred : ndarray of int64, shape (n,), or with several labels a sample (n, outputs)
        The largest output is the class; a single output or one of several labels is 1 above the threshold of the loss.
    """
    if y_pred.shape[1] == 1 or (loss.threshold is not None and y_true.ndim > 1):
        threshold = 0.5 if loss.threshold is None else loss.threshold
        true, pred = y_true.reshape(len(y_pred), -1) > 0.5, y_pred > threshold
        pair = [a.astype("int64") for a in (true, pred)]
        return (pair[0][:, 0], pair[1][:, 0]) if y_pred.shape[1] == 1 else (pair[0], pair[1])
    return (y_true if y_true.ndim == 1 else y_true.argmax(1)).astype("int64"), y_pred.argmax(1)
