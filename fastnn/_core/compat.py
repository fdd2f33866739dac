"""What optimizers of one name compute in other libraries: the modes of `compat=`, and the defaults that differ.

Sources: torch/optim (PyTorch 2.13); keras/src/optimizers (Keras 3); sklearn/neural_network (scikit-learn 1.7, whose
rates are those of MLPClassifier); the operators Adam, Adagrad and Momentum of ai.onnx.preview.training, which are given
the rate, so that PyTorch's stands in.
"""

from typing import Any

MODES = ("torch", "keras", "sklearn", "onnx")

_ADAM_EPS = {"torch": 1e-8, "keras": 1e-7, "sklearn": 1e-8, "onnx": 1e-6}

# By rule and mode; a rule knows the modes that stand here.
DEFAULTS: dict[str, dict[str, dict[str, float]]] = {
    "sgd_step": {"torch": {"lr": 1e-3}, "keras": {"lr": 1e-2}, "sklearn": {"lr": 1e-3}, "onnx": {"lr": 1e-3}},
    "adagrad_step": {
        "torch": {"lr": 1e-2, "eps": 1e-10, "initial_accumulator_value": 0.0},
        "keras": {"lr": 1e-3, "eps": 1e-7, "initial_accumulator_value": 0.1},
        "onnx": {"lr": 1e-2, "eps": 1e-6, "initial_accumulator_value": 0.0},
    },
    "rmsprop_step": {
        "torch": {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8},
        "keras": {"lr": 1e-3, "alpha": 0.9, "eps": 1e-7},
    },
    "adam_step": {mode: {"eps": eps} for mode, eps in _ADAM_EPS.items()},
    "adamw_step": {
        mode: {"eps": _ADAM_EPS[mode], "weight_decay": decay}
        for mode, decay in (("torch", 1e-2), ("keras", 4e-3), ("onnx", 0.0))
    },
}


def defaults_of(rule: str, compat: Any) -> dict[str, float]:
    """The defaults of a rule in a mode; ValueError if the rule does not know the mode."""
    modes = DEFAULTS[rule]
    if not isinstance(compat, str) or compat not in modes:
        raise ValueError(f"compat must be one of {', '.join(map(repr, modes))}, got {compat!r}")
    return modes[compat]


def resolved(rule: str, compat: Any, **values: Any) -> list[Any]:
    """The values, with the mode's default in the place of each None."""
    defaults = defaults_of(rule, compat)
    return [defaults[name] if value is None else value for name, value in values.items()]
