"""Make torch_schedulers.npz: the rates and momenta of PyTorch's schedulers, for tests/lr_scheduler to compare with.

Run it with torch 2.13. The schedules are those of tests/support/schedules.py.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.schedules import (
    BY_HAND,
    EPOCHS,
    OPTIMIZERS,
    PAIRED,
    PAIRS,
    PLATEAUS,
    RESTARTS,
    SCHEDULES,
    STEPS,
    metrics,
    momentum_of,
    rates_of,
)


def make_optimizer(name):
    return OPTIMIZERS[name](torch.optim, [torch.nn.Parameter(torch.zeros(1))])


def sequence(make, name):
    """The rate and the momentum at each step, from 0 on."""
    optimizer = make_optimizer(name)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rows = []
    for step in range(STEPS):
        if step:
            optimizer.step()
            scheduler.step()
        rows.append([scheduler.get_last_lr()[0], momentum_of(optimizer)])
    return np.array(rows, "float64")


def plateau(keywords):
    optimizer = make_optimizer("sgd")
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **keywords)
    rates = []
    for value in metrics():
        scheduler.step(value)
        rates.append(scheduler.get_last_lr()[0])
    return np.array(rates)


def restarts(arguments):
    """The rate and the number of steps after each of EPOCHS."""
    optimizer = make_optimizer("sgd")
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, *arguments)
    rows = []
    for epoch in EPOCHS:
        optimizer.step()
        scheduler.step(epoch)
        rows.append([scheduler.get_last_lr()[0], scheduler.last_epoch])
    return np.array(rows)


def paired(keys, by_hand):
    """Of an optimizer with two groups."""
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.3, 0.07)]
    optimizer = torch.optim.SGD(groups, lr=0.3)

    def lr_of(value=None):
        for group, share in zip(optimizer.param_groups, (1.0, 0.5), strict=True):
            group["lr"] = group["lr"] if value is None else value * share
        return [group["lr"] for group in optimizer.param_groups]

    schedulers = [PAIRED[key](torch.optim.lr_scheduler, optimizer) for key in keys]
    return np.array(rates_of(schedulers, lr_of, by_hand), "float64")


def main():
    warnings.simplefilter("ignore")
    results = {f"{key}/{name}": sequence(make, name) for key, make in SCHEDULES.items() for name in OPTIMIZERS}
    results |= {f"ReduceLROnPlateau/{key}": plateau(keywords) for key, keywords in PLATEAUS.items()}
    results |= {f"restarts/{key}": restarts(arguments) for key, arguments in RESTARTS.items()}
    results |= {f"alone/{key}": paired([key], BY_HAND) for key in PAIRED}
    for keys in PAIRS:
        results[f"pair/{'/'.join(keys)}"] = np.stack([paired(keys, by_hand) for by_hand in ({}, BY_HAND)])
    np.savez_compressed(Path(__file__).with_name("torch_schedulers.npz"), **results)


if __name__ == "__main__":
    main()
