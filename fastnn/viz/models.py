"""What pictures ask of a model: its outputs for rows, as probabilities of classes or as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _validation as check
from .. import functional as F
from .. import nn
from ..functional.sigmoids import sigmoid
from ..nn.module import Module
from ..training.pairs import LOGITS, LOGITS_OF_CLASSES, PROBABILITIES, last_layer
from ..training.trainer import Trainer

Array = check.Array
LOOSE = 1e-3  # by which probabilities may miss 1
MOST_CLASSES = 1000  # class indices up to here
KINDS = "auto", "classes", "numbers"


def network_of(model: Any) -> Any:
    """The network of a trainer or an estimator, or the network itself; TypeError for anything else."""
    if isinstance(model, Trainer):
        return model.net
    if isinstance(model, Module):
        return model.as_network()
    net = getattr(model, "net_", None) or getattr(model, "network_", None)
    if isinstance(net, Module):
        return net
    raise TypeError(f"expected a network or a trainer, got {type(model).__name__}")


class Outputs:
    """The outputs of a model: `outputs(x)` has shape (rows, classes) for classes, (rows, outputs) for numbers.

    Attributes
    ----------
    classes : bool
        Whether they are probabilities of classes, which add up to 1.
    """

    def __init__(self, predict: Callable[[Array], Array], classes: bool) -> None:
        self._predict, self.classes = predict, classes

    def __call__(self, x: Array) -> Array:
        y = np.asarray(self._predict(x), "float64")
        y = y[:, None] if y.ndim == 1 else y
        if y.ndim != 2 or len(y) != len(x):
            raise ValueError(f"the model must give {len(x)} rows for as many, got shape {y.shape}")
        if not np.isfinite(y).all():
            raise ValueError("the outputs of the model are not all finite: it has diverged")
        if not self.classes:
            return y
        y = np.hstack([1 - y, y]) if y.shape[1] == 1 else y
        if y.min() < -LOOSE or y.max() > 1 + LOOSE or np.abs(y.sum(1) - 1).max() > LOOSE:
            raise ValueError(
                f"the model gives numbers from {y.min():.3g} to {y.max():.3g}, which are no probabilities of classes: "
                'end with a softmax, or draw them with kind="numbers"'
            )
        return y


def outputs_of(model: Any, y: Any, kind: str = "auto") -> Outputs:
    """The outputs of a network, a trainer, an estimator or a function of rows.

    Parameters
    ----------
    model : Module, Trainer, estimator with `predict_proba` or `predict`, or function of an array (rows, features)
    y : array or None
        The targets that the model is drawn with: whole numbers in one column stand for classes.
    kind : {"auto", "classes", "numbers"}
        "auto" takes a network with a loss or last layer of classes, or with whole targets, for a classifier.

    Raises
    ------
    TypeError
        If the model is none of these.
    """
    check.check_choice("kind", kind, KINDS)
    if isinstance(model, (Trainer, Module)):
        return _of_network(model, y, kind)
    if hasattr(model, "predict_proba") and kind != "numbers":
        return Outputs(model.predict_proba, classes=True)
    if hasattr(model, "predict"):
        return Outputs(model.predict, classes=False)
    if callable(model):
        return Outputs(model, classes=kind == "classes" or (kind == "auto" and _are_classes(y)))
    raise TypeError(
        "model must be a network, a trainer, an estimator or a function of an array (rows, features), "
        f"got {type(model).__name__}"
    )


def _of_network(model: Any, y: Any, kind: str) -> Outputs:
    net, loss = network_of(model), model.loss if isinstance(model, Trainer) else None
    last, dtype = last_layer(net), net.dtype

    def predict(x: Array) -> Array:
        return np.asarray(net.predict(np.ascontiguousarray(x, dtype)), "float64")

    probable, logarithms = isinstance(last, PROBABILITIES), isinstance(last, nn.LogSoftmax)
    of_classes = isinstance(loss, (*LOGITS_OF_CLASSES, *LOGITS, nn.BCELoss, nn.NLLLoss)) or probable or logarithms
    width = None if net.in_features is None else net.out_features_for(net.in_features)
    if kind == "numbers" or (kind == "auto" and not of_classes and not _are_classes(y, width)):
        return Outputs(predict, classes=False)
    if logarithms:
        return Outputs(lambda x: np.exp(predict(x)), classes=True)
    if probable:
        return Outputs(lambda x: _shares(predict(x)), classes=True)
    low = -1.0 if _lowest(y) == -1 else 0.0
    return Outputs(lambda x: _from_scores(predict(x), loss, low), classes=True)


def _shares(p: Array) -> Array:
    """Probabilities as they are; those of several sigmoids as shares, which add up to 1: all alike if all are 0."""
    total = p.sum(1, keepdims=True)
    return p if p.shape[1] == 1 else np.divide(p, total, out=np.full_like(p, 1 / p.shape[1]), where=total > 0)


def _from_scores(scores: Array, loss: Any, low: float) -> Array:
    """Probabilities of outputs: by sigmoid for a loss of logits, by softmax for one of classes or if none is known.

    The outputs of another loss are trained to be the targets, from `low` to 1.
    """
    if isinstance(loss, LOGITS):
        return _shares(sigmoid(np.ascontiguousarray(scores)))
    if scores.shape[1] > 1 and (loss is None or isinstance(loss, LOGITS_OF_CLASSES)):
        return F.softmax(np.ascontiguousarray(scores))
    return _shares(np.clip((scores - low) / (1 - low), 0, 1))


def _lowest(y: Any) -> Any:
    """The smallest target, where targets are numbers."""
    return None if y is None or np.asarray(y).dtype.kind not in "iubf" or not np.size(y) else np.min(y)


def _are_classes(y: Any, outputs: int | None = None) -> bool:
    """Whether targets are class indices: whole numbers in one column, and two of them if there is one output."""
    if y is None:
        return False
    y = np.asarray(y)
    whole = y.dtype.kind in "iub" and (y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1))
    return whole and (outputs != 1 or set(np.unique(y).tolist()) in ({0}, {1}, {0, 1}, {-1}, {-1, 1}))


def as_samples(x: Any, name: str = "X") -> Array:
    """Samples as float64 of shape (rows, features), all finite."""
    rows = check.from_any(name, x)
    if rows.ndim != 2 or rows.dtype.kind not in "fiub" or not rows.size:
        raise ValueError(f"{name} must be numbers of shape (rows, features), got shape {rows.shape} of {rows.dtype}")
    rows = rows.astype("float64")
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(f"{name}[{row}, {column}] is {rows[row, column]}: pictures need finite numbers")
    return rows


def are_labels(y: Any) -> bool:
    """Whether y names classes: whole numbers, booleans or text, but no numbers with fractions."""
    labels = np.asarray(y)
    return labels.dtype.kind not in "fc" or bool((labels == np.round(labels)).all())


def as_classes(y: Any, rows: int, known: Any = None) -> tuple[Array, Array]:
    """The place of each label among the known ones, and these.

    By default class indices are places themselves, so that a class keeps its colour where others do not occur, and
    other labels are sorted.
    """
    labels = np.asarray(y)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != (rows,):
        raise ValueError(f"y must have shape ({rows},), one label for each row of X, got {labels.shape}")
    if known is None:
        indices = labels.dtype.kind in "iub" and labels.min() >= 0 and labels.max() < MOST_CLASSES
        known = np.arange(int(labels.max()) + 1) if indices else np.unique(labels)
    known = np.asarray(known)
    places = np.minimum(np.searchsorted(known, labels), len(known) - 1)
    wrong = known[places] != labels
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"y[{row}] is {labels[row]!r}, which is none of the {len(known)} classes: {known.tolist()}")
    return places, known
