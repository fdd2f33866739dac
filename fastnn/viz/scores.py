"""How good a classifier is: its confusions, the calibration of its probabilities, its ROC curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _validation as check
from .. import metrics
from .._frames import errors_of_use
from .models import as_classes, outputs_of
from .panels import canvas, finished, grid_lines, text_on

Array = check.Array


def _probabilities(model: Any, X: Any, y: Any) -> tuple[Array, Array, Array]:
    """Probabilities (rows, classes), the place of each label, and the labels of the columns."""
    outputs = outputs_of(model, None, "classes")
    p = outputs(check.from_any("X", X))
    if p.shape[1] < 2:
        raise ValueError("the model gives one number a row that is no probability: this picture is of classifiers")
    places, known = as_classes(y, len(p), getattr(model, "classes_", np.arange(p.shape[1])))
    return p, places, known


def _names(class_names: Sequence[str] | None, known: Array) -> list[str]:
    names = [str(label) for label in known] if class_names is None else [str(name) for name in class_names]
    if len(names) != len(known):
        raise ValueError(f"class_names must have {len(known)} names, one for each class, got {len(names)}")
    return names


@errors_of_use
def confusion_matrix(
    model: Any,
    X: Any,
    y: Any,
    *,
    normalize: str | None = None,
    class_names: Sequence[str] | None = None,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw how often each class (row) was predicted as each (column).

    Parameters
    ----------
    model : network, Trainer, estimator, or function of X that returns probabilities (rows, classes)
    X, y
        Samples and their labels: class indices, or those of the estimator.
    normalize : {"true", "pred", "all", None}, default None
        As `metrics.confusion_matrix`: shares of rows, of columns or of all.
    class_names : sequence of str, optional
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
    data : dict, with `return_data=True`
        "matrix" (classes, classes), "labels" (classes,), "accuracy".

    Raises
    ------
    TypeError, ValueError
        If the model does not classify, or a label is none of its classes.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    >>> ax, data = viz.confusion_matrix(lambda X: p, np.zeros((3, 1)), [0, 1, 0], return_data=True)
    >>> data["matrix"].tolist()
    [[1, 1], [0, 1]]
    >>> plt.close("all")
    """
    p, true, known = _probabilities(model, X, y)
    names, predicted = _names(class_names, known), p.argmax(1)
    labels = np.arange(len(known))
    matrix = metrics.confusion_matrix(true, predicted, labels=labels, normalize=normalize)
    side = 2.2 + 0.42 * len(known)
    with canvas(ax, size=(max(3.8, side + 0.6), max(3.4, side))) as c:
        one = c.axes[0]
        top = float(matrix.max()) or 1.0
        one.imshow(matrix / top, cmap=c.theme.amount, vmin=0, vmax=1)
        for i, j in np.ndindex(matrix.shape):
            if matrix[i, j]:
                text = f"{matrix[i, j]:.2f}" if normalize else str(matrix[i, j])
                color = text_on(c.theme.amount(float(matrix[i, j] / top))[:3])
                one.text(j, i, text, ha="center", va="center", color=color, fontsize=8 if len(known) > 6 else 10)
        one.set_xticks(labels, names, rotation=45 if max(map(len, names)) > 3 else 0)
        one.set_yticks(labels, names)
        accuracy = float((true == predicted).mean())
        one.set(xlabel="predicted", ylabel="true", title=f"accuracy {accuracy:.1%} of {len(true)}")
    return finished(one, {"matrix": matrix, "labels": known, "accuracy": accuracy}, return_data)


