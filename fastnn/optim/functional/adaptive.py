"""Rules that divide by the root of summed or averaged squares: Adagrad, RMSprop, Adadelta."""

from typing import Any

from ... import _validation as check
from ..._core.rules import RULES
from ._update import Array, Modes, hyper_of, slow

_ADAGRAD, _RMSPROP, _ADADELTA = (RULES[f"{name}_step"] for name in ("adagrad", "rmsprop", "adadelta"))
_ADAGRAD_HYPER = Modes("adagrad_step", "lr", "lr_decay", "eps", "weight_decay", "maximize")
_RMSPROP_HYPER = Modes("rmsprop_step", "lr", "alpha", "eps", "momentum", "weight_decay", "maximize")
_ADADELTA_HYPER = hyper_of("lr", "rho", "eps", "weight_decay", "maximize")


def adagrad_step(
    param: Array,
    grad: Any,
    state_sum: Array,
    *,
    lr: float | None = None,
    lr_decay: float = 0.0,
    step: int,
    eps: float | None = None,
    weight_decay: float = 0.0,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """One update by Adagrad, in place.

        g = grad + weight_decay * param
        state_sum += g^2
        param -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(state_sum) + eps)

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    state_sum : ndarray like param
        Sum of the squared gradients, updated in place; zeros before the first step (keras: 0.1).
    lr : float, at least 0, default 1e-2 (keras 1e-3)
        Learning rate.
    lr_decay : float, at least 0, default 0
        Decay of the learning rate with the step.
    step : int, at least 1
        Number of this update.
    eps : float, at least 0, default 1e-10 (keras 1e-7, onnx 1e-6)
        Added to the root. With 0, elements that had no gradient yet stay as they are.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient.
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
    Source: Duchi, Hazan and Singer, 2011 (JMLR 12); the arithmetic of torch.optim.Adagrad.

    "keras" divides by sqrt(state_sum + eps), and decays the parameters, not the gradient:
    param *= 1 - lr * weight_decay. "onnx" is the operator Adagrad (decay_factor = lr_decay, T = step - 1), which
    computes as "torch".

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import adagrad_step
    >>> param, grad, state_sum = np.array([1.0, 1.0]), np.array([0.5, -2.0]), np.zeros(2)
    >>> adagrad_step(param, grad, state_sum, lr=0.5, eps=0.0, step=1)
    >>> param.tolist(), state_sum.tolist()
    ([0.5, 1.5], [0.25, 4.0])
    """
    hyper = _ADAGRAD_HYPER[compat](lr, lr_decay, eps, weight_decay, maximize)
    if not _ADAGRAD.quick(hyper, step, param, grad, state_sum):
        keywords = _ADAGRAD_HYPER[compat].named(hyper) | {"step": step, "compat": compat}
        slow(_ADAGRAD, "adagrad_step", hyper, keywords, param=param, grad=grad, state_sum=state_sum)


def rmsprop_step(
    param: Array,
    grad: Any,
    square_avg: Array,
    grad_avg: Array | None = None,
    momentum_buffer: Array | None = None,
    *,
    lr: float | None = None,
    alpha: float | None = None,
    eps: float | None = None,
    centered: bool = False,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
    compat: str = "torch",
) -> None:
    """One update by RMSprop, in place.

        g = grad + weight_decay * param
        v = alpha * v + (1 - alpha) * g^2
        m = alpha * m + (1 - alpha) * g, and v - m^2 in place of v below, if centered
        param -= lr * g / (sqrt(v) + eps), or with momentum:
        buf = momentum * buf + g / (sqrt(v) + eps); param -= lr * buf

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    square_avg : ndarray like param
        The state v, updated in place; zeros before the first step.
    grad_avg : ndarray like param, optional
        The state m, updated in place; zeros before the first step. Needed if centered.
    momentum_buffer : ndarray like param, optional
        The state buf, updated in place; zeros before the first step. Needed where momentum is not 0.
    lr : float, at least 0, default 1e-2 (keras 1e-3)
        Learning rate.
    alpha : float in [0, 1], default 0.99 (keras 0.9, where it is called rho)
        Decay rate of the averages.
    eps : float, at least 0, default 1e-8 (keras 1e-7)
        Added to the root. With 0, elements that had no gradient yet stay as they are.
    centered : bool, default False
        Divide by the root of the variance of the gradient, not of its mean square.
    momentum : float, at least 0, default 0
        Decay rate of the buffer.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradient.
    maximize : bool, default False
        Ascend: the sign of grad is flipped.
    compat : {"torch", "keras"}, default "torch"
        Library whose arithmetic and defaults are used; see Notes.

    Raises
    ------
    TypeError, ValueError
        If arrays differ in dtype or shape, share memory or cannot be updated in place, or a needed state is not given,
        or a number is out of range. Nothing is changed then.

    Notes
    -----
    Source: Tieleman and Hinton, 2012 (lecture 6.5 of the course "Neural Networks for Machine Learning"); centered by
    Graves, 2013 (arXiv:1308.0850); the arithmetic of torch.optim.RMSprop.

    "keras" has eps under the root, and the learning rate in the buffer: buf = momentum * buf + lr * g / sqrt(v + eps);
    param -= buf. It decays the parameters, not the gradient: param *= 1 - lr * weight_decay.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import rmsprop_step
    >>> param, grad, square_avg = np.array([1.0, 1.0]), np.array([0.5, -2.0]), np.zeros(2)
    >>> rmsprop_step(param, grad, square_avg, lr=0.25, alpha=0.75, eps=0.0)
    >>> param.tolist(), square_avg.tolist()
    ([0.5, 1.5], [0.0625, 1.0])
    """
    hyper = _RMSPROP_HYPER[compat](lr, alpha, eps, momentum, weight_decay, maximize)
    if centered is not False:
        centered = check.check_switch("centered", centered)
    if centered and grad_avg is None:
        raise ValueError("grad_avg must be given where centered")
    if momentum != 0 and momentum_buffer is None:
        raise ValueError("momentum_buffer must be given where momentum is not 0")
    if not centered:
        grad_avg = None
    if momentum == 0:
        momentum_buffer = None
    if not _RMSPROP.quick(hyper, 1, param, grad, square_avg, grad_avg, momentum_buffer):
        keywords = _RMSPROP_HYPER[compat].named(hyper) | {"centered": centered, "compat": compat}
        states = {"square_avg": square_avg, "grad_avg": grad_avg, "momentum_buffer": momentum_buffer}
        slow(_RMSPROP, "rmsprop_step", hyper, keywords, param=param, grad=grad, **states)


def adadelta_step(
    param: Array,
    grad: Any,
    square_avg: Array,
    acc_delta: Array,
    *,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One update by Adadelta, in place.

        g = grad + weight_decay * param
        square_avg = rho * square_avg + (1 - rho) * g^2
        delta = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * g
        acc_delta = rho * acc_delta + (1 - rho) * delta^2
        param -= lr * delta

    Parameters
    ----------
    param : ndarray of float32 or float64, any shape
        Updated in place.
    grad : array like param
        Gradient of the loss; only read. NaN gives NaN in param.
    square_avg, acc_delta : ndarray like param
        Averages of the squared gradients and of the squared updates, updated in place; zeros before the first step.
    lr : float, at least 0, default 1
        Learning rate.
    rho : float in [0, 1], default 0.9
        Decay rate of the averages.
    eps : float, at least 0, default 1e-6
        Added to the averages under the roots. With 0 parameters never change, because acc_delta starts as 0.
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
    Source: Zeiler, 2012 (arXiv:1212.5701); the arithmetic of torch.optim.Adadelta.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.optim.functional import adadelta_step
    >>> param, grad = np.array([1.0]), np.array([2.0])
    >>> square_avg, acc_delta = np.zeros(1), np.zeros(1)
    >>> adadelta_step(param, grad, square_avg, acc_delta, rho=0.5, eps=0.25)
    >>> param.round(4).tolist(), square_avg.tolist(), acc_delta.round(4).tolist()
    ([0.3333], [2.0], [0.2222])
    """
    hyper = _ADADELTA_HYPER(lr, rho, eps, weight_decay, maximize)
    if not _ADADELTA.quick(hyper, 1, param, grad, square_avg, acc_delta):
        arrays = {"param": param, "grad": grad, "square_avg": square_avg, "acc_delta": acc_delta}
        slow(_ADADELTA, "adadelta_step", hyper, _ADADELTA_HYPER.named(hyper), **arrays)
