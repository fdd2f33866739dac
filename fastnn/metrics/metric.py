"""Metrics as objects for the trainer: which counts its compiled loop adds up, and how the value is computed from them.

Formulas and edge cases are those of the functions of the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from .. import _validation as check
from .._frames import ShortErrors
from ..compiler.counters import ACCURACY, CLASSES, ERRORS, Counter, top_k
from ..functional.softmax import softmax
from ._inputs import Array
from .classification import Counts, check_average
from .ranking import binary_auc, columns_auc
from .regression import determination


class Metric(ShortErrors):
    """Base of the metrics of `Trainer(..., metrics=[...])`.

    A subclass of your own sets `name` and overrides `of_predictions`.

    Attributes
    ----------
    name : str
        Name of the record: "f1" while training, "val_f1" for validation data.
    counter : Counter or None, default None
        The counts that the compiled loop adds up over batches, for `of_counts`. None for a metric that needs all
        predictions at once, by `of_predictions`: it is computed for validation data and by `Trainer.evaluate`, not
        while training.

    Notes
    -----
    Values are weighted by the sample weights and exact over batches of different sizes, not means of batch values.
    While training, each batch counts as it was predicted before its update, like the training loss.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> class Bias(metrics.Metric):
    ...     name = "bias"
    ...     def of_predictions(self, y_true, y_pred, weight, logits):
    ...         return float(np.average(y_pred - y_true, weights=weight, axis=0).mean())
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=["mae", Bias()])
    >>> trainer.evaluate(np.array([[1], [2]], "float32"), np.array([[1], [4]], "float32"))
    {'loss': 2.0, 'mae': 1.0, 'bias': -1.0}
    """

    name: str
    counter: Counter | None = None

    def of_counts(self, counts: Array, several: bool) -> float:
        """The value from the counts of `counter`.

        Parameters
        ----------
        counts : ndarray of float64, shape (counter.size(n_out),)
        several : bool
            Whether each output is a label of its own (multilabel targets).

        Returns
        -------
        float
            NaN if nothing was counted.
        """
        raise NotImplementedError

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        """The value from the predictions for all samples.

        Parameters
        ----------
        y_true : ndarray
            The targets of the loss: class indices, shape (n,), or shape (n, outputs).
        y_pred : ndarray of the network's dtype, shape (n, outputs)
            The outputs of the network in inference mode.
        weight : ndarray of shape (n,), or None
            Sample weights.
        logits : bool
            Whether a softmax of the outputs gives the class probabilities.

        Returns
        -------
        float
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class Accuracy(Metric):
    """Accuracy: the share of correct predictions; "accuracy" is recorded for classification losses without it too.

    With class indices or one-hot rows the largest output is the prediction. With several labels a sample (multilabel
    targets), each label counts as a prediction, above the threshold of the loss (0.5, or 0 for logits).

    Notes
    -----
    `fastnn.metrics.accuracy` counts a sample with several labels only if all are right. A NaN counts as the largest of
    the outputs of a row, and as not above the threshold. NaN if all weights are 0. Source:
    `sklearn.metrics.accuracy_score`; for several labels `keras.metrics.BinaryAccuracy`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 2, weight_init=np.eye(2), bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), metrics=["accuracy"])
    >>> trainer.evaluate(np.eye(2, dtype="float32")[[0, 1, 1, 0]], np.array([0, 1, 1, 1]))["accuracy"]
    0.75
    """

    name = "accuracy"
    counter = ACCURACY


class TopKAccuracy(Metric):
    """Top-k accuracy: the share of samples whose class is among the k largest outputs; "top_5_accuracy" for k = 5.

    Parameters
    ----------
    k : int, default 5
        1 or more.

    Raises
    ------
    ValueError, TypeError
        If `k` is less than 1 or not an integer.

    Notes
    -----
    Of equal outputs, that of the later class counts as the larger one; NaN counts as infinity. The value is NaN if all
    weights are 0. The default is that of `keras.metrics.TopKCategoricalAccuracy`; `fastnn.metrics.top_k_accuracy` has
    that of scikit-learn, 2.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(3, 3, weight_init=np.eye(3), bias_init=0.0))
    >>> top = metrics.TopKAccuracy(2)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), metrics=[top])
    >>> x = np.array([[3, 2, 1], [3, 2, 1], [3, 2, 1], [1, 2, 3]], "float32")
    >>> trainer.evaluate(x, np.array([0, 1, 2, 1]))[top.name]
    0.75
    """

    def __init__(self, k: int = 5) -> None:
        self.name = f"top_{check.check_integer('k', k, at_least=1)}_accuracy"
        self.counter = top_k(k)

    def of_counts(self, counts: Array, several: bool) -> float:
        return _ratio(counts[0], counts[1])


