"""Operations on arrays: names and signatures as PyTorch's, with the gradient `<name>_backward` beside each.

Arrays in, arrays out, float32 or float64: the result has the dtype of the inputs, which must not be mixed. Nothing is
recorded; whoever wants gradients calls the `_backward` functions, or lets `fastnn.nn` do it.
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
from . import dropout as _dropout
from . import embedding as _embedding
from . import linear as _linear
from . import normalization as _normalization
from . import softmax as _softmax
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
from .parametric import *  # noqa: F403
from .softmax import *  # noqa: F403

# By name, for those that want value and gradient together.
LOSSES = losses.LOSSES | binary_losses.LOSSES | class_losses.LOSSES | distribution_losses.LOSSES

__all__ = sorted(
    activations.__all__
    + parametric.__all__
    + gates.__all__
    + elementary.__all__
    + _softmax.__all__
    + _linear.__all__
    + _normalization.__all__
    + _embedding.__all__
    + losses.__all__
    + binary_losses.__all__
    + class_losses.__all__
    + distribution_losses.__all__
    + _dropout.__all__
)
