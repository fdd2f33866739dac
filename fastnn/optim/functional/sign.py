"""Rules that use the sign of the gradient alone: Lion and Rprop."""

from typing import Any

from ..._core.rules import RULES
from ._update import Array, hyper_of, pair, slow

_LION, _RPROP = RULES["lion_step"], RULES["rprop_step"]
_LION_HYPER = hyper_of("lr", "beta1", "beta2", "weight_decay", "maximize", decoupled=1.0)
_RPROP_HYPER = hyper_of(
    "lr", "eta_minus", "eta_plus", "smallest_step", "largest_step", "weight_decay", "maximize"
)  # fmt: skip


def lion_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    *,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One update by Lion, with decoupled weight decay, in place.

        param *= 1 - lr * weight_decay
        param -= lr * sign(beta1 * exp_avg + (1 - beta1) * grad)
        exp_avg = beta2 * exp_avg + (1 - beta2) * grad

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    exp_avg : ndarray like param
        Average of the gradients, updated in place; zeros before the first step.
    lr : float, at least 0, default 1e-4
        Learning rate: the size of every step.
    betas : pair of floats in [0, 1), default (0.9, 0.99)
        Decay rates of the average: for the direction of the step, and for the next average.
    weight_decay : float, at least 0, default 0
        Factor of the decay of the parameters themselves.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range.
        Nothing is changed then.

    Notes
    -----
    Source: Chen et al., 2023 (NeurIPS; arXiv:2302.06675). sign(0) is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import lion_step
    >>> param, grad, exp_avg = np.array([1.0, 1.0]), np.array([0.5, -2.0]), np.zeros(2)
    >>> lion_step(param, grad, exp_avg, lr=0.25, betas=(0.5, 0.75))
    >>> param.tolist(), exp_avg.tolist()
    ([0.75, 1.25], [0.125, -0.5])
    """
    hyper = _LION_HYPER(lr, *pair("betas", betas), weight_decay, maximize)
    if not _LION.quick(hyper, 1, param, grad, exp_avg):
        keywords = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        slow(_LION, "lion_step", hyper, keywords, param=param, grad=grad, exp_avg=exp_avg)


def rprop_step(
    param: Array,
    grad: Any,
    prev: Array,
    step_size: Array,
    *,
    step: int,
    lr: float = 1e-2,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50.0),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One update by Rprop, without backtracking of weights, in place.

        g = grad + weight_decay * param
        step_size *= etas[1] where g * prev > 0, etas[0] where g * prev < 0
        step_size = clip(step_size, *step_sizes)
        prev = g, but 0 where g * prev < 0
        param -= step_size * sign(prev)

    It is meant for full batches: the noise of mini-batches flips signs.

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param; PyTorch's leaves param unchanged.
    prev, step_size : ndarray like param
        The previous gradient and the step size of each element, updated in place.
    step : int, at least 1
        Number of this update. At 1, prev is set to 0 and step_size to lr first.
    lr : float, at least 0, default 1e-2
        The step_size of the first update; not used later.
    etas : pair of floats, the first in (0, 1), the second above 1, default (0.5, 1.2)
        Factors by which a step shrinks and grows.
    step_sizes : pair of floats, at least 0, default (1e-6, 50)
        The smallest and the largest step.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient. Not in PyTorch's.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range.
        Nothing is changed then.

    Notes
    -----
    Source: Riedmiller and Braun, 1993 (IEEE ICNN), in the variant iRprop- of Igel and Huesken, 2000 (NC); the
    arithmetic of torch.optim.Rprop.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import rprop_step
    >>> param, prev, step_size = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> rprop_step(param, np.array([0.5, -2.0]), prev, step_size, step=1, lr=0.25, etas=(0.5, 2.0))
    >>> rprop_step(param, np.array([0.5, 2.0]), prev, step_size, step=2, lr=0.25, etas=(0.5, 2.0))
    >>> param.tolist(), step_size.tolist(), prev.tolist()
    ([0.25, 1.25], [0.5, 0.125], [0.5, 0.0])
    """
    hyper = _RPROP_HYPER(lr, *pair("etas", etas), *pair("step_sizes", step_sizes), weight_decay, maximize)
    if step_sizes[0] > step_sizes[1]:
        raise ValueError(f"step_sizes must be the smallest and the largest, got {step_sizes!r}")
    if not _RPROP.quick(hyper, step, param, grad, prev, step_size):
        keywords = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "weight_decay": weight_decay}
        keywords |= {"maximize": maximize, "step": step}
        slow(_RPROP, "rprop_step", hyper, keywords, param=param, grad=grad, prev=prev, step_size=step_size)
