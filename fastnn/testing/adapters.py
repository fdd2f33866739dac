"""Functions of PyTorch and JAX with the names and arguments of fastnn.functional, for `check_backend`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

Functions = dict[str, Callable[..., Any]]

# Our names, of functions of one array whose gradient takes the input, and the libraries' where they differ.
TORCH = {
    name: name
    for name in ("relu", "leaky_relu", "elu", "selu", "celu", "relu6", "softplus", "softsign", "silu", "mish",
                 "hardtanh", "hardswish", "hardsigmoid", "logsigmoid", "tanhshrink", "softshrink", "hardshrink")
}  # fmt: skip
TORCH_LOSSES = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "kl_div")
JAX = {
    "relu": "relu", "leaky_relu": "leaky_relu", "elu": "elu", "selu": "selu", "celu": "celu", "relu6": "relu6",
    "softsign": "soft_sign", "silu": "silu", "mish": "mish", "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid", "logsigmoid": "log_sigmoid",
}  # fmt: skip

LIMIT = "x times a limit of 0 is NaN at infinity; here it is the limit"
AT_NAN = "the gradient where x is NaN is not NaN"
# Why functions of the libraries differ from the reference, by our names.
EXPLAINED = {
    "torch": {
        **dict.fromkeys(("silu", "silu_backward", "mish", "mish_backward", "softsign", "softsign_backward",
                         "hardswish"), LIMIT),
        **dict.fromkeys(("elu_backward", "selu_backward", "celu_backward", "hardswish_backward", "hardtanh_backward",
                         "relu6_backward", "softshrink_backward", "hardshrink_backward"), AT_NAN),
        "hardsigmoid_backward": "1/6 is rounded to float32 in float64, too",
        "tanhshrink": "x - tanh(x) cancels near 0",
        "tanhshrink_backward": "1 - (1 - tanh(x)^2) cancels near 0",
    },
    "jax": {
        **dict.fromkeys(("silu", "silu_backward", "mish", "mish_backward", "softsign", "hardswish"), LIMIT),
        **dict.fromkeys(("relu_backward", "leaky_relu_backward", "relu6_backward"), AT_NAN),
        **dict.fromkeys(("elu_backward", "selu_backward", "celu_backward"), "expm1(x) + 1 loses bits for x below -3"),
        "softsign_backward": "is differentiated as a quotient, which rounds more often",
    },
}  # fmt: skip


def torch_functions() -> Functions:
    """Activations and losses of `torch.nn.functional`, and their gradients by autograd.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    """
    torch: Any = _partner("torch", "PyTorch")
    functional = torch.nn.functional
    found: Functions = {}
    for ours, theirs in TORCH.items():
        found |= _torch_pair(torch, ours, getattr(functional, theirs))
    for name in TORCH_LOSSES:
        found |= _torch_pair(torch, name, getattr(functional, name))
    return found


def _torch_pair(torch: Any, name: str, function: Callable[..., Any]) -> Functions:
    """A function and its gradient with respect to the first argument, of NumPy arrays."""

    def forward(*arrays: Any, **options: Any) -> Any:
        _check_options(options)
        return function(*(torch.from_numpy(np.ascontiguousarray(a)) for a in arrays), **options).numpy()

    def backward(grad_output: Any, *arrays: Any, **options: Any) -> Any:
        _check_options(options)
        tensors = [torch.from_numpy(np.ascontiguousarray(a)) for a in arrays]
        leaf = tensors[0].requires_grad_()
        y = function(leaf, *tensors[1:], **options)
        (grad,) = torch.autograd.grad(y, leaf, torch.from_numpy(np.ascontiguousarray(grad_output)).reshape(y.shape))
        return grad.numpy()

    return {name: forward, f"{name}_backward": backward}


def _check_options(options: dict[str, Any]) -> None:
    """Raise NotImplementedError for what PyTorch's losses do not have."""
    if "sample_weight" in options or options.get("reduction") == "batchmean":
        raise NotImplementedError


def jax_functions() -> Functions:
    """Activations of `jax.nn`, and their gradients by `jax.vjp`; float64 needs `jax.config.jax_enable_x64`.

    Raises
    ------
    ImportError
        If JAX is not installed.
    """
    jax: Any = _partner("jax", "JAX")
    found: Functions = {}
    for ours, theirs in JAX.items():
        found |= _jax_pair(jax, ours, getattr(jax.nn, theirs))
    return found


def _jax_pair(jax: Any, name: str, function: Callable[..., Any]) -> Functions:
    def forward(x: Any, **options: Any) -> Any:
        return np.asarray(function(x, **options))

    def backward(grad_output: Any, x: Any, **options: Any) -> Any:
        _, pull = jax.vjp(lambda v: function(v, **options), x)
        return np.asarray(pull(grad_output)[0])

    return {name: forward, f"{name}_backward": backward}


def _partner(module: str, title: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"fastnn.testing.{module}_functions needs {title}, which is not installed") from error
