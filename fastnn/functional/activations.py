"""Activation functions and their gradients, elementwise: `rectifiers`, `sigmoids`, `self_gated` units and `shrinks`.

The gradients of sigmoid and tanh take the output, as ATen's do; all others take the input. Infinities give the limit of
the function; at a kink the gradient is PyTorch's.
"""

from . import rectifiers, self_gated, shrinks, sigmoids
from .rectifiers import *  # noqa: F403
from .self_gated import *  # noqa: F403
from .shrinks import *  # noqa: F403
from .sigmoids import *  # noqa: F403

__all__ = sorted(rectifiers.__all__ + self_gated.__all__ + shrinks.__all__ + sigmoids.__all__)
