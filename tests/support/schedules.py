"""Schedules that PyTorch and this package both have, written once; recorded/torch_schedulers.npz has PyTorch's numbers.

Each is a function of the module `lr_scheduler` and of an optimizer; each optimizer a function of a module `optim`.
"""

from importlib import import_module

STEPS = 60

OPTIMIZERS = {
    "sgd": lambda optim, params: optim.SGD(params, lr=0.3, momentum=0.9),
    "adam": lambda optim, params: optim.Adam(params, lr=0.02),
    "rmsprop": lambda optim, params: optim.RMSprop(params, lr=0.05, momentum=0.5),
}


def wave(step):
    return 1.0 + 0.5 * ((step * 7) % 5)


def decay(step):
    return 0.9 if step % 3 else 1.05


def swa(module):
    """PyTorch has SWALR in another module."""
    return module if hasattr(module, "SWALR") else import_module(module.__name__.replace("lr_scheduler", "swa_utils"))


SCHEDULES = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, wave),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, decay),
    "StepLR": lambda s, o: s.StepLR(o, 7),
    "StepLR grows": lambda s, o: s.StepLR(o, step_size=11, gamma=1.3),
    "StepLR each": lambda s, o: s.StepLR(o, 1, 0.99),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [3, 20, 41]),
    "MultiStepLR 0": lambda s, o: s.MultiStepLR(o, milestones=[0, 30], gamma=0.5),
    "MultiStepLR unsorted": lambda s, o: s.MultiStepLR(o, [41, 3, 20], 0.5),
    "MultiStepLR none": lambda s, o: s.MultiStepLR(o, [], 0.5),
    "ConstantLR": lambda s, o: s.ConstantLR(o),
    "ConstantLR 20": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=20),
    "ConstantLR 0": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=0),
    "LinearLR 0": lambda s, o: s.LinearLR(o, 0.25, total_iters=0),
    "PolynomialLR 0": lambda s, o: s.PolynomialLR(o, 0, 2.0),
    "LinearLR": lambda s, o: s.LinearLR(o),
    "LinearLR up": lambda s, o: s.LinearLR(o, start_factor=0.01, total_iters=25),
    "LinearLR down": lambda s, o: s.LinearLR(o, 1.0, 0.0, 40),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "ExponentialLR grows": lambda s, o: s.ExponentialLR(o, gamma=1.01),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o),
    "PolynomialLR 2": lambda s, o: s.PolynomialLR(o, total_iters=45, power=2.0),
    "PolynomialLR root": lambda s, o: s.PolynomialLR(o, 70, 0.5),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 50),
    "CosineAnnealingLR again": lambda s, o: s.CosineAnnealingLR(o, T_max=10, eta_min=0.01),
    "CosineAnnealingLR short": lambda s, o: s.CosineAnnealingLR(o, 1, 0.001),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 10),
    "CosineAnnealingWarmRestarts 2": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=4, T_mult=2, eta_min=0.001),
    "CosineAnnealingWarmRestarts 3": lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 3),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=10),
    "CyclicLR triangular2": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 5, 13, mode="triangular2"),
    "CyclicLR exp_range": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 7, mode="exp_range", gamma=0.98, max_momentum=0.99),
    "CyclicLR scale_fn": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 6, scale_fn=wave, cycle_momentum=False),
    "CyclicLR scale_fn steps": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 6, scale_fn=decay, scale_mode="iterations", base_momentum=0.5
    ),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, STEPS),
    "OneCycleLR linear": lambda s, o: s.OneCycleLR(
        o, 0.5, epochs=6, steps_per_epoch=10, pct_start=0.4, anneal_strategy="linear", div_factor=10.0
    ),
    "OneCycleLR three": lambda s, o: s.OneCycleLR(
        o, max_lr=0.5, total_steps=75, three_phase=True, final_div_factor=100.0, base_momentum=0.7, max_momentum=0.9
    ),
    "OneCycleLR down": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=64, pct_start=0.0, cycle_momentum=False),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.9)], [20]),
    "SequentialLR no warm-up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=0), s.CosineAnnealingLR(o, 52)], milestones=[0]
    ),
    "SequentialLR last at once": lambda s, o: s.SequentialLR(
        o, [s.StepLR(o, 4, 0.5), s.LinearLR(o, 0.5, total_iters=6), s.ExponentialLR(o, 0.9)], milestones=[0, 9]
    ),
    "SWALR": lambda s, o: swa(s).SWALR(o, 0.05),
    "SWALR linear": lambda s, o: swa(s).SWALR(o, swa_lr=0.5, anneal_epochs=7, anneal_strategy="linear"),
    "SWALR once": lambda s, o: swa(s).SWALR(o, 0.05, anneal_epochs=1),
    "SWALR at once": lambda s, o: swa(s).SWALR(o, 0.05, anneal_epochs=0),
    "ChainedScheduler swa": lambda s, o: s.ChainedScheduler([s.StepLR(o, 5, 0.5), swa(s).SWALR(o, 0.05, 20)]),
    "ChainedScheduler total 0": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.5, 0), s.ExponentialLR(o, 0.9), s.LinearLR(o, 0.3, total_iters=0)]
    ),
    "SequentialLR warm-up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=8), s.CosineAnnealingLR(o, 52)], milestones=[8]
    ),
    "SequentialLR three": lambda s, o: s.SequentialLR(
        o,
        [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingWarmRestarts(o, 6, 2), s.StepLR(o, 4, 0.5)],
        milestones=[10, 35],
    ),
    "SequentialLR cycles": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.5, 100), s.CyclicLR(o, 0.01, 0.1, 6), s.StepLR(o, 4)], milestones=[15, 40], **by(s)
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.9)]),
    "ChainedScheduler four": lambda s, o: s.ChainedScheduler(
        [s.StepLR(o, 9, 0.7), s.LinearLR(o, 0.2, total_iters=12), s.MultiplicativeLR(o, decay), s.MultiStepLR(o, [30])]
    ),
    "ChainedScheduler cosine": lambda s, o: s.ChainedScheduler(
        [s.CosineAnnealingLR(o, 20, eta_min=0.005), s.LinearLR(o, 0.3, total_iters=15)]
    ),
    "ChainedScheduler lambda": lambda s, o: s.ChainedScheduler([s.LambdaLR(o, wave), s.ExponentialLR(o, 0.9)]),
    "ChainedScheduler restarts": lambda s, o: s.ChainedScheduler(
        [s.PolynomialLR(o, 80), s.CosineAnnealingWarmRestarts(o, 7), s.ConstantLR(o, 0.5, 10)]
    ),
    "ChainedScheduler of sequence": lambda s, o: s.ChainedScheduler(
        [
            s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=9), s.ExponentialLR(o, 0.97)], [9]),
            s.StepLR(o, 25),
        ]
    ),
}


