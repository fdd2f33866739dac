"""Optimizer updates, in place, in the order of arithmetic of PyTorch's torch/optim/*.py (_single_tensor_*).

All arrays are ndarrays of one shape and dtype; `grad` is only read, the others are updated. Scalars are Python floats,
combined in double precision before they are multiplied with an array. A state starts as zeros. `step` counts from 1.
NaN and infinities of the gradient reach the parameters; no function warns.

In the formulas g is the gradient, with its sign flipped by `maximize`, plus weight_decay * param. `compat` names the
library whose arithmetic and defaults are used (see fastnn/_core/compat.py); keras decays the parameters instead:
param *= 1 - lr * weight_decay.
"""

from . import adam, adaptive, averaged, matrix_rules, sgd, sign
from .adam import *  # noqa: F403
from .adaptive import *  # noqa: F403
from .averaged import *  # noqa: F403
from .matrix_rules import *  # noqa: F403
from .sgd import *  # noqa: F403
from .sign import *  # noqa: F403

__all__ = sorted(adam.__all__ + adaptive.__all__ + averaged.__all__ + matrix_rules.__all__ + sgd.__all__ + sign.__all__)
