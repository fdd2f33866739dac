"""JAX: everything jitted, buffers donated, epochs as one scan."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from .. import data
from ..cases import Case, Network
from .common import LEARNING_RATE, Run, imported, repeated
from .common import RULES as OPERATIONS

VERSION = f"JAX {jax.__version__}"
jax.config.update("jax_enable_x64", True)  # otherwise float64 arrays become float32
jax.config.update("jax_cpu_enable_async_dispatch", False)  # for calls this small another thread only costs time
UNROLL = 4  # steps of a scan: faster than 1 for tiny networks, the same for larger ones

ACTIVATIONS = {
    "ReLU": jax.nn.relu,
    "Tanh": jnp.tanh,
    "Sigmoid": jax.nn.sigmoid,
    "ELU": jax.nn.elu,
    "GELU": lambda x: jax.nn.gelu(x, approximate=False),
}


def _device(array: Any) -> Any:
    """Convert an array to a JAX array; labels to its default integer dtype."""
    return jnp.asarray(array, jnp.int32 if array.dtype.kind == "i" else None)


def _cross_entropy(scores: Any, labels: Any) -> Any:
    picked = jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], axis=1)
    return -jnp.mean(picked)


LOSSES: dict[str, Any] = {"CrossEntropyLoss": _cross_entropy, "MSELoss": lambda y, target: jnp.mean((y - target) ** 2)}


# An update takes parameter, gradient, state, number of the step and learning rate, and returns parameter and state.


def _sgd(p: Any, g: Any, state: Any, t: Any, lr: float, momentum: float = 0.0) -> Any:
    if not momentum:
        return p - lr * g, state
    buffer = momentum * state[0] + g
    return p - lr * buffer, (buffer,)


def _adam(p: Any, g: Any, state: Any, t: Any, lr: float, decay: float = 0.0) -> Any:
    m = 0.9 * state[0] + 0.1 * g
    v = 0.999 * state[1] + 0.001 * g * g
    denominator = jnp.sqrt(v) / jnp.sqrt(1 - 0.999**t) + 1e-8
    return p * (1 - lr * decay) - lr / (1 - 0.9**t) * m / denominator, (m, v)


def _rmsprop(p: Any, g: Any, state: Any, t: Any, lr: float) -> Any:
    v = 0.99 * state[0] + 0.01 * g * g
    return p - lr * g / (jnp.sqrt(v) + 1e-8), (v,)


def _adagrad(p: Any, g: Any, state: Any, t: Any, lr: float) -> Any:
    v = state[0] + g * g
    return p - lr * g / (jnp.sqrt(v) + 1e-10), (v,)


RULES: dict[str, tuple[Any, int]] = {
    "SGD": (_sgd, 1),
    "Adam": (_adam, 2),
    "AdamW": (partial(_adam, decay=0.01), 2),
    "RMSprop": (_rmsprop, 1),
    "Adagrad": (_adagrad, 1),
}


def _forward(network: Network) -> Any:
    activation = ACTIVATIONS[network.activation]

    def forward(params: Any, x: Any) -> Any:
        for weight, bias in params[:-1]:
            x = activation(x @ weight + bias)
        weight, bias = params[-1]
        return x @ weight + bias

    return forward


def _train(network: Network, dtype: str) -> tuple[Any, Any]:
    """A step, (carry, batch) -> (carry, loss), and the first carry: parameters, states and the number of the step."""
    forward, loss_of, (rule, n_states) = _forward(network), LOSSES[network.loss], RULES[network.optimizer]
    params = jax.tree.map(jnp.asarray, data.weights(network, dtype))
    leaves, tree = jax.tree.flatten(params)
    states = [tuple(jnp.zeros_like(p) for _ in range(n_states)) for p in leaves]

    def loss_at(params: Any, x: Any, y: Any) -> Any:
        return loss_of(forward(params, x), y)

    def step(carry: Any, batch: Any) -> Any:
        params, states, t = carry
        t = t + 1
        loss, grads = jax.value_and_grad(loss_at)(params, *batch)
        pairs = zip(jax.tree.leaves(params), jax.tree.leaves(grads), states, strict=True)
        updated = [rule(p, g, s, t, LEARNING_RATE, **network.options) for p, g, s in pairs]
        return (jax.tree.unflatten(tree, [p for p, _ in updated]), [s for _, s in updated], t), loss

    return step, (params, states, jnp.zeros((), dtype))


def _carried(function: Any, carry: Any, *args: Any) -> Run:
    """Repetitions of a function that takes a carry, which it may overwrite, and returns the next one and a result."""
    compiled, kept = jax.jit(function, donate_argnums=0), [carry]

    def run(n: int) -> Any:
        carry, result = kept[0], None
        for _ in range(n):
            carry, result = compiled(carry, *args)
        kept[0] = jax.block_until_ready(carry)
        return carry[0] if result is None else result

    return run


def fit(case: Case) -> Run:
    """An epoch is one scan over stacked batches."""
    step, carry = _train(case.network, case.dtype)
    x, y = map(_device, data.batches(case.network, case.dtype, case.parts))
    stacked = tuple(a.reshape(case.parts, case.network.rows, *a.shape[1:]) for a in (x, y))

    def epoch(carry: Any, stacked: Any) -> Any:
        carry, losses = jax.lax.scan(step, carry, stacked, unroll=min(UNROLL, case.parts))
        return carry, losses.mean()

    return _carried(epoch, carry, stacked)


def step(case: Case) -> Run:
    """One jitted step on one batch."""
    step, carry = _train(case.network, case.dtype)
    batch = tuple(map(_device, data.batches(case.network, case.dtype)))
    return _carried(step, carry, batch)


def _jitted(function: Any, *args: Any) -> Run:
    compiled, args = jax.jit(function), tuple(map(_device, args))
    return repeated(lambda: jax.block_until_ready(compiled(*args)))


def predict(case: Case) -> Run:
    """Outputs of the network."""
    params = jax.tree.map(jnp.asarray, data.weights(case.network, case.dtype))
    compiled, x = jax.jit(_forward(case.network)), jnp.asarray(data.batches(case.network, case.dtype)[0])
    return repeated(lambda: jax.block_until_ready(compiled(params, x)))


def linear(case: Case) -> Run:
    """Product, bias and activation in one function."""
    x, weight, bias, _ = data.product(case)
    return _jitted(lambda x, weight, bias: jax.nn.relu(x @ weight + bias), x, weight, bias)


def linear_backward(case: Case) -> Run:
    """All three gradients in one function."""
    x, weight, _, grad = data.product(case)
    return _jitted(lambda grad, x, weight: (grad @ weight.T, x.T @ grad, grad.sum(0)), grad, x, weight)


FUNCTIONS = {name.lower(): function for name, function in ACTIVATIONS.items()} | {
    **{name: getattr(jnp, name) for name in ("exp", "expm1", "log", "log1p")},
    **{name: getattr(jax.nn, name) for name in ("silu", "softplus", "selu", "celu", "mish", "leaky_relu", "relu6")},
    **{name: getattr(jax.nn, name) for name in ("softmax", "log_softmax")},
    "erf": jax.lax.erf,
    "softsign": jax.nn.soft_sign,
    "hardsigmoid": jax.nn.hard_sigmoid,
    "hardswish": jax.nn.hard_swish,
    "hardtanh": jax.nn.hard_tanh,
}
# Gradients that take the output; the others are derived by JAX.
BACKWARD: dict[str, Any] = {
    "tanh_backward": lambda grad, y: grad * (1 - y * y),
    "sigmoid_backward": lambda grad, y: grad * y * (1 - y),
    "exp_backward": lambda grad, y: grad * y,
}


def function(case: Case) -> Run | None:
    """A function of the tables above, or its gradient."""
    name, backward = case.operation.removesuffix("_backward"), case.operation.endswith("_backward")
    if case.options or name not in FUNCTIONS:
        return None
    forward = FUNCTIONS[name]
    gradient = BACKWARD.get(case.operation, lambda grad, x: jax.vjp(forward, x)[1](grad)[0])
    return _jitted(gradient if backward else forward, *data.arguments(case))


def cross_entropy(case: Case) -> Run:
    """Value and gradient of one function."""
    return _jitted(jax.value_and_grad(_cross_entropy), *data.arguments(case))


def update(case: Case) -> Run | None:
    """One jitted update that reuses its buffers, for the updates above."""
    if OPERATIONS.get(case.operation) not in RULES:
        return None
    parameter, grad, *states = map(_device, data.arguments(case))
    options = {name: value for name, value in case.options.items() if name != "step"}
    rule, _ = RULES[OPERATIONS[case.operation]]

    def call(carry: Any, grad: Any) -> Any:
        parameter, states, t = carry
        return (*rule(parameter, grad, states, t + 1, **options), t + 1), None

    return _carried(call, (parameter, tuple(states), jnp.zeros((), case.dtype)), grad)


def startup(case: Case) -> Run:
    """The import."""
    return imported("jax")
