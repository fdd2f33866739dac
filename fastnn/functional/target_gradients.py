"""Gradients of losses with respect to their targets, where those are predictions too."""

from typing import Any

import numpy as np

from .. import _validation as check
from . import losses
from ._elementwise import Array
from .activations import softplus
from .binary_losses import binary_cross_entropy, binary_cross_entropy_with_logits
from .class_losses import cross_entropy
from .distribution_losses import kl_div, kl_div_backward
from .elementary import exp, log, log1p
from .softmax import log_softmax

__all__ = ["target_gradient"]

OF_DIFFERENCES = tuple(f"{name}_loss" for name in ("mse", "l1", "huber", "smooth_l1"))
LEAST_LOG = -100.0  # of binary_cross_entropy
FORWARD: dict[str, Any] = {
    "kl_div": kl_div,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "cross_entropy": cross_entropy,
}
NAMES = (*OF_DIFFERENCES, *FORWARD)


def target_gradient(
    name: str,
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    **options: Any,
) -> Array:
    """Gradient of a loss with respect to its target, where the target is a prediction too.

    `<name>_backward` is the one with respect to input: call both where both arrays come from networks, as in
    distillation in both directions or consistency of two networks.

    ======================================  ===========================================================
    "mse_loss", "l1_loss", "huber_loss",    grad_target = -grad_input
    "smooth_l1_loss"
    "kl_div"                                log(target) - input + 1, or with log_target
                                            exp(target) * (target - input + 1)
    "binary_cross_entropy"                  weight * (log(1 - input) - log(input))
    "binary_cross_entropy_with_logits"      -weight * input, or with pos_weight
                                            weight * (pos_weight * softplus(-input) - softplus(input))
    "cross_entropy" of probabilities        -(1 - label_smoothing) * weight * log softmax(input)
    ======================================  ===========================================================

    times grad_output, sample weights, and 1 over the divisor of the mean.

    Parameters
    ----------
    name : str
        The loss, one of those above.
    grad_output : scalar; for "none" an array of the loss's shape
        Gradient with respect to the loss: 1 for the gradient of the loss itself.
    input, target, reduction, sample_weight
        As given to the loss; target of float32 or float64, of input's shape.
    **options
        Further keywords of the loss.

    Returns
    -------
    grad_target : ndarray, shape and dtype of input

    Raises
    ------
    TypeError, ValueError
        If name is another one, or an argument is none that the loss takes.

    Notes
    -----
    NaN in what the formula reads gives NaN in that element. A target of 0 in "kl_div" gives -infinity, its limit;
    logarithms of "binary_cross_entropy" are at least -100, as in the loss.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.target_gradient("mse_loss", 1.0, np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    array([0.5, 2. ])
    >>> F.target_gradient("binary_cross_entropy_with_logits", 1.0, np.array([2.0, -1.0]), np.array([0.5, 0.5]))
    array([-1. ,  0.5])
    """
    check.check_choice("name", name, NAMES)
    if name in OF_DIFFERENCES:
        backward = getattr(losses, f"{name}_backward")
        grad: Array = 0 - backward(grad_output, input, target, reduction, sample_weight, **options)
        return grad
    x, t = check.as_array("input", input), check.as_array("target", target)
    check.check_same_dtype(input=x, target=t)
    check.check_same_shape(input=x, target=t)
    FORWARD[name](x, t, reduction, sample_weight, **options)  # checks all arguments
    reaching = _reaching(grad_output, x, reduction, sample_weight, by_rows=name == "cross_entropy")
    with np.errstate(all="ignore"):
        return np.asarray(_times(reaching, _slope(name, x, t, **options)))


def _slope(name: str, x: Array, t: Array, weight: Any = None, **options: Any) -> Array:
    """The derivative of the loss of each element with respect to its target."""
    if name == "kl_div":
        return _times(exp(t), t - x + 1) if options.get("log_target") else log(t) - x + 1
    if name == "cross_entropy":
        slope = log_softmax(x) * x.dtype.type(options.get("label_smoothing", 0.0) - 1)
    elif name == "binary_cross_entropy":
        slope = np.maximum(log1p(-x), x.dtype.type(LEAST_LOG)) - np.maximum(log(x), x.dtype.type(LEAST_LOG))
    elif options.get("pos_weight") is None:
        slope = -x
    else:
        slope = _times(np.asarray(options["pos_weight"], x.dtype), softplus(-x)) - softplus(x)
    return slope if weight is None else _times(np.asarray(weight, x.dtype), slope)


def _times(share: Array, y: Array) -> Array:
    """share * y, but 0 where share is 0 and y infinite; NaN stays."""
    product: Array = share * np.where(share == 0, np.clip(y, -1e30, 1e30), y)
    return product


def _reaching(grad_output: Any, x: Array, reduction: str, sample_weight: Any, by_rows: bool) -> Array:
    """What reaches the loss of each element: the gradient of a loss whose derivative is 1 everywhere."""
    if by_rows:
        ones = np.ones(len(x), x.dtype)
        return losses.l1_loss_backward(grad_output, ones, 0 * ones, reduction, sample_weight)[:, np.newaxis]
    ones = np.ones_like(x)
    return kl_div_backward(grad_output, ones, -ones, reduction, sample_weight)
