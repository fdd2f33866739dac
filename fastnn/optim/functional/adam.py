"""Adam and its kin."""

from typing import Any

import numpy as np

from ... import _validation as check
from ..._core import optimizers as core
from ._update import Array, Modes, bounds_of, hyper_of, pair, slow

_ADAM, _NADAM, _RADAM, _ADAMAX = (core.RULES[f"{name}_step"] for name in ("adam", "nadam", "radam", "adamax"))
_NAMES = ("lr", "eps", "weight_decay", "beta1", "beta2", "maximize")
_ADAM_HYPER = {"adam_step": Modes("adam_step", *_NAMES), "adamw_step": Modes("adamw_step", *_NAMES, decoupled=1.0)}
_NADAM_HYPER = hyper_of(*_NAMES, "momentum_decay", "decoupled")
_RADAM_HYPER = hyper_of(*_NAMES, "decoupled")
_ADAMAX_HYPER = hyper_of(*_NAMES)
_MU_PRODUCT = core.HYPERPARAMETERS.index("mu_product")


def adam_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float | None = None,
    weight_decay: float = 0.0,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """Adam (Kingma and Ba 2015).

    g = grad + weight_decay * param
    m = beta1 * m + (1 - beta1) * g;   v = beta2 * v + (1 - beta2) * g^2
    param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps)

    With max_exp_avg_sq (AMSGrad, Reddi et al. 2018) the largest v so far takes the place of v. The bias corrections are
    computed once, in double.

    Parameters, errors: as `sgd_step`. compat: in all but torch,
    param -= lr * sqrt(1 - beta2^step) / (1 - beta1^step) * m / (sqrt(v) + eps)
    and onnx (operator Adam: T = step - 1) counts steps from 0, where it corrects nothing. eps is 1e-8 by default, keras
    1e-7, onnx 1e-6.
    """
    _adam("adam_step", param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, betas, eps, weight_decay,
          maximize, compat)  # fmt: skip


def adamw_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float | None = None,
    weight_decay: float | None = None,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    param *= 1 - lr * weight_decay, then as `adam_step` without weight decay.

    Parameters, errors: as `adam_step`, but weight_decay is 1e-2 by default; compat is "torch", "keras" (weight_decay
    4e-3) or "onnx": the step first, then param *= 1 - weight_decay, the operator's norm_coefficient_post (0).
    """
    _adam("adamw_step", param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, betas, eps, weight_decay,
          maximize, compat)  # fmt: skip


def _adam(
    name: str,
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None,
    step: int,
    lr: float,
    betas: tuple[float, float],
    eps: float | None,
    weight_decay: float | None,
    maximize: bool,
    compat: str,
) -> None:
    hyper = _ADAM_HYPER[name][compat](lr, eps, weight_decay, *pair("betas", betas), maximize)
    if not _ADAM.quick(hyper, step, param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "step": step}
        keywords |= {"maximize": maximize, "compat": compat}
        states = {"exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq, "max_exp_avg_sq": max_exp_avg_sq}
        slow(_ADAM, name, hyper, keywords, param=param, grad=grad, **states)


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
    """NAdam (Dozat 2016): Adam with Nesterov's momentum.

    g, m, v as in `adam_step`, or param *= 1 - lr * weight_decay with decoupled_weight_decay
    mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2);   mu_product *= mu(step)
    param -= lr * ((1 - mu(step)) / (1 - mu_product) * g + mu(step + 1) / (1 - mu_product * mu(step + 1)) * m)
             / (sqrt(v / (1 - beta2^step)) + eps)

    Parameters, errors: as `sgd_step`, and:

    mu_product : ndarray of one float64, optional
        Starts as 1, updated in place. By default it is computed from step, as if the rates had always been these.
    """
    hyper = _NADAM_HYPER(
        lr, eps, weight_decay, *pair("betas", betas), maximize, momentum_decay, decoupled_weight_decay
    )  # fmt: skip
    place = hyper[_MU_PRODUCT : _MU_PRODUCT + 1]
    if mu_product is not None:
        place[0] = _checked_product(mu_product)
    if not _NADAM.quick(hyper, step, param, grad, exp_avg, exp_avg_sq):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "step": step}
        keywords |= {"maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}
        keywords |= {"momentum_decay": momentum_decay, "mu_product": None if mu_product is None else place}
        slow(_NADAM, "nadam_step", hyper, keywords, param=param, grad=grad, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
    if mu_product is not None:
        mu_product[...] = place[0]


def _checked_product(mu_product: Any) -> float:
    if not isinstance(mu_product, np.ndarray) or mu_product.dtype != np.float64:
        kind = getattr(mu_product, "dtype", type(mu_product).__name__)
        raise TypeError(f"mu_product must be an ndarray of float64, which is updated in place, got {kind}")
    if mu_product.size != 1 or not mu_product.flags.writeable:
        raise ValueError(f"mu_product must be one number, writable, got shape {mu_product.shape}")
    return check.check_number("mu_product", mu_product.item(), **bounds_of("mu_product"))


def radam_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> None:
    """RAdam (Liu et al. 2020): Adam whose v counts only once it was averaged over enough gradients.

    g, m, v as in `adam_step`, or param *= 1 - lr * weight_decay with decoupled_weight_decay
    limit = 2 / (1 - beta2) - 1;   rho = limit - 2 * step * beta2^step / (1 - beta2^step)
    r = sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
    rho > 5: param -= lr / (1 - beta1^step) * r * sqrt(1 - beta2^step) * m / (sqrt(v) + eps)
    else:    param -= lr / (1 - beta1^step) * m

    Parameters, errors: as `sgd_step`.
    """
    hyper = _RADAM_HYPER(lr, eps, weight_decay, *pair("betas", betas), maximize, decoupled_weight_decay)
    if not _RADAM.quick(hyper, step, param, grad, exp_avg, exp_avg_sq):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "step": step}
        keywords |= {"maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}
        slow(_RADAM, "radam_step", hyper, keywords, param=param, grad=grad, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)


def adamax_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    exp_inf: Array,
    *,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Adamax (Kingma and Ba 2015, section 7.1): Adam by the largest gradient.

    g, m as in `adam_step`;   u = max(beta2 * u, abs(g) + eps)
    param -= lr / (1 - beta1^step) * m / u

    Parameters, errors: as `sgd_step`.
    """
    hyper = _ADAMAX_HYPER(lr, eps, weight_decay, *pair("betas", betas), maximize)
    if not _ADAMAX.quick(hyper, step, param, grad, exp_avg, exp_inf):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "step": step}
        keywords |= {"maximize": maximize}
        slow(_ADAMAX, "adamax_step", hyper, keywords, param=param, grad=grad, exp_avg=exp_avg, exp_inf=exp_inf)