def by(module):
    """The argument that PyTorch does not have."""
    return {} if module.__name__.startswith("torch") else {"by": "batch"}


# CosineAnnealingWarmRestarts: its arguments, and what it is stepped with, None or an epoch.
RESTARTS = {"each": (5,), "mult": (4, 2, 0.01), "three": (1, 3)}
EPOCHS = [None, 0.25, 0.5, 3.75, None, None, 4.5, 7, 7.5, None, 0, 26, None, 13.125, 2.5, None, None, None, 40.0, None]


# ReduceLROnPlateau: its arguments, and the metrics that it is stepped with.
PLATEAUS = {
    "min": {"patience": 2},
    "max": {"mode": "max", "factor": 0.5, "patience": 1},
    "abs": {"threshold": 0.05, "threshold_mode": "abs", "patience": 3, "cooldown": 4},
    "max abs": {"mode": "max", "threshold": 0.05, "threshold_mode": "abs", "patience": 0, "min_lr": 0.001},
    "rel": {"threshold": 0.1, "patience": 1, "cooldown": 2, "eps": 1e-3},
}


def metrics():
    """A loss that falls, stands, rises, and is not a number twice."""
    values = [1.0 / (1 + step) + 0.03 * ((step * 5) % 7) for step in range(STEPS)]
    values[10] = values[11] = float("nan")
    return values


def momentum_of(optimizer):
    """The momentum of an optimizer of PyTorch."""
    group = optimizer.param_groups[0]
    return group["betas"][0] if "betas" in group else group["momentum"]


# -- two schedulers of one optimizer, and rates set by hand ------------------------------------------------------------

PAIRED = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, wave),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, decay),
    "StepLR": lambda s, o: s.StepLR(o, 3, 0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 7], 0.3),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.4, 6),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.4, total_iters=3),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 9, 2.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 5),
    "CosineAnnealingLR once": lambda s, o: s.CosineAnnealingLR(o, 20, 0.01),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 4, 2),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, cycle_momentum=False),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, 20, cycle_momentum=False),
    "ReduceLROnPlateau": lambda s, o: s.ReduceLROnPlateau(o, patience=0, factor=0.1),
    "LinearLR 0": lambda s, o: s.LinearLR(o, 0.4, total_iters=0),
    "SWALR": lambda s, o: swa(s).SWALR(o, 0.02, 6),
    "SWALR linear": lambda s, o: swa(s).SWALR(o, 0.02, 3, "linear"),
    "SWALR at once": lambda s, o: swa(s).SWALR(o, 0.02, 0),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.5, total_iters=4), s.ExponentialLR(o, 0.8)], [4]),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.LinearLR(o, 0.5, total_iters=4), s.StepLR(o, 2, 0.7)]),
}
PAIR_STEPS = 12
LOSSES = [3.0, 2.0, 2.5, 1.0, 1.5, 0.5, 0.4, 0.4, 0.3, 0.2, 0.3, 0.1]
BY_HAND = {4: 0.2, 9: 0.05}  # the rate that is set before a step

USE_BASE = ("LambdaLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "SequentialLR")


def departs(first, second):
    """Whether a pair is not as in PyTorch.

    There, a cycle makes its own lowest rate the base rate of those made after it, and CyclicLR gives up its `base_lr`
    for the base rate that a scheduler made before it has.
    """
    return second == "CyclicLR" or (first in ("CyclicLR", "OneCycleLR") and second in USE_BASE)


PAIRS = [(first, second) for first in PAIRED for second in PAIRED if not departs(first, second)]


def rates_of(schedulers, lr_of, by_hand):
    """The rates, before the first step and after each, of schedulers that are stepped one after the other.

    `lr_of` gives the optimizer's rates, and sets them to its argument if there is one.
    """
    rows = [lr_of()]
    for step, loss in enumerate(LOSSES):
        if step in by_hand:
            lr_of(by_hand[step])
        for scheduler in schedulers:
            scheduler.step(*[loss] * (type(scheduler).__name__ == "ReduceLROnPlateau"))
        rows.append(lr_of())
    return rows
