"""Makes onnx_optimizers.npz: updates by ONNX's operators in float64 that tests/test_compat.py follows.

    python tests/recorded/make_onnx_optimizers.py      (onnx 1.23, its reference implementation)

A key is the function of fastnn.optim.functional and its keywords, the operator and what its states start as; the
array, the parameters after each step with these gradients. Attributes are float32: most are numbers that it holds
exactly; the defaults of Adam are not, 1 - 0.999 is wrong by 1e-5.
"""

import json
from pathlib import Path

import numpy as np

DOMAIN = "ai.onnx.preview.training"
RATE = 0.05
_rng = np.random.default_rng(7)
START = _rng.normal(size=6)
GRADIENTS = _rng.normal(size=(6, 6)) * np.logspace(-2, 1, 6)
BUFFER = _rng.normal(size=6)  # what a state may hold before the first step
# function, its keywords, operator, attributes, and what its states start as
CASES = [
    ("adam_step", {}, "Adam", {}, (0.0, 0.0)),
    (
        "adam_step",
        {"betas": [0.75, 0.9375], "eps": 0.0625, "weight_decay": 0.125},
        "Adam",
        {"alpha": 0.75, "beta": 0.9375, "epsilon": 0.0625, "norm_coefficient": 0.125},
        (0.5, 0.25),
    ),
    (
        "adamw_step",
        {"betas": [0.875, 0.96875], "eps": 0.0625, "weight_decay": 0.125},
        "Adam",
        {"alpha": 0.875, "beta": 0.96875, "epsilon": 0.0625, "norm_coefficient_post": 0.125},
        (0.0, 0.0),
    ),
    ("adagrad_step", {}, "Adagrad", {}, (0.0,)),
    (
        "adagrad_step",
        {"lr_decay": 0.5, "eps": 0.0625, "weight_decay": 0.125},
        "Adagrad",
        {"decay_factor": 0.5, "epsilon": 0.0625, "norm_coefficient": 0.125},
        (0.25,),
    ),
    *(
        (
            "sgd_step",
            {"momentum": 0.875, "dampening": 0.25, "weight_decay": 0.125, "nesterov": nesterov},
            "Momentum",
            {"alpha": 0.875, "beta": 0.75, "norm_coefficient": 0.125, "mode": "nesterov" if nesterov else "standard"},
            (0.5,),
        )
        for nesterov in (False, True)
    ),
]


def updated(operator, attributes, states):
    """The parameters after each step; the states start as so many times BUFFER, the averages of squares positive."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    names = ["R", "T", "X", "G", *(f"S{i}" for i in range(len(states)))]
    outputs = ["X_new", *(f"{name}_new" for name in names[4:])]
    kinds = {"T": TensorProto.INT64}
    node = helper.make_node(operator, names, outputs, domain=DOMAIN, **attributes)
    graph = helper.make_graph(
        [node],
        operator,
        [helper.make_tensor_value_info(name, kinds.get(name, TensorProto.DOUBLE), None) for name in names],
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in outputs],
    )
    imports = [helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)]
    session = ReferenceEvaluator(helper.make_model(graph, opset_imports=imports))
    values, steps = [START, *first_states(operator, states)], []
    for t, grad in enumerate(GRADIENTS):
        fed = (np.float64(RATE), np.int64(t), values[0], grad, *values[1:])
        values = session.run(None, dict(zip(names, map(np.asarray, fed), strict=True)))
        steps.append(values[0])
    return np.stack(steps)


def first_states(operator, scales):
    """What the states of an operator start as."""
    squares = {"Adam": (1,), "Adagrad": (0,)}.get(operator, ())
    return [scale * (np.abs(BUFFER) if i in squares else BUFFER) for i, scale in enumerate(scales)]


def main():
    results = {"start": START, "gradients": GRADIENTS, "buffer": BUFFER}
    for function, keywords, operator, attributes, states in CASES:
        key = f"{function} {json.dumps({'lr': RATE, **keywords})} {json.dumps([operator, states])}"
        results[key] = updated(operator, attributes, states)
    np.savez_compressed(Path(__file__).with_name("onnx_optimizers.npz"), **results)


if __name__ == "__main__":
    main()