class Rate(Metric):
    """Base of `Precision`, `Recall` and `F1`, which have its parameters."""

    kind: ClassVar[str]
    counter = CLASSES

    def __init__(self, average: str | None = None, zero_division: float = 0.0) -> None:
        self.zero_division = check_average(average, zero_division)
        self.average = average
        self.name = self.kind if average is None else f"{self.kind}_{average}"

    def of_counts(self, counts: Array, several: bool) -> float:
        counted, average = Counts(*counts.reshape(3, -1)), self.average
        if average in (None, "binary") and len(counted.true) == 2 and not several:
            rates: Array = counted.rate(self.kind, None, self.zero_division)
            return float(rates[1])
        if average == "binary":
            raise ValueError(f"{self.name}: average='binary' is for two classes, there are {len(counted.true)}")
        if not several:
            counted = Counts(*(c[(counted.true != 0) | (counted.called != 0)] for c in counted))
        return float(counted.rate(self.kind, average or "macro", self.zero_division)) if len(counted.true) else np.nan


class Precision(Rate):
    """Precision: true positives divided by predicted positives, tp / (tp + fp).

    Parameters
    ----------
    average : {None, "binary", "micro", "macro", "weighted"}, default None
        As for `fastnn.metrics.precision`, and then part of the name ("precision_macro"). None is "binary", for class 1,
        where there are two classes, and otherwise "macro": over the classes that occur in targets or predictions, or
        over all labels.
    zero_division : float, default 0.0
        The value of 0 / 0, between 0 and 1 or NaN. With NaN such classes are left out of averages.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range; at evaluation, if `average="binary"` is given for more than two classes.

    Notes
    -----
    The prediction is the largest output, or for one output or several labels each output above the threshold of the
    loss (0.5, or 0 for logits). The value is NaN if there are no samples. Source: `sklearn.metrics.precision_score`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 2, weight_init=np.eye(2), bias_init=0.0))
    >>> rate, optimizer = metrics.Precision(), optim.SGD(net.parameters())
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer, metrics=[rate])
    >>> trainer.evaluate(np.eye(2, dtype="float32")[[1, 1, 0, 0]], np.array([1, 0, 1, 1]))["precision"]
    0.5
    """

    kind = "precision"


class Recall(Rate):
    """Recall: true positives divided by positives, tp / (tp + fn).

    Parameters
    ----------
    average, zero_division
        As for `Precision`, with the same defaults.

    Notes
    -----
    Source: `sklearn.metrics.recall_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.Recall(), metrics.Recall("macro", zero_division=1.0)
    (Recall(name='recall'), Recall(name='recall_macro'))
    """

    kind = "recall"


class F1(Rate):
    """F1 score, the harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn).

    Parameters
    ----------
    average, zero_division
        As for `Precision`, with the same defaults.

    Notes
    -----
    Source: `sklearn.metrics.f1_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.F1("macro").name
    'f1_macro'
    """

    kind = "f1"


class Errors(Metric):
    """Base of the metrics of regression; the value is the mean over outputs.

    Errors are squared and summed in float64 without scaling: the square of an error above 1e154 overflows, that of an
    error below 1e-162 underflows to 0. A target or an output that is NaN gives NaN. Targets that are class indices are
    a ValueError.
    """

    counter = ERRORS

    def of_counts(self, counts: Array, several: bool) -> float:
        (weight, samples), (absolute, squared, _, spread) = counts[:2], counts[2:].reshape(4, -1)
        if not weight:
            return np.nan
        return float(np.mean(self.of_sums(absolute / weight, squared / weight, spread / weight, samples)))

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        """The value of each output, an ndarray of float64 of shape (outputs,).

        Parameters
        ----------
        absolute, squared, spread : ndarray of float64, shape (outputs,)
            Weighted means of |error|, of error^2, and of the squared distance of targets from their mean.
        samples : float
            Number of samples.
        """
        raise NotImplementedError


class MAE(Errors):
    """Mean absolute error, averaged over outputs.

        mae = sum_i w_i |y_true_i - y_pred_i| / sum_i w_i

    Notes
    -----
    NaN if all weights are 0. Source: `sklearn.metrics.mean_absolute_error`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> chosen = [metrics.MAE(), metrics.MSE(), metrics.R2()]
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=chosen)
    >>> x, y = np.array([[1], [2], [2]], "float32"), np.array([[1], [2], [3]], "float32")
    >>> {name: round(value, 4) for name, value in trainer.evaluate(x, y).items()}
    {'loss': 0.3333, 'mae': 0.3333, 'mse': 0.3333, 'r2': 0.5}
    """

    name = "mae"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return absolute


class MSE(Errors):
    """Mean squared error, averaged over outputs.

        mse = sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i

    Notes
    -----
    NaN if all weights are 0, infinity if a square overflows. Source: `sklearn.metrics.mean_squared_error`. `MAE` has an
    example.
    """

    name = "mse"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return squared


class RMSE(Errors):
    """Root mean squared error, averaged over outputs.

        rmse = sqrt(sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i)    for each output

    Notes
    -----
    NaN if all weights are 0, infinity if a square overflows. Source: `sklearn.metrics.root_mean_squared_error`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=["rmse"])
    >>> trainer.evaluate(np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32"))
    {'loss': 4.0, 'rmse': 2.0}
    """

    name = "rmse"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return np.sqrt(squared)


