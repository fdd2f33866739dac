"""Make trajectories.npz: what PyTorch computes in float64, for test_trajectories.py to compare with.

Run it with torch 2.13; the same version writes the same bytes. A key says what was called: a function or class of
PyTorch, and its keyword arguments as JSON.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEPS = 12

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    ("Adagrad", {"lr": 0.05}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.05, "initial_accumulator_value": 0.1}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "centered": True}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.05}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "centered": True}),
    ("Adam", {"lr": 0.02}),
    ("Adam", {"lr": 0.02, "betas": [0.8, 0.95], "amsgrad": True}),
    ("Adam", {"lr": 0.02, "weight_decay": 0.05}),
    ("AdamW", {"lr": 0.02}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.1, "betas": [0.8, 0.95], "amsgrad": True}),
]

ACTIVATIONS = [
    ("sigmoid", {}),
    ("tanh", {}),
    ("relu", {}),
    ("leaky_relu", {"negative_slope": 0.1}),
    ("elu", {}),
    ("elu", {"alpha": 0.7}),
    ("selu", {}),
    ("celu", {}),
    ("celu", {"alpha": 0.7}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 5.0}),
    ("softsign", {}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("relu6", {}),
]

SPECIAL = [0.0, 1e-308, 1e-160, 1e-20, 1e-8, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 20.0, 30.0, 40.0, 750.0, 1e10, np.inf]

# Losses, their keyword arguments, and the names of their inputs and targets among the data.
LOSSES = [
    ("l1_loss", {}, "scores", "values"),
    ("mse_loss", {}, "scores", "values"),
    ("huber_loss", {}, "scores", "values"),
    ("huber_loss", {"delta": 0.4}, "scores", "values"),
    ("smooth_l1_loss", {}, "scores", "values"),
    ("smooth_l1_loss", {"beta": 0.4}, "scores", "values"),
    ("smooth_l1_loss", {"beta": 0.0}, "scores", "values"),
    ("binary_cross_entropy", {}, "chances", "bits"),
    ("binary_cross_entropy", {}, "chances", "probabilities"),
    ("binary_cross_entropy_with_logits", {}, "scores", "bits"),
    ("binary_cross_entropy_with_logits", {}, "scores", "probabilities"),
    ("cross_entropy", {}, "scores", "labels"),
    ("cross_entropy", {"label_smoothing": 0.1}, "scores", "labels"),
    ("cross_entropy", {}, "scores", "probabilities"),
    ("cross_entropy", {"label_smoothing": 0.1}, "scores", "probabilities"),
    ("nll_loss", {}, "log_probabilities", "labels"),
]


def make_data():
    """Inputs and targets, by the names that keys use."""
    rng = np.random.default_rng(0)
    scores = 2 * rng.normal(size=(10, 4))
    special = np.array(SPECIAL)
    probabilities = rng.dirichlet(np.ones(4), 10)
    return {
        "x": rng.normal(size=(10, 3)),
        "scores": scores,
        "values": rng.normal(size=(10, 4)),
        "chances": np.concatenate([[0.0, 1.0], rng.random(38)]).reshape(10, 4),
        "bits": rng.integers(2, size=(10, 4)).astype("float64"),
        "probabilities": probabilities,
        "log_probabilities": np.log(rng.dirichlet(np.ones(4), 10)),
        "labels": rng.integers(4, size=10),
        "grad_elements": rng.normal(size=(10, 4)),
        "grad_rows": rng.normal(size=10),
        "grid": np.concatenate([np.linspace(-12, 12, 96), special, -special, [np.nan]]),
    }


def make_network():
    """A small network with several activations; the test builds the same one."""
    torch.manual_seed(0)
    layers = [nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4), nn.Softplus(), nn.Linear(4, 4)]
    return nn.Sequential(*layers).double()


def flat_parameters(net):
    """All parameters in one vector, weights as (in_features, out_features)."""
    return np.concatenate([p.detach().numpy().T.ravel() for p in net.parameters()])


def trajectory(loss_fn, target, optimizer_class, keywords, x):
    """The losses of all steps, and the parameters after the last."""
    net = make_network()
    optimizer = optimizer_class(net.parameters(), **keywords)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_fn(net(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), flat_parameters(net)


def trajectories(data):
    x = data["x"]
    targets = {"MSELoss": "values", "CrossEntropyLoss": "labels"}
    for (name, keywords), (loss, target) in itertools.product(OPTIMIZERS, targets.items()):
        key = f"trajectory/{loss} {target}/{name} {json.dumps(keywords)}"
        losses, parameters = trajectory(getattr(nn, loss)(), data[target], getattr(torch.optim, name), keywords, x)
        yield f"{key}/losses", losses
        yield f"{key}/parameters", parameters


def value_and_grad(function, x, grad_output, *args, **keywords):
    """The result of a function of x, and the gradient of x."""
    x = x.clone().requires_grad_()
    value = function(x, *args, **keywords)
    value.backward(grad_output)
    return value.detach().numpy(), x.grad.numpy()


def activations(data):
    for name, keywords in ACTIVATIONS:
        results = value_and_grad(getattr(F, name), data["grid"], torch.ones_like(data["grid"]), **keywords)
        yield f"activation/{name} {json.dumps(keywords)}", np.stack(results)
    for name, dim, temperature in itertools.product(("softmax", "log_softmax"), (0, 1), (0.5, 1.0, 3.0)):

        def function(x, name=name, dim=dim, temperature=temperature):
            return getattr(F, name)(x / temperature, dim=dim)

        keywords = {"axis": dim, "temperature": temperature}
        results = value_and_grad(function, data["scores"], data["grad_elements"])
        yield f"rows/{name} {json.dumps(keywords)}", np.stack(results)


def losses(data):
    for (name, keywords, x, target), reduction in itertools.product(LOSSES, ("mean", "sum", "none")):
        grad_output = torch.tensor(1.0, dtype=torch.float64)
        if reduction == "none":
            grad_output = data["grad_rows" if name in ("cross_entropy", "nll_loss") else "grad_elements"]
        keywords = {"reduction": reduction} | keywords
        key = f"loss/{x} {target}/{name} {json.dumps(keywords)}"
        value, grad = value_and_grad(getattr(F, name), data[x], grad_output, data[target], **keywords)
        yield f"{key}/value", value
        yield f"{key}/grad", grad


def main():
    torch.set_num_threads(1)
    data = make_data()
    tensors = {name: torch.from_numpy(array) for name, array in data.items()}
    results = {f"data/{name}": array for name, array in data.items()}
    results["data/parameters"] = flat_parameters(make_network())
    for make in (trajectories, activations, losses):
        results |= make(tensors)
    np.savez_compressed(Path(__file__).with_name("trajectories.npz"), **results)


if __name__ == "__main__":
    main()
