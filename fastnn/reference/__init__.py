"""Every operation of fastnn in plain NumPy: the reference in tests of the compiled core, and a backend of its own.

The same names and signatures as `fastnn.functional` and `fastnn.optim.functional`, without `out=` and
without checks: arguments are ndarrays of matching shapes and one dtype, scalars are Python numbers. Everything is
computed in the dtype of the inputs, float32 or float64. The code aims at clarity, not speed. No function warns.
"""

from importlib import import_module

from .activations import *  # noqa: F403
from .binary_losses import *  # noqa: F403
from .class_losses import *  # noqa: F403
from .distribution_losses import *  # noqa: F403
from .dropout import *  # noqa: F403
from .elementary import *  # noqa: F403
from .embedding import *  # noqa: F403
from .gates import *  # noqa: F403
from .linear import *  # noqa: F403
from .losses import *  # noqa: F403
from .normalization import *  # noqa: F403
from .optimizers import *  # noqa: F403
from .parameters import *  # noqa: F403
from .parametric import *  # noqa: F403
from .random import *  # noqa: F403
from .shrinks import *  # noqa: F403
from .softmax import *  # noqa: F403

# The modules whose functions these are, and beside which a function of that name may stand.
MODULES = (
    "activations",
    "binary_losses",
    "class_losses",
    "distribution_losses",
    "dropout",
    "elementary",
    "embedding",
    "gates",
    "linear",
    "losses",
    "normalization",
    "optimizers",
    "parameters",
    "parametric",
    "random",
    "shrinks",
    "softmax",
)

__all__ = sorted(name for module in MODULES for name in import_module(f"{__name__}.{module}").__all__)
