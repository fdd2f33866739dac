"""PyTorch, eager, with fused optimizers and inference mode."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from .. import data
from ..cases import Case, Network
from .common import LEARNING_RATE, RULES, Run, imported, in_place, n_threads, quickest, repeated

VERSION = f"PyTorch {torch.__version__}"
torch.set_num_threads(n_threads())
FUSED = ("SGD", "Adagrad", "Adam", "AdamW")  # RMSprop has no fused form


def network(network: Network, dtype: str) -> Any:
    """The network of a case, with its weights."""
    layers: list[Any] = []
    for weight, bias in data.weights(network, dtype):
        linear = torch.nn.Linear(*weight.shape, dtype=getattr(torch, dtype))
        linear.weight.data, linear.bias.data = torch.tensor(weight.T.copy()), torch.tensor(bias)
        layers += [linear, getattr(torch.nn, network.activation)()]
    return torch.nn.Sequential(*layers[:-1])


def _optimizer(name: str, parameters: Any, fused: bool, **options: float) -> Any:
    """The optimizer `name` of these parameters, fused if available, else the default one."""
    kind = {"fused": True} if fused and name in FUSED else {}
    return getattr(torch.optim, name)(parameters, **options, **kind)


def _train(case: Case, fused: bool) -> Any:
    """A step of training as a function of input and target."""
    net, loss_of = network(case.network, case.dtype), getattr(torch.nn, case.network.loss)()
    rule = _optimizer(case.network.optimizer, net.parameters(), fused, lr=LEARNING_RATE, **case.network.options)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(rule, **case.options) if case.options else None

    def train(x: Any, y: Any) -> Any:
        rule.zero_grad(set_to_none=True)
        loss = loss_of(net(x), y)
        loss.backward()
        rule.step()
        if scheduler is not None:
            scheduler.step()
        return loss.detach()

    return train


def fit(case: Case, fused: bool = True) -> Run:
    """A loop over batches."""
    train, (x, y) = _train(case, fused), map(torch.tensor, data.batches(case.network, case.dtype, case.parts))
    rows = case.network.rows
    batches = list(zip(x.split(rows), y.split(rows), strict=True))

    def epoch() -> Any:
        return torch.stack([train(*batch) for batch in batches]).mean()

    return repeated(epoch)


def step(case: Case, fused: bool = True) -> Run:
    """One step on one batch."""
    train, (x, y) = _train(case, fused), map(torch.tensor, data.batches(case.network, case.dtype))
    return repeated(lambda: train(x, y))


def predict(case: Case) -> Run:
    """Outputs of the network."""
    net, x = network(case.network, case.dtype).eval(), torch.tensor(data.batches(case.network, case.dtype)[0])

    def call() -> Any:
        with torch.inference_mode():
            return net(x)

    return repeated(call)


def linear(case: Case) -> Run:
    """Weights as (in, out) or (out, in), whichever is faster; bias in the product; relu in place."""
    x, weight, bias, grad = map(torch.tensor, data.product(case))
    transposed, y = weight.T.contiguous(), torch.empty_like(grad)
    return _inference(
        lambda: torch.addmm(bias, x, weight, out=y).relu_(),
        lambda: torch.addmm(bias, x, transposed.T, out=y).relu_(),
        lambda: F.linear(x, transposed, bias).relu_(),
    )


def linear_backward(case: Case) -> Run:
    """Weights as (in, out) or (out, in), whichever is faster."""
    x, weight, bias, grad = map(torch.tensor, data.product(case))
    grad_x, grad_weight, grad_bias = torch.empty_like(x), torch.empty_like(weight), torch.empty_like(bias)
    transposed = weight.T.contiguous()
    grad_transposed = torch.empty_like(transposed)

    def as_ours() -> Any:
        torch.mm(grad, weight.T, out=grad_x)
        torch.mm(x.T, grad, out=grad_weight)
        torch.sum(grad, 0, out=grad_bias)
        return grad_x, grad_weight, grad_bias

    def as_theirs() -> Any:
        torch.mm(grad, transposed, out=grad_x)
        torch.mm(grad.T, x, out=grad_transposed)
        torch.sum(grad, 0, out=grad_bias)
        return grad_x, grad_transposed.T, grad_bias

    return _inference(as_ours, as_theirs)


def _inference(*calls: Any) -> Run:
    """The fastest of some calls, in inference mode."""
    with torch.inference_mode():
        run = quickest(*calls)

    def run_in_inference_mode(n: int) -> Any:
        with torch.inference_mode():
            return run(n)

    return run_in_inference_mode


# Functions by their names here. Forward, they take `out`; of gradients, ATen's operators have an overload that does.

ATEN = torch.ops.aten
NN = torch._C._nn
FORWARD: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in ("exp", "expm1", "log", "log1p", "erf", "tanh", "sigmoid")},
    **{name: getattr(NN, name) for name in ("elu", "gelu", "silu", "mish", "softplus", "leaky_relu")},
    "logit": torch.logit,
    **{name: getattr(NN, name) for name in ("hardsigmoid", "hardswish", "hardtanh")},
    "relu": lambda x, out=None: torch.relu(x) if out is None else torch.clamp_min(x, 0, out=out),
    "relu6": lambda x, out=None: torch.clamp(x, 0, 6, out=out),
    "softmax": partial(torch.softmax, dim=-1),
    "log_softmax": partial(torch.log_softmax, dim=-1),
}
LOSSES = (
    "l1_loss",
    "mse_loss",
    "huber_loss",
    "smooth_l1_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "soft_margin_loss",
    "poisson_nll_loss",
    "kl_div",
    "gaussian_nll_loss",
    "cross_entropy",
    "nll_loss",
    "multi_margin_loss",
)
WITHOUT_OUT = {name: getattr(F, name) for name in ("selu", "celu", "softsign", "prelu", "glu", "softmin", *LOSSES)}
NORMS: dict[str, Callable[..., Any]] = {
    "layer_norm": lambda x, weight, bias: F.layer_norm(x, weight.shape, weight, bias),
    "rms_norm": lambda x, weight: F.rms_norm(x, weight.shape, weight),
    "batch_norm": F.batch_norm,
}
BACKWARD: dict[str, tuple[Any, Callable[..., tuple[Any, ...]]]] = {
    "relu_backward": (ATEN.threshold_backward, lambda grad, x: (grad, x, 0)),
    "tanh_backward": (ATEN.tanh_backward, lambda grad, y: (grad, y)),
    "sigmoid_backward": (ATEN.sigmoid_backward, lambda grad, y: (grad, y)),
    "elu_backward": (ATEN.elu_backward, lambda grad, x: (grad, 1.0, 1.0, 1.0, False, x)),
    "gelu_backward": (ATEN.gelu_backward, lambda grad, x: (grad, x)),
    "silu_backward": (ATEN.silu_backward, lambda grad, x: (grad, x)),
    "softplus_backward": (ATEN.softplus_backward, lambda grad, x: (grad, x, 1.0, 20.0)),
    "leaky_relu_backward": (ATEN.leaky_relu_backward, lambda grad, x: (grad, x, 0.01, False)),
    "hardsigmoid_backward": (ATEN.hardsigmoid_backward, lambda grad, x: (grad, x)),
    "hardtanh_backward": (ATEN.hardtanh_backward, lambda grad, x: (grad, x, -1.0, 1.0)),
}


def function(case: Case) -> Run | None:
    """A function of the tables above, into a new or an existing array, whichever is faster."""
    if case.operation in NORMS:
        tensors = tuple(map(torch.tensor, data.arguments(case)))
        return _inference(lambda: NORMS[case.operation](*tensors, **case.options))
    if case.options or case.operation not in FORWARD | BACKWARD | WITHOUT_OUT:
        return None
    arguments = tuple(map(torch.tensor, data.arguments(case)))
    if case.operation in WITHOUT_OUT:
        return _inference(lambda: WITHOUT_OUT[case.operation](*arguments))
    out = torch.empty_like(arguments[0])
    if case.operation in FORWARD:
        called = FORWARD[case.operation]
        return _inference(lambda: called(*arguments), lambda: called(*arguments, out=out))
    operator, arrange = BACKWARD[case.operation]
    arranged = arrange(*arguments)
    return _inference(lambda: operator.default(*arranged), lambda: operator.grad_input(*arranged, grad_input=out))


def cross_entropy(case: Case) -> Run:
    """By autograd, or by hand from log_softmax, whichever is faster."""
    x, labels = map(torch.tensor, data.arguments(case))
    leaf, rows = x.clone().requires_grad_(), torch.arange(len(x))

    def by_autograd() -> Any:
        leaf.grad = None
        loss = F.cross_entropy(leaf, labels)
        loss.backward()
        return loss.detach(), leaf.grad

    def by_hand() -> Any:
        with torch.inference_mode():
            log_p = torch.log_softmax(x, -1)
            loss = F.nll_loss(log_p, labels)
            grad = log_p.exp_()
            grad[rows, labels] -= 1
            return loss, grad.div_(len(x))

    return quickest(by_autograd, by_hand)


def update(case: Case, fused: bool = True) -> Run | None:
    """An optimizer of one parameter with a given gradient; PyTorch has no Lion and nothing schedule-free."""
    if case.operation not in RULES:
        return None
    value, grad = map(torch.tensor, data.arguments(case)[:2])
    parameter = torch.nn.Parameter(value)
    parameter.grad = grad
    options = {name: value for name, value in case.options.items() if name != "step"}
    rule = _optimizer(RULES[case.operation], [parameter], fused, **options)
    return in_place(repeated(rule.step), parameter.data)


PARAMETERS: dict[str, Callable[..., Any]] = {
    "total_norm": torch.linalg.vector_norm,
    "adjust_grad_": lambda grad, scale, clip_value: grad.mul_(scale).clamp_(-clip_value, clip_value),
    "lerp_": lambda average, x, weight: average.lerp_(x, weight),
}


def parameters(case: Case) -> Run | None:
    """An operation of the table above, in place where it changes an array."""
    if case.operation not in PARAMETERS:
        return None
    arguments = tuple(map(torch.tensor, data.arguments(case)))
    run = _inference(lambda: PARAMETERS[case.operation](*arguments, **case.options))
    return run if case.operation == "total_norm" else in_place(run, arguments[0])


def startup(case: Case) -> Run:
    """The import."""
    return imported("torch")
