"""Makes torch_rules.npz: trainings by PyTorch in float64 that tests/test_torch_rules.py follows.

    python tests/recorded/make_torch_rules.py      (PyTorch 2.13)

The network, its first parameters and its data are those of make_torch_trajectories.py. A key says the loss, its target,
the optimizer and its keywords. The losses are those before each step.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import torch
from make_torch_trajectories import STEPS, flat_parameters, make_data, make_network
from torch import nn

LBFGS_STEPS = 3
LONG_STEPS = 60
TARGETS = {"MSELoss": "values", "CrossEntropyLoss": "labels"}
OPTIMIZERS = [
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.05}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.02, "betas": [0.8, 0.95], "weight_decay": 0.05}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.02, "betas": [0.8, 0.95], "weight_decay": 0.05, "momentum_decay": 0.5}),
    ("NAdam", {"lr": 0.02, "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.02, "betas": [0.8, 0.95], "weight_decay": 0.05}),
    ("RAdam", {"lr": 0.02, "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.03, "etas": [0.3, 1.4], "step_sizes": [0.01, 0.05]}),
    *((name, {"lr": 0.01, "maximize": True}) for name in ("Adadelta", "Adamax", "NAdam", "RAdam", "Rprop", "Adagrad")),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.05, "maximize": True}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5, "maximize": True}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.05, "maximize": True}),
    ("AdamW", {"lr": 0.01, "amsgrad": True, "maximize": True}),
]
# For LONG_STEPS. Muon is given the matrices, and its products are in float64 here, where PyTorch has bfloat16;
# "rounded" has them as they are.
LONG = [
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.05, "alpha": 0.5, "t0": 20, "weight_decay": 0.05}),
    ("ASGD", {"lr": 0.01, "t0": 0, "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.05, "beta2_decay": -0.5, "eps": [1e-6, 0.01], "d": 1.5, "weight_decay": 0.05}),
    ("Adafactor", {"lr": 0.02, "maximize": True}),
    ("Muon", {}),
    ("Muon", {"lr": 0.02, "momentum": 0.8, "nesterov": False, "weight_decay": 0.0, "adjust_lr_fn": "match_rms_adamw"}),
    ("Muon", {"lr": 0.02, "ns_coefficients": [2.0, -1.5, 0.5], "ns_steps": 3, "adjust_lr_fn": "original"}),
]
# Few iterations: in many, rounding errors grow until they are seen.
LBFGS = [
    {"line_search_fn": "strong_wolfe", "max_iter": 12},
    {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "max_eval": 4, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 5},
    {"max_iter": 4, "lr": 0.1},
    {"max_iter": 1, "lr": 0.3},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.05, "tolerance_change": 1e-3},
]


def trajectory(loss_fn, target, name, keywords, x, steps):
    """The losses before some steps, the parameters after the last, and the number of evaluations."""
    torch.set_default_dtype(torch.float32)  # of the first parameters, before they are made float64
    net = make_network()
    torch.set_default_dtype(torch.float64)  # of NAdam's product of momenta
    params = [p for p in net.parameters() if name != "Muon" or p.ndim == 2]
    optimizer = getattr(torch.optim, name)(params, **keywords)
    evaluations = []

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(net(x), target)
        loss.backward()
        evaluations.append(loss.item())
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return {"losses": losses, "parameters": flat_parameters(net), "evaluations": len(evaluations)}


def main():
    torch.set_num_threads(1)
    data = {name: torch.from_numpy(array) for name, array in make_data().items()}
    rules = [("trajectory", name, keywords, STEPS) for name, keywords in OPTIMIZERS]
    rules += [("search", "LBFGS", keywords, LBFGS_STEPS) for keywords in LBFGS]
    rules += [("long", name, keywords, LONG_STEPS) for name, keywords in LONG]
    rules += [("rounded", name, keywords, STEPS) for name, keywords in LONG if name == "Muon"]
    to_bfloat16 = torch.Tensor.bfloat16
    results = {}
    for (loss, target), (kind, name, keywords, steps) in itertools.product(TARGETS.items(), rules):
        torch.Tensor.bfloat16 = to_bfloat16 if kind == "rounded" else torch.Tensor.clone
        made = trajectory(getattr(nn, loss)(), data[target], name, keywords, data["x"], steps)
        key = f"{kind}/{loss} {target}/{name} {json.dumps(keywords)}"
        results |= {f"{key}/{what}": np.array(value) for what, value in made.items()}
    np.savez_compressed(Path(__file__).with_name("torch_rules.npz"), **results)


if __name__ == "__main__":
    main()
