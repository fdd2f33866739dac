"""Optimizer updates as functions of arrays, in place, with PyTorch's arithmetic and defaults.

`param` and the states are updated, `grad` is only read; all are ndarrays of one shape and dtype. States start as zeros.
`step` counts from 1. Each update is one pass over the arrays; its result does not depend on the number of threads.

`maximize` climbs instead of descending. `compat` is "torch" by default; "keras", "sklearn" and "onnx" select the
arithmetic and the defaults of those libraries, each where it has the rule.
"""

from ...functional.parameters import adjust_grad_, lerp_, max_norm_, total_norm
from .adam import adam_step, adamax_step, adamw_step, nadam_step, radam_step
from .adaptive import adadelta_step, adagrad_step, rmsprop_step
from .sgd import sgd_step
from .sign import lion_step, rprop_step

__all__ = [
    "adadelta_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "adamw_step",
    "adjust_grad_",
    "lerp_",
    "lion_step",
    "max_norm_",
    "nadam_step",
    "radam_step",
    "rmsprop_step",
    "rprop_step",
    "sgd_step",
    "total_norm",
]
