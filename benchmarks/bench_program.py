"""Whole networks: a training step within `fit`, a single training step, and prediction."""

from dataclasses import replace

from common import Aim, record

from fastnn.bench.cases import Network, counting_fit, fit, predict, scheduled_fit, step
from fastnn.bench.suite import DIGITS, MNIST, SMALL, WIDE

TRAINED = {SMALL: 3.0, DIGITS: 2.0, MNIST: 1.35, WIDE: 1.15}
# All other activations, losses and optimizers; deep networks, and odd sizes.
STACKS = {
    Network((2, 4, 2, 1), 32, "Sigmoid", "MSELoss", "SGD"): 2.0,
    Network((20, 64, 64, 1), 32, "Sigmoid", "MSELoss", "RMSprop"): 2.0,
    Network((20, 64, 64, 10), 32, "Tanh", "CrossEntropyLoss", "AdamW"): 2.0,
    Network((20, 64, 64, 10), 32, "ELU", "CrossEntropyLoss", "SGD", momentum=0.9): 2.0,
    Network((100, 256, 256, 1), 64, "GELU", "MSELoss", "Adam"): 1.35,
    Network((37, 300, 129, 11), 50, "ReLU", "CrossEntropyLoss", "Adam"): 1.35,
    Network((128,) * 9, 64, "ReLU", "CrossEntropyLoss", "Adam"): 1.35,
}
PREDICTED = {
    Network((8, 16, 2), 1): 3.0,
    Network((10, 32, 32, 1), 1): 2.5,
    Network((784, 128, 10), 1): 1.5,
    Network((200, 400, 400, 50), 1): 1.3,
}
PREDICTED |= {replace(network, rows=32): 1.1 for network in PREDICTED}

# For the plots in docs/: networks that differ in one size.
SWEEPS = {
    "width": [Network((64, n, n, 10), 32) for n in (8, 16, 32, 64, 128, 256, 512, 1024)],
    "rows": [Network((64, 128, 128, 10), n) for n in (1, 4, 16, 64, 256, 1024)],
    "depth": [Network((64, *(64,) * n, 10), 32) for n in (1, 2, 4, 8, 16)],
}


def aims(make, network, ratio):
    """Aims: for tiny networks, where call overhead dominates, a call is much faster than PyTorch's."""
    return [Aim(ratio), *([Aim(20.0, ("torch",))] if make is step and network in (SMALL, DIGITS) else [])]


RECORDS = [
    *(
        record(make(network), *aims(make, network, ratio), threads=threads)
        for threads, networks in ((1, TRAINED | STACKS), (2, TRAINED))
        for make in (fit, step)
        for network, ratio in networks.items()
    ),
    *(record(scheduled_fit(n), Aim(ratio), by=("native", "reference", "torch")) for n, ratio in TRAINED.items()),
    *(record(counting_fit(n), by=("native", "reference")) for n in (DIGITS, MNIST)),
    *(record(predict(network), Aim(ratio, ("onnxruntime",))) for network, ratio in PREDICTED.items()),
    *(
        record(
            replace(fit(network), section=f"a step by {what}"), by=("native", "reference", "jax", "torch", "sklearn")
        )
        for what, networks in SWEEPS.items()
        for network in networks
    ),
]


def bench_program(turn, replay):
    replay(turn)
