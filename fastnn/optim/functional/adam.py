"""Adam and its variants AdamW, RAdam and Adamax."""

from typing import Any

from ..._core.rules import RULES
from ._update import Array, Modes, hyper_of, pair, slow

_ADAM, _RADAM, _ADAMAX = (RULES[f"{name}_step"] for name in ("adam", "radam", "adamax"))
_NAMES = ("lr", "eps", "weight_decay", "beta1", "beta2", "maximize")
_ADAM_HYPER = {"adam_step": Modes("adam_step", *_NAMES), "adamw_step": Modes("adamw_step", *_NAMES, decoupled=1.0)}
_RADAM_HYPER = hyper_of(*_NAMES, "decoupled")
_ADAMAX_HYPER = hyper_of(*_NAMES)


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
    """One update by Adam, in place.

        g = grad + weight_decay * param
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps)

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    exp_avg, exp_avg_sq : ndarray like param
        The states m and v, updated in place; zeros before the first step.
    max_exp_avg_sq : ndarray like param, optional
        Largest v so far, updated in place, which takes the place of v in the last line (AMSGrad).
    step : int, at least 1
        Number of this update.
    lr : float, at least 0, default 1e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8 (keras 1e-7, onnx 1e-6)
        Added to the root. With 0, elements that had no gradient yet stay as they are.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.
    compat : {"torch", "keras", "sklearn", "onnx"}, default "torch"
        Library whose arithmetic and defaults are used; see Notes.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range.
        Nothing is changed then.

    Notes
    -----
    Source: Kingma and Ba, 2015 (ICLR; arXiv:1412.6980); AMSGrad: Reddi, Kale and Kumar, 2018 (ICLR; arXiv:1904.09237);
    the arithmetic of torch.optim.Adam. The bias corrections are computed once, in double precision.

    All but "torch" add eps before the correction:
    param -= lr * sqrt(1 - beta2^step) / (1 - beta1^step) * m / (sqrt(v) + eps). "keras" decays the parameters, not the
    gradient: param *= 1 - lr * weight_decay. "onnx" (operator Adam: T = step - 1) counts steps from 0, where it
    corrects nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import adam_step
    >>> param, exp_avg, exp_avg_sq = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> adam_step(param, np.array([0.5, -2.0]), exp_avg, exp_avg_sq, step=1, lr=0.25, betas=(0.5, 0.75))
    >>> param.round(4).tolist(), exp_avg.tolist(), exp_avg_sq.tolist()
    ([0.75, 1.25], [0.25, -1.0], [0.0625, 1.0])
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
    """One update by Adam with decoupled weight decay, in place.

        param *= 1 - lr * weight_decay
        then as `adam_step` without weight decay

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    exp_avg, exp_avg_sq : ndarray like param
        The states m and v, updated in place; zeros before the first step.
    max_exp_avg_sq : ndarray like param, optional
        Largest v so far, updated in place (AMSGrad).
    step : int, at least 1
        Number of this update.
    lr : float, at least 0, default 1e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8 (keras 1e-7, onnx 1e-6)
        Added to the root. With 0, elements that had no gradient yet stay as they are.
    weight_decay : float, at least 0, default 1e-2 (keras 4e-3, onnx 0)
        Factor of the decay of the parameters themselves.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.
    compat : {"torch", "keras", "onnx"}, default "torch"
        Library whose arithmetic and defaults are used; see Notes.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a number is out of range.
        Nothing is changed then.

    Notes
    -----
    Source: Loshchilov and Hutter, 2019 (ICLR; arXiv:1711.05101); the arithmetic of torch.optim.AdamW.

    "keras" and "onnx" differ as in `adam_step`; "onnx" decays after the step, param *= 1 - weight_decay
    (norm_coefficient_post of its operator).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import adamw_step
    >>> param, exp_avg, exp_avg_sq = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> adamw_step(param, np.array([0.5, -2.0]), exp_avg, exp_avg_sq, step=1, lr=0.25, weight_decay=0.5)
    >>> param.round(4).tolist()
    [0.625, 1.125]
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
    """One update by RAdam, which uses v only once it is an average of enough gradients, in place.

        g, m, v as in `adam_step`, or param *= 1 - lr * weight_decay with decoupled_weight_decay
        limit = 2 / (1 - beta2) - 1
        rho = limit - 2 * step * beta2^step / (1 - beta2^step)
        r = sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
        rho > 5: param -= lr / (1 - beta1^step) * r * sqrt(1 - beta2^step) * m / (sqrt(v) + eps)
        else:    param -= lr / (1 - beta1^step) * m

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
    lr : float, at least 0, default 1e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8
        Added to the root. With 0, elements that had no gradient yet stay as they are.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient.
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
    Source: Liu et al., 2020 (ICLR; arXiv:1908.03265); the arithmetic of torch.optim.RAdam.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import radam_step
    >>> param, exp_avg, exp_avg_sq = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> radam_step(param, np.array([0.5, -2.0]), exp_avg, exp_avg_sq, step=1, lr=0.25, betas=(0.5, 0.75))
    >>> param.tolist(), exp_avg.tolist(), exp_avg_sq.tolist()
    ([0.875, 1.5], [0.25, -1.0], [0.0625, 1.0])
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
    """One update by Adamax, Adam with the infinity norm, in place.

        g, m as in `adam_step`
        u = max(beta2 * u, abs(g) + eps)
        param -= lr / (1 - beta1^step) * m / u

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    exp_avg, exp_inf : ndarray like param
        The states m and u, updated in place; zeros before the first step.
    step : int, at least 1
        Number of this update.
    lr : float, at least 0, default 2e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and u.
    eps : float, at least 0, default 1e-8
        Added to the magnitude of the gradient. With 0, elements that had no gradient yet stay as they are.
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
    Source: Kingma and Ba, 2015 (ICLR; arXiv:1412.6980), section 7.1; the arithmetic of torch.optim.Adamax.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import adamax_step
    >>> param, exp_avg, exp_inf = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> adamax_step(param, np.array([0.5, -2.0]), exp_avg, exp_inf, step=1, lr=0.25, betas=(0.5, 0.75), eps=0.0)
    >>> param.tolist(), exp_avg.tolist(), exp_inf.tolist()
    ([0.75, 1.25], [0.25, -1.0], [0.5, 2.0])
    """
    hyper = _ADAMAX_HYPER(lr, eps, weight_decay, *pair("betas", betas), maximize)
    if not _ADAMAX.quick(hyper, step, param, grad, exp_avg, exp_inf):
        keywords = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "step": step}
        keywords |= {"maximize": maximize}
        slow(_ADAMAX, "adamax_step", hyper, keywords, param=param, grad=grad, exp_avg=exp_avg, exp_inf=exp_inf)