class R2(Errors):
    """Coefficient of determination R^2, averaged over outputs.

        r2 = 1 - sum_i w_i (y_true_i - y_pred_i)^2 / sum_i w_i (y_true_i - mean(y_true))^2

    Notes
    -----
    NaN for less than two samples, or if all weights are 0. Of constant targets it is 1 if all predictions are equal to
    them, and 0 otherwise. Source: `sklearn.metrics.r2_score`. `MAE` has an example.
    """

    name = "r2"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return determination(squared, spread, samples)


class ROCAUC(Metric):
    """Area under the ROC curve, for validation data and `Trainer.evaluate`, not while training.

    For more than two classes, or several labels, it is the mean of the areas of each against the rest ("macro").
    Targets are class indices, one-hot rows or probabilities (the largest is the class), or labels of 0 and 1.

    Notes
    -----
    NaN if an output is infinite or NaN, or if a class has no samples or all of them. Source:
    `sklearn.metrics.roc_auc_score` with `multi_class="ovr"`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.BCEWithLogitsLoss(), optim.SGD(net.parameters()), metrics=["roc_auc"])
    >>> x, y = np.array([[1], [4], [3], [8]], "float32"), np.array([[0], [0], [1], [1]], "float32")
    >>> trainer.evaluate(x, y)["roc_auc"]
    0.75
    """

    name = "roc_auc"

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        if not np.isfinite(y_pred).all():
            return np.nan
        score = np.asarray(softmax(y_pred) if logits else y_pred, "float64")
        if y_true.ndim == 1 and score.shape[1] > 1:
            positive = y_true[:, None] == np.arange(score.shape[1])
        elif logits:  # one-hot rows or probabilities
            positive = y_true.argmax(1)[:, None] == np.arange(score.shape[1])
        else:
            positive = y_true.reshape(len(score), -1) > 0.5
        weights = np.ones(len(score)) if weight is None else np.asarray(weight, "float64")
        if score.shape[1] == 2 and (logits or y_true.ndim == 1):
            return binary_auc(positive[:, 1], score[:, 1], weights)
        return float(columns_auc(positive, score, weights, "macro"))


class Function(Metric):
    """A function (y_true, y_pred) -> number as a metric, for validation data and `Trainer.evaluate`.

    Parameters
    ----------
    function : callable
        Called as `function(y_true, y_pred)`, with `sample_weight=` if there are weights. Its `__name__` is the name of
        the record. y_true and y_pred are those of `Metric.of_predictions`. NaN is recorded as it is.

    Raises
    ------
    TypeError
        At evaluation, if the result is not a real number.

    Examples
    --------
    >>> from fastnn.metrics.metric import Function
    >>> def largest_error(y_true, y_pred):
    ...     return float(abs(y_true - y_pred).max())
    >>> Function(largest_error)
    Function(name='largest_error')
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        value = self.function(y_true, y_pred) if weight is None else self.function(y_true, y_pred, sample_weight=weight)
        return check.check_number(self.name, value) if value == value else np.nan


METRICS: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "f1": F1,
    "mae": MAE,
    "mse": MSE,
    "precision": Precision,
    "r2": R2,
    "recall": Recall,
    "rmse": RMSE,
    "roc_auc": ROCAUC,
    "top_k_accuracy": TopKAccuracy,
}


def as_metrics(metrics: Any) -> list[Metric]:
    """Metrics as objects, from names, objects and functions.

    Parameters
    ----------
    metrics : iterable of str, Metric or callable

    Returns
    -------
    list of Metric

    Raises
    ------
    ValueError
        If a name is not one of `METRICS`, or two metrics have one name, or one is named "loss" or "seconds".
    TypeError
        If it is not a list, or an item is none of the three, or a class instead of an object.

    Examples
    --------
    >>> from fastnn.metrics.metric import as_metrics
    >>> as_metrics(["mae", "r2"])
    [MAE(name='mae'), R2(name='r2')]
    """
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise TypeError(f"metrics must be a list of metrics, got {metrics!r:.60}")
    result: dict[str, Metric] = {}
    for i, item in enumerate(metrics):
        metric = _as_metric(i, item)
        if metric.name in result or metric.name in ("loss", "seconds"):
            raise ValueError(f"metrics[{i}]: there is a record named {metric.name!r} already")
        result[metric.name] = metric
    return list(result.values())


def _as_metric(i: int, item: Any) -> Metric:
    if isinstance(item, str):
        if item not in METRICS:
            raise ValueError(f"metrics[{i}] must be one of {', '.join(map(repr, METRICS))}, got {item!r}")
        return METRICS[item]()
    if isinstance(item, Metric):
        return item
    if isinstance(item, type) and issubclass(item, Metric):
        raise TypeError(f"metrics[{i}] must be an object, not the class: write {item.__name__}()")
    if callable(item):
        return Function(item)
    raise TypeError(f"metrics[{i}] must be a name, a metric of fastnn.metrics or a function, got {type(item).__name__}")


def _ratio(part: float, whole: float) -> float:
    """part / whole; NaN if whole is 0."""
    return float(part / whole) if whole else np.nan
