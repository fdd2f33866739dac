"""What there is to choose from on the page, with the limits of its numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MAX_LAYERS = 6
MAX_UNITS = 16
MAX_CLASSES = 8  # of data of one's own
ROWS = (20, 2000)

CLASSIFICATION, REGRESSION = "classification", "regression"
# Each kind of data by what is learned from it, and its numbers of classes: the least and the most.
DATA = {
    "moons": (CLASSIFICATION, 2, 2),
    "circles": (CLASSIFICATION, 2, 2),
    "spirals": (CLASSIFICATION, 2, 4),
    "xor": (CLASSIFICATION, 2, 2),
    "blobs": (CLASSIFICATION, 2, 4),
    "plane": (REGRESSION, 1, 1),
    "hills": (REGRESSION, 1, 1),
    "own": (None, 1, MAX_CLASSES),
}
ACTIVATIONS = (
    "Identity", "ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Mish", "Softplus", "Sigmoid", "Tanh", "Softsign",
    "Hardtanh",
)  # fmt: skip
NORMS = ("none", "BatchNorm1d", "LayerNorm", "RMSNorm")
INITS = (
    "default", "zeros", "normal", "wide", "uniform", "xavier_uniform", "xavier_normal", "kaiming_uniform",
    "kaiming_normal", "lecun_normal", "orthogonal",
)  # fmt: skip
# By name: what is learned, and the number of outputs for a number of classes, None for one for each.
LOSSES = {
    "CrossEntropyLoss": CLASSIFICATION,
    "BCEWithLogitsLoss": CLASSIFICATION,  # two classes, one output
    "SoftmaxFocalLoss": CLASSIFICATION,
    "MultiMarginLoss": CLASSIFICATION,
    "MSELoss": REGRESSION,
    "L1Loss": REGRESSION,
    "HuberLoss": REGRESSION,
}
ONE_OUTPUT = "BCEWithLogitsLoss"


@dataclass(frozen=True)
class Number:
    """A number that can be set: its default and its range, whether it is whole, and how a slider goes through it."""

    default: float
    low: float
    high: float
    whole: bool = False
    scale: str = "linear"  # or "log"


def _rate(default: float) -> Number:
    return Number(default, 1e-6, 1e6, scale="log")  # high enough to see what an explosion is


def _share(default: float) -> Number:
    return Number(default, 0.0, 0.9999)


EPS = Number(1e-8, 1e-12, 1.0, scale="log")
DECAY = Number(0.0, 0.0, 10.0)
BETAS = {"beta1": _share(0.9), "beta2": _share(0.999)}
OPTIMIZERS = {
    "SGD": {"lr": _rate(0.1), "momentum": _share(0.0), "weight_decay": DECAY},
    "Adam": {"lr": _rate(0.01), **BETAS, "eps": EPS, "weight_decay": DECAY},
    "AdamW": {"lr": _rate(0.01), **BETAS, "eps": EPS, "weight_decay": Number(0.01, 0.0, 10.0)},
    "NAdam": {"lr": _rate(0.01), **BETAS, "eps": EPS},
    "RMSprop": {"lr": _rate(0.01), "alpha": _share(0.99), "eps": EPS, "momentum": _share(0.0)},
    "Adagrad": {"lr": _rate(0.1), "lr_decay": Number(0.0, 0.0, 10.0)},
    "Adadelta": {"lr": _rate(1.0), "rho": _share(0.9)},
    "Lion": {"lr": _rate(0.001), "beta1": _share(0.9), "beta2": _share(0.99), "weight_decay": DECAY},
}


def _epochs(default: int) -> Number:
    return Number(default, 1, 100_000, whole=True, scale="log")


# Of the learning rate, by epoch.
SCHEDULES = {
    "constant": {},
    "StepLR": {"step_size": _epochs(100), "gamma": Number(0.5, 0.01, 1.0)},
    "ExponentialLR": {"gamma": Number(0.995, 0.5, 1.0)},
    "CosineAnnealingLR": {"T_max": _epochs(500)},
    "CosineAnnealingWarmRestarts": {"T_0": _epochs(100)},
    "LinearLR": {"start_factor": Number(0.01, 0.001, 1.0, scale="log"), "total_iters": _epochs(50)},
}
DATA_NUMBERS = {
    "points": Number(400, *ROWS, whole=True),
    "noise": Number(0.1, 0.0, 2.0),
    "classes": Number(2, 2, 4, whole=True),
    "test_share": Number(0.3, 0.1, 0.9),
}
LAYER_NUMBERS = {"units": Number(8, 1, MAX_UNITS, whole=True), "dropout": Number(0.0, 0.0, 0.9)}
NUMBERS = {
    "seed": Number(0, 0, 2**32 - 1, whole=True),
    "batch_size": Number(16, 0, ROWS[1], whole=True),  # 0: all samples at once
    "l1": Number(0.0, 0.0, 10.0),
    "l2": Number(0.0, 0.0, 10.0),
    "temperature": Number(1.0, 0.01, 100.0, scale="log"),
}


def losses_for(task: str, classes: int) -> list[str]:
    """The names of losses that go with data."""
    return [name for name, of in LOSSES.items() if of == task and (name != ONE_OUTPUT or classes == 2)]


def catalogue() -> dict[str, Any]:
    """All of it for the page, as JSON."""

    def numbers(of: dict[str, Number]) -> dict[str, Any]:
        return {name: asdict(number) for name, number in of.items()}

    return {
        "data": {name: {"task": task, "classes": [low, high]} for name, (task, low, high) in DATA.items()},
        "activations": ACTIVATIONS,
        "norms": NORMS,
        "inits": INITS,
        "losses": LOSSES,
        "oneOutput": ONE_OUTPUT,
        "optimizers": {name: numbers(of) for name, of in OPTIMIZERS.items()},
        "schedules": {name: numbers(of) for name, of in SCHEDULES.items()},
        "dataNumbers": numbers(DATA_NUMBERS),
        "layerNumbers": numbers(LAYER_NUMBERS),
        "numbers": numbers(NUMBERS),
        "maxLayers": MAX_LAYERS,
    }
