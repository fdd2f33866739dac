"""Operations on arrays, with PyTorch's names and signatures; `<name>_backward` is the gradient of `<name>`.

Arrays are float32 or float64 and must not be mixed: the result has the dtype of the inputs. Nothing is recorded for a
later gradient: call the `_backward` functions, or use the layers of `fastnn.nn`, which do.

Examples
--------
>>> import numpy as np
>>> from fastnn import functional as F
>>> x, target = np.array([[1.0, -2.0]]), np.array([[0.5, 0.0]])
>>> y = F.relu(x)
>>> F.mse_loss(y, target)
np.float64(0.125)
>>> F.relu_backward(F.mse_loss_backward(1.0, y, target), x)
array([[0.5, 0. ]])
"""

from . import (
    activations,
    binary_losses,
    class_losses,
    distribution_losses,
    elementary,
    gates,
    losses,
    parametric,
)
from . import batch_norm as _batch_norm
from . import derivative as _derivative
from . import dropout as _dropout
from . import embedding as _embedding
from . import entropy as _entropy
from . import linear as _linear
from . import normalization as _normalization
from . import rrelu as _rrelu
from . import softmax as _softmax
from .activations import *  # noqa: F403
from .batch_norm import *  # noqa: F403
from .binary_losses import *  # noqa: F403
from .class_losses import *  # noqa: F403
from .derivative import *  # noqa: F403
from .distribution_losses import *  # noqa: F403
from .dropout import *  # noqa: F403
from .elementary import *  # noqa: F403
from .embedding import *  # noqa: F403
from .entropy import *  # noqa: F403
from .gates import *  # noqa: F403
from .linear import *  # noqa: F403
from .losses import *  # noqa: F403
from .normalization import *  # noqa: F403
from .parametric import *  # noqa: F403
from .rrelu import *  # noqa: F403
from .softmax import *  # noqa: F403

# By name, for callers that need value and gradient in one pass.
LOSSES = losses.LOSSES | binary_losses.LOSSES | class_losses.LOSSES | distribution_losses.LOSSES

__all__ = sorted(
    activations.__all__
    + parametric.__all__
    + gates.__all__
    + elementary.__all__
    + _softmax.__all__
    + _entropy.__all__
    + _linear.__all__
    + _normalization.__all__
    + _batch_norm.__all__
    + _embedding.__all__
    + losses.__all__
    + binary_losses.__all__
    + class_losses.__all__
    + distribution_losses.__all__
    + _dropout.__all__
    + _rrelu.__all__
    + _derivative.__all__
)


def __dir__() -> list[str]:
    return sorted(__all__)
