"""Updates of the optimizers as functions of arrays, in place, with PyTorch's arithmetic and defaults.

`param` and the states are updated, `grad` is only read; all are ndarrays of one dtype, and of one shape (but for
`adafactor_step`). States start as zeros.
`step` is the number of the update; the first is 1. Each update is one pass over the arrays; its result does not depend
on the number of threads. NaN and infinities of `grad` reach `param` without a warning.

`maximize` ascends instead of descending. `compat` names the library whose arithmetic and defaults are used: "torch"
(the default), "keras", "sklearn" or "onnx", each where it has the rule.

>>> import numpy as np
>>> from fastnn.optim import functional
>>> param, grad = np.array([1.0, 1.0]), np.array([0.5, -2.0])
>>> functional.sgd_step(param, grad, lr=0.5)
>>> param.tolist()
[0.75, 2.0]
"""

from ...functional.parameters import adjust_grad_, lerp_, max_norm_, total_norm
from .adam import adam_step, adamax_step, adamw_step, radam_step
from .adaptive import adadelta_step, adagrad_step, rmsprop_step
from .averaged import asgd_step, schedulefreeadamw_step
from .matrix_rules import adafactor_step, muon_step
from .nadam import nadam_step
from .sgd import sgd_step
from .sign import lion_step, rprop_step

__all__ = [
    "adadelta_step",
    "adafactor_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "adamw_step",
    "adjust_grad_",
    "asgd_step",
    "lerp_",
    "lion_step",
    "max_norm_",
    "muon_step",
    "nadam_step",
    "radam_step",
    "rmsprop_step",
    "rprop_step",
    "schedulefreeadamw_step",
    "sgd_step",
    "total_norm",
]


def __dir__() -> list[str]:
    return sorted(__all__)