@errors_of_use
def calibration(model: Any, X: Any, y: Any, *, bins: int = 10, ax: Any = None, return_data: bool = False) -> Any:
    """Draw whether probabilities are what they say: how often a prediction is right, by its confidence.

    Parameters
    ----------
    model : network, Trainer, estimator, or function of X that returns probabilities (rows, classes)
    X, y
        As for `confusion_matrix`.
    bins : int, default 10
        Of equal width. For two classes they are of the probability of the second class, from 0 to 1; for more, of that
        of the predicted class.
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
        Bars are the share of samples in each bin.
    data : dict, with `return_data=True`
        "edges" (bins + 1,), "count", "confidence" and "frequency" (bins,), NaN in empty bins, and "error", the
        expected calibration error: the mean of |frequency - confidence| over the samples.

    Raises
    ------
    TypeError, ValueError
        As for `confusion_matrix`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> p = np.array([[0.75, 0.25]] * 4)
    >>> ax, data = viz.calibration(lambda X: p, np.zeros((4, 1)), [0, 0, 0, 1], bins=2, return_data=True)
    >>> data["confidence"].tolist(), data["frequency"].tolist(), data["error"]
    ([0.25, nan], [0.25, nan], 0.0)
    >>> plt.close("all")
    """
    p, true, known = _probabilities(model, X, y)
    bins = check.check_integer("bins", bins, at_least=1, at_most=1000)
    two = len(known) == 2
    confidence, right = (p[:, 1], true == 1) if two else (p.max(1), p.argmax(1) == true)
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, confidence, bins) / count
        frequency = np.bincount(place, right, bins) / count
    error = float(np.nansum(count * np.abs(frequency - mean)) / len(true))
    with canvas(ax, size=(4.8, 4.4)) as c:
        one = c.axes[0]
        one.bar(edges[:-1], count / len(true), 1 / bins, align="edge", color=c.theme.lines, edgecolor=c.theme.paper,
                label="share of samples")  # fmt: skip
        one.plot([0, 1], [0, 1], color=c.theme.faint, linestyle=":", label="calibrated")
        filled = count > 0
        one.plot(mean[filled], frequency[filled], color=c.theme.color(0), marker="o", label="model")
        one.set(xlim=(0, 1), ylim=(0, 1.02), title=f"expected calibration error {error:.3f}")
        one.set_xlabel(f"predicted probability of class {known[1]}" if two else "probability of the predicted class")
        one.set_ylabel("how often it is so" if two else "how often it is right")
        one.legend(loc="upper left")
        grid_lines(one)
    data = {"edges": edges, "count": count, "confidence": mean, "frequency": frequency, "error": error}
    return finished(one, data, return_data)


@errors_of_use
def roc(
    model: Any, X: Any, y: Any, *, class_names: Sequence[str] | None = None, ax: Any = None, return_data: bool = False
) -> Any:
    """Draw ROC curves with their areas: of two classes one, of more one for each class against the rest.

    Parameters
    ----------
    model : network, Trainer, estimator, or function of X that returns probabilities (rows, classes)
    X, y, class_names
        As for `confusion_matrix`.
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
    data : dict, with `return_data=True`
        For each class that is drawn (fpr, tpr, auc), from (0, 0) to (1, 1), a point for each different score.

    Raises
    ------
    TypeError, ValueError
        As for `confusion_matrix`; or if y has one class only.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> score = np.array([0.1, 0.4, 0.35, 0.8])
    >>> model = lambda X: np.stack([1 - score, score], 1)
    >>> ax, data = viz.roc(model, np.zeros((4, 1)), [0, 0, 1, 1], return_data=True)
    >>> data["1"][2], data["1"][0].tolist(), data["1"][1].tolist()
    (0.75, [0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    >>> plt.close("all")
    """
    p, true, known = _probabilities(model, X, y)
    names = _names(class_names, known)
    if len(np.unique(true)) < 2:
        raise ValueError("y has one class only: a ROC curve needs two")
    drawn = [1] if len(known) == 2 else [k for k in range(len(known)) if (true == k).any()]
    data = {}
    for k in drawn:
        positive, score = true == k, p[:, k]
        data[names[k]] = (*roc_points(positive, score), float(metrics.roc_auc(positive.astype("int64"), score)))
    with canvas(ax, size=(4.8 if len(drawn) < 5 else 6.0, 4.4)) as c:
        one = c.axes[0]
        one.plot([0, 1], [0, 1], color=c.theme.faint, linestyle=":", label="chance")
        for i, (name, (fpr, tpr, auc)) in enumerate(data.items()):
            label = f"AUC {auc:.3f}" if len(drawn) == 1 else f"{name}: AUC {auc:.3f}"
            one.plot(fpr, tpr, color=c.theme.color(i), linestyle=c.theme.dash(i), label=label)
        one.set(xlim=(-0.01, 1), ylim=(0, 1.01), title="ROC" if len(drawn) == 1 else "ROC, each class against the rest")
        one.set(xlabel="false positive rate", ylabel="true positive rate")
        one.legend(
            **({"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if len(drawn) > 4 else {"loc": "lower right"})
        )
        grid_lines(one)
    return finished(one, data, return_data)


def roc_points(positive: Array, score: Array) -> tuple[Array, Array]:
    """The false and true positive rates as the threshold falls, from (0, 0), with a point for each different score."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)  # of the samples with equal scores
    hits = np.append(0, np.cumsum(positive[order])[last])
    seen = np.append(0, np.flatnonzero(last) + 1)
    return (seen - hits) / (~positive).sum(), hits / positive.sum()
