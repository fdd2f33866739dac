"""The operations of fastnn.optim.functional, one record each as in ops.py, which lists them all."""

from . import records as r
from . import scales as t
from .records import Op, arrays, numbers

_RATES = {"lr": 0.01, "weight_decay": 0.1}

# Options of updates: which states there are, and the hyperparameters. test_updates.py runs them for five steps.
UPDATES = (
    Op("sgd_step", "update", r.updates, (8, 8), ("sgd_step",), (
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"states": (1,), "lr": 0.1, "momentum": 0.9, "dampening": 0.5, "maximize": True},
        {"states": (1,), "momentum": 0.9, "compat": "keras", "weight_decay": 0.1},
        {"states": (1,), "momentum": 0.9, "nesterov": True, "compat": "sklearn", "weight_decay": 0.1},
        {"states": (1,), "momentum": 0.9, "nesterov": True, "dampening": 0.5, "compat": "onnx"},
        {"states": (1,), "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    )),
    Op("adagrad_step", "update", r.updates, (8, 8), ("adagrad_step",), (
        {"states": (1,)},
        {"states": (1,), "compat": "keras", **_RATES},
        {"states": (1,), "compat": "onnx", "maximize": True},
        {"states": (1,), "lr_decay": 0.1, **_RATES},
    )),
    Op("rmsprop_step", "update", r.updates, (100, 100), ("rmsprop_step",), (
        {"states": (1, 0, 0)},
        {"states": (1, 1, 0), "centered": True, **_RATES},
        {"states": (1, 0, 1), "momentum": 0.9, "alpha": 0.9, "maximize": True},
        {"states": (1, 1, 1), "centered": True, "momentum": 0.9, "eps": 1e-3, "compat": "keras", "weight_decay": 0.1},
        {"states": (1, 1, 1), "centered": True, "momentum": 0.9, "eps": 1e-3},
    )),
    Op("adadelta_step", "update", r.updates, (100, 100), ("adadelta_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "rho": 0.5, "eps": 1e-3, "maximize": True, **_RATES},
    )),
    Op("adam_step", "update", r.updates, (8, 8), ("adam_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "compat": "keras", **_RATES},
        {"states": (1, 1), "compat": "sklearn", "eps": 1e-3, "weight_decay": 0.1},
        {"states": (1, 1), "compat": "onnx", "maximize": True},
        {"states": (1, 1, 1), "betas": (0.5, 0.75), **_RATES},
    )),
    Op("adamw_step", "update", r.updates, (8, 8), ("adam_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "compat": "onnx", "weight_decay": 0.1},
        {"states": (1, 1, 1), "betas": (0.5, 0.75), "maximize": True, **_RATES},
    )),
    Op("nadam_step", "update", r.updates, (8, 8), ("nadam_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "momentum_decay": 0.5, **_RATES},
        {"states": (1, 1), "decoupled_weight_decay": True, "maximize": True, "betas": (0.5, 0.75), **_RATES},
    )),
    Op("radam_step", "update", r.updates, (8, 8), ("radam_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "betas": (0.5, 0.9), **_RATES},
        {"states": (1, 1), "decoupled_weight_decay": True, "maximize": True, **_RATES},
    )),
    Op("adamax_step", "update", r.updates, (8, 8), ("adamax_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "betas": (0.5, 0.75), "maximize": True, **_RATES},
    )),
    Op("lion_step", "update", r.updates, (8, 8), ("lion_step",), (
        {"states": (1,)},
        {"states": (1,), "betas": (0.5, 0.75), "maximize": True, **_RATES},
    )),
    Op("rprop_step", "update", r.updates, (8, 8), ("rprop_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "etas": (0.25, 3.0), "step_sizes": (0.005, 0.05), "maximize": True, **_RATES},
    )),
    Op("asgd_step", "update", r.updates, (8, 8), ("asgd_step",), (
        {"states": (1,)},
        {"states": (1,), "lambd": 0.5, "alpha": 0.5, "t0": 2.0, "maximize": True, **_RATES},
    )),
    Op("schedulefreeadamw_step", "update", r.updates, (8, 8), ("schedulefreeadamw_step",), (
        {"states": (1, 1)},
        {"states": (1, 1), "betas": (0.5, 0.75), "warmup_steps": 3, "r": 0.5, "maximize": True, **_RATES},
    )),
)  # fmt: skip

# Of whole matrices; test_matrix_rules.py runs them.
MATRIX_UPDATES = (
    Op("adafactor_step", "matrix update", r.factored_update, (16, 16),
       ("adafactor_step", "factored_step", "column_squares"), (
        {},
        {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "d": 2.0, "weight_decay": 0.1, "maximize": True},
    )),
    Op("muon_step", "matrix update", r.momentum_update, (64, 64), ("muon_step",), (
        {},
        {"lr": 0.1, "momentum": 0.5, "nesterov": False, "ns_steps": 3, "adjust_lr_fn": "match_rms_adamw"},
        {"ns_coefficients": (1.5, -0.5, 0.0), "weight_decay": 0.0, "maximize": True},
    )),
)  # fmt: skip

# In place, too, but for the norm. test_parameters.py runs them.
PARAMETERS = (
    Op("total_norm", "parameters", arrays(numbers), (1, 16), ("sum_of_squares",)),
    Op("adjust_grad_", "parameters", arrays(numbers, numbers), (3, 3), ("adjust_grad",), (
        {"scale": 0.3},
        {"clip_value": 0.5},
        {"scale": -2.5, "clip_value": 3.0, "l1": 0.01, "l2": 0.1},
    ), scale=t.adjusted_terms),
    Op("max_norm_", "parameters", arrays(numbers), (8, 8), ("max_norm",), ({"max_norm": 3.0}, {"max_norm": 100.0})),
    Op("lerp_", "parameters", arrays(numbers, numbers), (2, 2), ("lerp",), (
        {"weight": 0.001},
        {"weight": 0.7},
        {"weight": 1.0},
    ), scale=t.lerp_terms),
)  # fmt: skip
