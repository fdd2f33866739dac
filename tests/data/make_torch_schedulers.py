"""Make torch_schedulers.npz: the rates and momenta of PyTorch's schedulers, for test_lr_scheduler.py to compare with.

Run it with torch 2.13. The schedules are those of tests/schedules.py.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from schedules import OPTIMIZERS, PLATEAUS, SCHEDULES, STEPS, metrics, momentum_of


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


def main():
    warnings.simplefilter("ignore")
    results = {f"{key}/{name}": sequence(make, name) for key, make in SCHEDULES.items() for name in OPTIMIZERS}
    results |= {f"ReduceLROnPlateau/{key}": plateau(keywords) for key, keywords in PLATEAUS.items()}
    np.savez_compressed(Path(__file__).with_name("torch_schedulers.npz"), **results)


if __name__ == "__main__":
    main()
