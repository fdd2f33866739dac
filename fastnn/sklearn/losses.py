"""The losses of scikit-learn's estimators: means over rows of sums over outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation import Array
from ..nn.binary_losses import BCEWithLogitsLoss
from ..nn.class_losses import CrossEntropyLoss, SoftmaxFocalLoss
from ..nn.distribution_losses import PoissonNLLLoss
from ..nn.loss import Loss
from ..nn.python_loss import as_loss
from ..nn.regression_losses import HuberLoss, L1Loss, QuantileLoss


class ByRows(Loss):
    """Base of the losses that are summed over outputs, and averaged over rows."""

    reductions = ("batchmean",)

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, Array]:
        """Return the loss and its gradient; shapes are (rows, outputs), weights are of shape (rows,)."""
        total, grad = self.formula.both(input, target, "sum", sample_weight, self.numbers, self._extra)
        count = input.dtype.type(len(input) if sample_weight is None else sample_weight.sum())
        return total / count, grad / count


class HalfSquaredError(ByRows, HuberLoss):
    """(input - target)^2 / 2: the Huber loss whose quadratic part has no end."""

    def __init__(self) -> None:
        super().__init__("batchmean", delta=float(np.finfo("float32").max))


class BinaryCrossEntropy(ByRows, BCEWithLogitsLoss):
    """Binary cross-entropy of logits, summed over outputs."""

    def __init__(self) -> None:
        super().__init__("batchmean")


class Poisson(ByRows, PoissonNLLLoss):
    """exp(input) - target * input, summed over outputs: half the Poisson deviance without terms of the target alone."""

    def __init__(self) -> None:
        super().__init__("batchmean")


def classifier_loss(loss: Any, multiclass: bool, label_smoothing: float) -> Loss:
    """The loss of a classifier; smoothed labels of two classes are those of the targets."""
    if loss == "log_loss":
        return CrossEntropyLoss(label_smoothing=label_smoothing) if multiclass else BinaryCrossEntropy()
    if loss == "focal":
        from ..nn.binary_losses import FocalLoss

        return SoftmaxFocalLoss() if multiclass else FocalLoss()
    return as_loss(loss)


def regressor_loss(loss: Any, quantiles: list[float], targets: int) -> Loss:
    """The loss of a regressor; "quantile" has an output for each quantile of each target."""
    if loss == "quantile":
        return QuantileLoss(q=np.repeat(quantiles, targets))
    named = {"squared_error": HalfSquaredError, "poisson": Poisson, "absolute_error": L1Loss, "huber": HuberLoss}
    return named[loss]() if isinstance(loss, str) else as_loss(loss)
