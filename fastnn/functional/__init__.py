"""Operations on arrays, with PyTorch's names and signatures; `<name>_backward` is the gradient of `<name>`.

Arrays are float32 or float64 and must not be mixed: the result has the dtype of the inputs. Lists, integers and
booleans become float64, and a scalar gives a NumPy scalar, as in NumPy. Nothing is recorded for a later gradient: call
the `_backward` functions, or use the layers of `fastnn.nn`, which do.

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
    contrastive_losses,
    distances,
    distribution_losses,
    elementary,
    embedding_losses,
    gates,
    losses,
    multilabel_losses,
    parametric,
    relative_losses,
)
from . import batch_norm as _batch_norm
from . import bilinear as _bilinear
from . import derivative as _derivative
from . import dropout as _dropout
from . import embedding as _embedding
from . import embedding_bag as _embedding_bag
from . import entropy as _entropy
from . import group_norm as _group_norm
from . import linear as _linear
from . import normalization as _normalization
from . import rrelu as _rrelu
from . import softmax as _softmax
from . import sparse as _sparse
from . import target_gradients as _target_gradients
from .activations import *  # noqa: F403
from .batch_norm import *  # noqa: F403
from .bilinear import *  # noqa: F403
from .binary_losses import *  # noqa: F403
from .class_losses import *  # noqa: F403
from .contrastive_losses import *  # noqa: F403
from .derivative import *  # noqa: F403
from .distances import *  # noqa: F403
from .distribution_losses import *  # noqa: F403
from .dropout import *  # noqa: F403
from .elementary import *  # noqa: F403
from .embedding import *  # noqa: F403
from .embedding_bag import *  # noqa: F403
from .embedding_losses import *  # noqa: F403
from .entropy import *  # noqa: F403
from .gates import *  # noqa: F403
from .group_norm import *  # noqa: F403
from .linear import *  # noqa: F403
from .losses import *  # noqa: F403
from .multilabel_losses import *  # noqa: F403
from .normalization import *  # noqa: F403
from .parametric import *  # noqa: F403
from .relative_losses import *  # noqa: F403
from .rrelu import *  # noqa: F403
from .softmax import *  # noqa: F403
from .sparse import *  # noqa: F403
from .target_gradients import *  # noqa: F403

# By name, for callers that need value and gradient in one pass.
_LOSS_MODULES = (
    losses,
    relative_losses,
    binary_losses,
    class_losses,
    multilabel_losses,
    embedding_losses,
    contrastive_losses,
    distribution_losses,
)
LOSSES = {name: loss for module in _LOSS_MODULES for name, loss in module.LOSSES.items()}

__all__ = sorted(
    activations.__all__
    + parametric.__all__
    + gates.__all__
    + elementary.__all__
    + _softmax.__all__
    + _sparse.__all__
    + _entropy.__all__
    + _linear.__all__
    + _normalization.__all__
    + _batch_norm.__all__
    + _group_norm.__all__
    + _embedding.__all__
    + _embedding_bag.__all__
    + distances.__all__
    + _bilinear.__all__
    + _dropout.__all__
    + _rrelu.__all__
    + _derivative.__all__
    + _target_gradients.__all__
    + [name for module in _LOSS_MODULES for name in module.__all__]
)


def __dir__() -> list[str]:
    return sorted(__all__)
