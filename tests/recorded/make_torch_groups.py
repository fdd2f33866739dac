"""Make torch_groups.npz: training runs of PyTorch with groups, clipping and averages, in float64, for the tests.

Run it with torch 2.13; the same version writes the same bytes. A key is the name of a run; the tests know what it is.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn

STEPS = 10
OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    "Adagrad": {"lr": 0.05, "weight_decay": 0.01},
    "RMSprop": {"lr": 0.01, "weight_decay": 0.01},
    "Adam": {"lr": 0.02, "weight_decay": 0.01},
    "AdamW": {"lr": 0.02, "weight_decay": 0.1},
}


def make_network():
    """A small network; the tests build the same one."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4)).double()


def flat(tensors):
    """Parameters in one vector, weights as (in_features, out_features)."""
    return np.concatenate([t.detach().numpy().T.ravel() for t in tensors])


def run(x, y, optimizer_of, before_step=lambda step, net: None, after_step=lambda net: None):
    """The parameters after some steps, and what `before_step` gave at each."""
    net = make_network()
    optimizer, seen = optimizer_of(net), []
    for step in range(STEPS):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        seen.append(before_step(step, net))
        optimizer.step()
        after_step(net)
    return flat(net.parameters()), seen


def with_groups(name):
    """Biases without decay, the first weight with a rate of its own, the last layer trained from step 5 on."""

    def make(net):
        biases = [p for key, p in net.named_parameters() if key in ("0.bias", "2.bias")]
        groups = [
            {"params": [net[2].weight]},
            {"params": biases, "weight_decay": 0.0},
            {"params": [net[0].weight], "lr": 0.003},
            {"params": list(net[4].parameters())},
        ]
        return getattr(torch.optim, name)(groups, **OPTIMIZERS[name])

    def freeze(step, net):
        for parameter in net[4].parameters():
            parameter.grad = parameter.grad if step >= 5 else None

    return make, freeze


def clipping(max_norm=None, max_value=None):
    """The norm before clipping."""

    def clip(step, net):
        norm = nn.utils.clip_grad_norm_(net.parameters(), np.inf if max_norm is None else max_norm)
        if max_value is not None:
            nn.utils.clip_grad_value_(net.parameters(), max_value)
        return norm.item()

    return clip


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    results = {"x": rng.normal(size=(10, 3)), "y": 3 * rng.normal(size=(10, 4))}
    x, y = (torch.from_numpy(results[name]) for name in "xy")
    results["parameters"] = flat(make_network().parameters())
    for name, options in OPTIMIZERS.items():
        results[f"groups {name}"], _ = run(x, y, *with_groups(name))
        for kind, limits in (("norm", (0.7, None)), ("value", (None, 0.1)), ("both", (0.7, 0.1))):
            end, norms = run(
                x, y, lambda net, n=name, o=options: getattr(torch.optim, n)(net.parameters(), **o), clipping(*limits)
            )
            results[f"clip {kind} {name}"], results[f"norms {kind} {name}"] = end, np.array(norms)
    for kind, function in (("EMA", get_ema_multi_avg_fn(0.9)), ("SWA", get_swa_multi_avg_fn())):
        averages = []

        def average(net, averages=averages, function=function):
            if not averages:
                averages.append(AveragedModel(net, multi_avg_fn=function))
            averages[0].update_parameters(net)

        run(x, y, lambda net: torch.optim.SGD(net.parameters(), lr=0.1), after_step=average)
        results[kind] = flat(averages[0].module.parameters())
    np.savez_compressed(Path(__file__).with_name("torch_groups.npz"), **results)


if __name__ == "__main__":
    main()
