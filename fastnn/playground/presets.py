"""Settings that show something, by name; the page has a line of explanation for each (static/texts.js)."""

from __future__ import annotations

from typing import Any

from .settings import from_json


def _layers(*units: int, **more: Any) -> list[dict[str, Any]]:
    return [{"units": n, **more} for n in units]


def _rate(kind: str, lr: float, **numbers: float) -> dict[str, Any]:
    return {"kind": kind, "numbers": {"lr": lr, **numbers}}


_GIVEN: dict[str, dict[str, Any]] = {
    "spirals": {"data": {"kind": "spirals"}, "layers": _layers(8, 8, activation="Tanh")},
    "three_spirals": {
        "data": {"kind": "spirals", "classes": 3, "points": 600, "noise": 0.03},
        "layers": _layers(16, 16, activation="SiLU"),
    },
    "linear": {"data": {"kind": "circles"}, "layers": _layers(8, 8, activation="Identity")},
    "two_units": {  # the two folds of a plane that do not part two circles
        "data": {"kind": "circles", "noise": 0.05},
        "layers": _layers(2, activation="Tanh"),
        "loss": "BCEWithLogitsLoss",
        "optimizer": _rate("Adam", 0.03),
    },
    "four_units": {
        "data": {"kind": "circles", "noise": 0.05},
        "layers": _layers(4, activation="Tanh"),
        "loss": "BCEWithLogitsLoss",
        "optimizer": _rate("Adam", 0.03),
    },
    "blobs": {"data": {"kind": "blobs", "classes": 4, "noise": 0.4}, "layers": _layers(6, activation="ReLU")},
    "dead": {
        "data": {"kind": "moons", "noise": 0.15},
        "layers": _layers(12, 12, activation="ReLU"),
        "optimizer": _rate("SGD", 3.0),
        "init": "xavier_uniform",
    },
    "vanishing": {
        "data": {"kind": "moons", "noise": 0.15},
        "layers": _layers(8, 8, 8, 8, 8, 8, activation="Sigmoid"),
        "optimizer": _rate("SGD", 0.1),
    },
    "saturated": {
        "data": {"kind": "moons", "noise": 0.15},
        "layers": _layers(8, 8, 8, activation="Sigmoid"),
        "optimizer": _rate("SGD", 0.1),
        "init": "wide",
    },
    "explodes": {  # each step overshoots by more than the one before
        "data": {"kind": "plane"},
        "loss": "MSELoss",
        "layers": [],
        "optimizer": _rate("SGD", 1.2),
        "batch_size": 0,
    },
    "overfits": {
        "data": {"kind": "moons", "noise": 0.25, "points": 100, "test_share": 0.5},
        "layers": _layers(16, 16, 16, activation="ReLU"),
    },
    "dropout": {
        "data": {"kind": "moons", "noise": 0.25, "points": 100, "test_share": 0.5},
        "layers": _layers(16, 16, 16, activation="ReLU", dropout=0.2),
        "l2": 0.03,
    },
    "regression": {
        "data": {"kind": "hills", "noise": 0.1},
        "loss": "MSELoss",
        "layers": _layers(12, 12, activation="Tanh"),
        "optimizer": _rate("Adam", 0.01),
        "schedule": {"kind": "CosineAnnealingLR", "numbers": {"T_max": 500}},
    },
}
# Complete settings as JSON, by name.
PRESETS = {name: from_json(given).to_json() for name, given in _GIVEN.items()}
