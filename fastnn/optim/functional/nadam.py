"""NAdam."""

from typing import Any

from ..._core.rules import HYPERPARAMETERS, RULES
from ._update import Array, hyper_of, number_in, pair, slow

_NADAM = RULES["nadam_step"]
_NADAM_HYPER = hyper_of("lr", "eps", "weight_decay", "beta1", "beta2", "maximize", "momentum_decay", "decoupled")
_MU_PRODUCT = HYPERPARAMETERS.index("mu_product")


def nadam_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    step: int,
    mu_product: Array | None = None,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> None:
    """One update by NAdam, Adam with Nesterov momentum, in place.

        g, m, v as in `adam_step`, or param *= 1 - lr * weight_decay with decoupled_weight_decay
        mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)
        mu_product *= mu(step)
        a = (1 - mu(step)) / (1 - mu_product)
        b = mu(step + 1) / (1 - mu_product * mu(step + 1))
        param -= lr * (a * g + b * m) / (sqrt(v / (1 - beta2^step)) + eps)

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    exp_avg, exp_avg_sq : ndarray like param
        The states m and v, updated in place; zeros before the first step.
    step : int, at least 1
        Number of this update.
    mu_product : ndarray of one float64, optional
        Product of the momenta so far, updated in place; 1 before the first step. By default it is computed from step,
        with the current betas and momentum_decay for all steps.
    lr : float, at least 0, default 2e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8
        Added to the root. With 0, elements that had no gradient yet stay as they are.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient.
    momentum_decay : float, at least 0, default 4e-3
        How fast the momentum mu grows from beta1 / 2 to beta1.
    decoupled_weight_decay : bool, default False
        Decay the parameters themselves, as AdamW does.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range.
        Nothing is changed then.

    Notes
    -----
    Source: Dozat, 2016 (ICLR workshop); the arithmetic of torch.optim.NAdam.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import nadam_step
    >>> param, exp_avg, exp_avg_sq = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> nadam_step(param, np.array([0.5, -2.0]), exp_avg, exp_avg_sq, step=1, lr=0.25, betas=(0.5, 0.75))
    >>> param.round(4).tolist(), exp_avg.tolist(), exp_avg_sq.tolist()
    ([0.7167, 1.2833], [0.25, -1.0], [0.0625, 1.0])
    """
    hyper = _NADAM_HYPER(
        lr, eps, weight_decay, *pair("betas", betas), maximize, momentum_decay, decoupled_weight_decay
    )  # fmt: skip
    place = hyper[_MU_PRODUCT : _MU_PRODUCT + 1]
    if mu_product is not None:
        place[0] = number_in("mu_product", mu_product)
    if not _NADAM.quick(hyper, step, param, grad, exp_avg, exp_avg_sq):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "step": step}
        keywords |= {"maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}
        keywords |= {"momentum_decay": momentum_decay, "mu_product": None if mu_product is None else place}
        slow(_NADAM, "nadam_step", hyper, keywords, param=param, grad=grad, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
    if mu_product is not None:
        mu_product[...] = place[0]
