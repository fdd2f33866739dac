"""Rules that average the parameters themselves: ASGD and schedule-free AdamW."""

from typing import Any

from ... import _validation as check
from ..._core.rules import HYPERPARAMETERS, RULES
from ._update import Array, hyper_of, number_in, pair, slow

_ASGD, _SCHEDULE_FREE = RULES["asgd_step"], RULES["schedulefreeadamw_step"]
_ASGD_HYPER = hyper_of("lr", "lambd", "alpha", "t0", "weight_decay", "maximize", eta=-1.0)
_SCHEDULE_FREE_HYPER = hyper_of(
    "lr", "beta1", "beta2", "eps", "weight_decay", "warmup_steps", "r", "weight_lr_power", "maximize", weight_sum=-1.0
)
_ETA = HYPERPARAMETERS.index("eta")
# Side by side among the hyperparameters.
_AVERAGING = slice(HYPERPARAMETERS.index("weight_sum"), HYPERPARAMETERS.index("lr_max") + 1)


def asgd_step(
    param: Array,
    grad: Any,
    ax: Array,
    *,
    step: int,
    eta: Array | None = None,
    lr: float = 1e-2,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One update by averaged gradient descent, in place.

        g = grad + weight_decay * param
        param *= 1 - lambd * eta
        param -= eta * g
        eta = lr / (1 + lambd * lr * step)^alpha
        ax += (param - ax) / max(1, step - 1 - t0)

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    ax : ndarray like param
        Average of the parameters, updated in place: a copy of param up to step t0 + 2.
    step : int, at least 1
        Number of this update.
    eta : ndarray of one float64, optional
        Rate of this update, which becomes that of the next; at step 1 it is set to lr first. By default it is computed
        from `step` as if lr, lambd and alpha had been the same at all steps.
    lr : float, at least 0, default 1e-2
        Rate of the first update, and of later ones before their decay.
    lambd : float, at least 0, default 1e-4
        Decay of the parameters and of the rate.
    alpha : float in [0, 1], default 0.75
        Power of the decay of the rate.
    t0 : float, at least 0, default 1e6
        Number of the update after which averaging begins.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range.
        Nothing is changed then.

    Notes
    -----
    Source: Polyak and Juditsky, 1992 (SIAM J. Control Optim. 30); the arithmetic of torch.optim.ASGD.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import asgd_step
    >>> param, ax = np.array([1.0, 1.0]), np.zeros(2)
    >>> asgd_step(param, np.array([0.5, -2.0]), ax, step=1, lr=0.5, lambd=0.5)
    >>> param.tolist(), ax.tolist()
    ([0.5, 1.75], [0.5, 1.75])
    """
    hyper = _ASGD_HYPER(lr, lambd, alpha, t0, weight_decay, maximize)
    place = hyper[_ETA : _ETA + 1]
    if eta is not None:
        place[:] = number_in("eta", eta)
    if not _ASGD.quick(hyper, step, param, grad, ax):
        keywords: dict[str, Any] = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
        keywords |= {"maximize": maximize, "step": step, "eta": None if eta is None else place}
        slow(_ASGD, "asgd_step", hyper, keywords, param=param, grad=grad, ax=ax)
    if eta is not None:
        eta[...] = place[0]


def schedulefreeadamw_step(
    param: Array,
    grad: Any,
    z: Array,
    exp_avg_sq: Array,
    *,
    step: int,
    weight_sum: Array | None = None,
    lr_max: Array | None = None,
    lr: float = 2.5e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    warmup_steps: int = 0,
    r: float = 0.0,
    weight_lr_power: float = 2.0,
    maximize: bool = False,
) -> None:
    """One update by schedule-free AdamW, in place.

        rate = lr * min(1, step / warmup_steps)
        weight = step^r * lr_max^weight_lr_power, with the largest rate so far
        c = weight / (sum of the weights so far)
        v = beta2 * v + (1 - beta2) * grad^2
        u = grad / (sqrt(v / (1 - beta2^step)) + eps) + weight_decay * y
        x = (1 - c) * x + c * (z - rate * u)
        z -= rate * u
        y = (1 - beta1) * z + beta1 * x

    y is `param`, where gradients are computed; the average x, which is evaluated, is not stored:
    x = y + (1 - 1 / beta1) * (z - y).

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        y, updated in place.
    grad : array like param
        Gradient of the loss at y; only read. NaN gives NaN in param.
    z, exp_avg_sq : ndarray like param
        The sequence z and the average v, updated in place. At step 1, and where it is NaN, z is set to param first.
    step : int, at least 1
        Number of this update.
    weight_sum, lr_max : ndarray of one float64, optional
        The sum of the weights and the largest rate so far, updated in place; at step 1 they are set to 0 first. By
        default they are computed from `step` as if hyperparameters had been the same at all steps.
    lr : float, at least 0, default 2.5e-3
        Learning rate after the warm-up.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        How near y is to x, and the decay rate of v.
    eps : float, at least 0, default 1e-8
        Added to the root.
    weight_decay : float, at least 0, default 0
        Factor of the decay, which is computed at y.
    warmup_steps : int, at least 0, default 0
        Number of updates over which the rate rises linearly.
    r : float, default 0
        Power of the step in the weights of the average.
    weight_lr_power : float, at least 0, default 2
        Power of the largest rate in the weights.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range.
        Nothing is changed then.

    Notes
    -----
    Source: Defazio et al., 2024 (NeurIPS; arXiv:2405.15682); the arithmetic of AdamWScheduleFree of their package
    schedulefree. It has no betas[0] of 0, which would leave x undefined.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import schedulefreeadamw_step
    >>> y, z, v = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> for step in (1, 2):
    ...     schedulefreeadamw_step(y, np.array([0.5, -2.0]), z, v, step=step, lr=0.25, betas=(0.5, 0.75))
    >>> y.round(4).tolist(), z.round(4).tolist()
    ([0.5625, 1.4375], [0.5, 1.5])
    """
    steps = check.check_integer("warmup_steps", warmup_steps, at_least=0)
    beta1, beta2 = pair("betas", betas)
    hyper = _SCHEDULE_FREE_HYPER(
        lr, beta1, beta2, eps, weight_decay, float(steps), float(r), weight_lr_power, maximize
    )  # fmt: skip
    check_beta1(hyper[HYPERPARAMETERS.index("beta1")])
    place = hyper[_AVERAGING]
    if (weight_sum is None) != (lr_max is None):
        raise ValueError("weight_sum and lr_max must be given together, or neither")
    if weight_sum is not None:
        place[:] = number_in("weight_sum", weight_sum), number_in("lr_max", lr_max)
    if not _SCHEDULE_FREE.quick(hyper, step, param, grad, z, exp_avg_sq):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "warmup_steps": steps, "r": r}
        keywords |= {"weight_lr_power": weight_lr_power, "maximize": maximize, "step": step}
        given = (None, None) if weight_sum is None else (place[:1], place[1:])
        keywords |= dict(zip(("weight_sum", "lr_max"), given, strict=True))
        arrays = {"param": param, "grad": grad, "z": z, "exp_avg_sq": exp_avg_sq}
        slow(_SCHEDULE_FREE, "schedulefreeadamw_step", hyper, keywords, **arrays)
    if weight_sum is not None and lr_max is not None:
        weight_sum[...], lr_max[...] = place


def check_beta1(beta1: float) -> None:
    """Raise ValueError if x cannot be computed from y and z."""
    if beta1 == 0:
        raise ValueError("betas[0] must be greater than 0: with 0 there is no average to evaluate")
