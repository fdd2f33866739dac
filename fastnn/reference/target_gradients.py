"""Gradients of losses with respect to their targets, where those are predictions too."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import binary_losses, losses
from ._losses import shared, upstream
from .activations import softplus
from .elementary import Array
from .softmax import log_softmax

__all__ = ["target_gradient"]

# Losses of the difference of input and target.
OF_DIFFERENCES = tuple(f"{name}_loss" for name in ("mse", "l1", "huber", "smooth_l1"))


@np.errstate(all="ignore")
def target_gradient(
    name: str,
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    **options: Any,
) -> Array:
    """Return the gradient of the loss `name` with respect to its target; `options` are further keywords of the loss."""
    if name in OF_DIFFERENCES:
        backward = getattr(losses, f"{name}_backward")
        return 0 - backward(grad_output, input, target, reduction, sample_weight, **options)
    if name == "cross_entropy":
        by_class = options.get("weight")
        slope = log_softmax(input) * input.dtype.type(options.get("label_smoothing", 0.0) - 1)
        slope = slope if by_class is None else shared(np.asarray(by_class, input.dtype), slope)
        return shared(upstream(grad_output, input[:, 0], reduction, sample_weight)[:, np.newaxis], slope)
    slope = SLOPES[name](input, target, **options)
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


def _kl_div(input: Array, target: Array, log_target: bool = False) -> Any:
    return shared(np.exp(target), target - input + 1) if log_target else np.log(target) - input + 1


def _binary_cross_entropy(input: Array, target: Array, weight: ArrayLike | None = None) -> Any:
    least = binary_losses.BCE_MIN_LOG
    slope = np.maximum(np.log1p(-input), least) - np.maximum(np.log(input), least)
    return slope if weight is None else shared(np.asarray(weight, input.dtype), slope)


def _with_logits(
    input: Array, target: Array, pos_weight: ArrayLike | None = None, weight: ArrayLike | None = None
) -> Any:
    slope = -input
    if pos_weight is not None:
        slope = shared(np.asarray(pos_weight, input.dtype), softplus(-input)) - softplus(input)
    return slope if weight is None else shared(np.asarray(weight, input.dtype), slope)


SLOPES = {
    "kl_div": _kl_div,
    "binary_cross_entropy": _binary_cross_entropy,
    "binary_cross_entropy_with_logits": _with_logits,
}
NAMES = (*OF_DIFFERENCES, "cross_entropy", *SLOPES)
