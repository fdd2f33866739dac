"""Makes keras_optimizers.npz: updates by Keras in float64 that tests/test_compat.py follows.

    JAX_ENABLE_X64=1 KERAS_BACKEND=jax python tests/recorded/make_keras_optimizers.py      (Keras 3.15)

A key is the function of fastnn.optim.functional and its keywords; the array, the parameters after each step with
the gradients of make_onnx_optimizers.py.
"""

import json
from pathlib import Path

import keras
import numpy as np
from make_onnx_optimizers import GRADIENTS, START

NAMES = {"lr": "learning_rate", "eps": "epsilon", "alpha": "rho"}
CASES = [
    ("adam_step", {}),
    ("adam_step", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 0.01, "weight_decay": 0.1}),
    ("adam_step", {"lr": 0.05, "amsgrad": True}),
    ("adamw_step", {}),
    ("adagrad_step", {}),
    ("adagrad_step", {"lr": 0.1, "eps": 0.01, "weight_decay": 0.1}),
    ("rmsprop_step", {}),
    ("rmsprop_step", {"lr": 0.05, "alpha": 0.8, "eps": 0.01, "momentum": 0.9, "weight_decay": 0.1}),
    ("rmsprop_step", {"lr": 0.05, "centered": True}),
    ("rmsprop_step", {"lr": 0.05, "centered": True, "momentum": 0.5, "eps": 0.01}),
    ("sgd_step", {}),
    ("sgd_step", {"lr": 0.05, "weight_decay": 0.1}),
    ("sgd_step", {"lr": 0.05, "momentum": 0.9}),
    ("sgd_step", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
]
CLASSES = {
    "adam_step": "Adam",
    "adamw_step": "AdamW",
    "adagrad_step": "Adagrad",
    "rmsprop_step": "RMSprop",
    "sgd_step": "SGD",
}


def updated(function, keywords):
    """The parameters after each step."""
    settings = {NAMES.get(name, name): value for name, value in keywords.items() if name != "betas"}
    if "betas" in keywords:
        settings["beta_1"], settings["beta_2"] = keywords["betas"]
    optimizer = getattr(keras.optimizers, CLASSES[function])(**settings)
    variable = keras.Variable(START, dtype="float64")
    steps = []
    for grad in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(grad)], [variable])
        steps.append(keras.ops.convert_to_numpy(variable).copy())
    return np.stack(steps)


def main():
    keras.config.set_floatx("float64")
    results = {f"{function} {json.dumps(keywords)}": updated(function, keywords) for function, keywords in CASES}
    np.savez_compressed(Path(__file__).with_name("keras_optimizers.npz"), **results)


if __name__ == "__main__":
    main()
