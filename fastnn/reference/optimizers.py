"""Optimizer updates, in place, in the order of arithmetic of PyTorch's torch/optim/*.py (_single_tensor_*).

All arrays are ndarrays of one shape and dtype; `grad` is only read, the others are updated. Scalars are
Python floats, combined in double precision before they meet an array. A state array starts as zeros. `step`
counts from 1. NaN and infinities in the gradient reach the parameters and nothing warns.
"""

import numpy as np

from .elementary import Array

__all__ = ["adagrad_step", "adam_step", "adamw_step", "rmsprop_step", "sgd_step"]


@np.errstate(all="ignore")
def sgd_step(
    param: Array,
    grad: Array,
    momentum_buffer: Array | None = None,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    step: int | None = None,
) -> None:
    """Update by gradient descent, with momentum if that is not 0.

        buf = momentum * buf + (1 - dampening) * g;  param -= lr * buf

    With step=1 the buffer starts as g: PyTorch does not dampen the first gradient. Nesterov's variant
    subtracts lr * (g + momentum * buf). weight_decay adds weight_decay * param to g.
    """
    grad = _decayed(grad, param, weight_decay)
    if momentum != 0 and momentum_buffer is not None:
        if step == 1:
            momentum_buffer[...] = grad
        else:
            momentum_buffer *= momentum
            momentum_buffer += (1 - dampening) * grad
        grad = grad + momentum * momentum_buffer if nesterov else momentum_buffer
    param -= lr * grad


@np.errstate(all="ignore")
def adagrad_step(
    param: Array,
    grad: Array,
    state_sum: Array,
    *,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    step: int,
    eps: float = 1e-10,
    weight_decay: float = 0.0,
) -> None:
    """Update by AdaGrad (Duchi, Hazan and Singer 2011).

    h += g * g;  param -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(h) + eps)
    """
    grad = _decayed(grad, param, weight_decay)
    state_sum += grad * grad
    decayed_lr = lr / (1 + (step - 1) * lr_decay)
    param -= decayed_lr * grad / (np.sqrt(state_sum) + eps)


@np.errstate(all="ignore")
def rmsprop_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array | None = None,
    momentum_buffer: Array | None = None,
    *,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    centered: bool = False,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
) -> None:
    """Update by RMSProp (Hinton's lectures, 2012; centered: Graves 2013).

        h = alpha * h + (1 - alpha) * g * g;  param -= lr * g / (sqrt(h) + eps)

    centered subtracts the square of the averaged gradient, `grad_avg`, from h under the root. momentum
    accumulates buf = momentum * buf + g / (sqrt(h) + eps) in `momentum_buffer`, and subtracts lr * buf.
    """
    grad = _decayed(grad, param, weight_decay)
    _average_square(square_avg, grad, alpha)
    variance = square_avg
    if centered and grad_avg is not None:
        _lerp(grad_avg, grad, 1 - alpha)
        variance = square_avg - grad_avg * grad_avg
    denominator = np.sqrt(variance) + eps
    if momentum > 0 and momentum_buffer is not None:
        momentum_buffer *= momentum
        momentum_buffer += grad / denominator
        param -= lr * momentum_buffer
    else:
        param -= lr * grad / denominator


@np.errstate(all="ignore")
def adam_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Update by Adam (Kingma and Ba 2014), or by AMSGrad (Reddi et al. 2018) if `max_exp_avg_sq` is given.

        m = b1 * m + (1 - b1) * g;  v = b2 * v + (1 - b2) * g * g
        param -= lr / (1 - b1**step) * m / (sqrt(v) / sqrt(1 - b2**step) + eps)

    AMSGrad takes the largest v so far, kept in `max_exp_avg_sq`. weight_decay adds weight_decay * param to g.
    """
    beta1, beta2 = betas
    grad = _decayed(grad, param, weight_decay)
    _lerp(exp_avg, grad, 1 - beta1)
    _average_square(exp_avg_sq, grad, beta2)
    variance = exp_avg_sq
    if max_exp_avg_sq is not None:
        variance = np.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
    step_size = lr / (1 - beta1**step)
    bias_correction2_sqrt = (1 - beta2**step) ** 0.5
    param -= step_size * exp_avg / (np.sqrt(variance) / bias_correction2_sqrt + eps)


@np.errstate(all="ignore")
def adamw_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> None:
    """Update by AdamW (Loshchilov and Hutter 2017): `adam_step`, with decay of the parameters themselves.

    param *= 1 - lr * weight_decay, then the step of Adam without decay.
    """
    param *= 1 - lr * weight_decay
    adam_step(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step=step, lr=lr, betas=betas, eps=eps)


def _decayed(grad: Array, param: Array, weight_decay: float) -> Array:
    """Return the gradient of the loss plus weight_decay / 2 * |param|**2."""
    return grad + weight_decay * param if weight_decay != 0 else grad


def _average_square(average: Array, value: Array, decay: float) -> None:
    """Set average = decay * average + (1 - decay) * value**2."""
    average *= decay
    average += (1 - decay) * value * value


def _lerp(average: Array, value: Array, weight: float) -> None:
    """Move average towards value by weight; as torch.lerp, from the end that is nearer."""
    if weight < 0.5:
        average += weight * (value - average)
    else:
        average[...] = value - (value - average) * (1 - weight)
