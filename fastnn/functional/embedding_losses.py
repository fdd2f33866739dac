"""Losses of what networks compute of two samples, which are alike or not, and their gradients with respect to both."""

from typing import Any

from .. import _validation as check
from ._documentation import ELEMENTWISE_LOSS, EMBEDDING_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array
from ._losses import ElementwiseLoss, LossFunction
from ._vector_losses import RankingLoss, VectorsFunction

__all__ = [
    "cosine_embedding_loss",
    "cosine_embedding_loss_backward",
    "hinge_embedding_loss",
    "hinge_embedding_loss_backward",
    "margin_ranking_loss",
    "margin_ranking_loss_backward",
]

_hinge = ElementwiseLoss("hinge_embedding_loss", names=("margin",))
_ranking = RankingLoss("margin_ranking_loss", ("margin",))
_cosine = VectorsFunction("cosine_embedding_loss", ("input1", "input2"), "target", ("margin",))
LOSSES: dict[str, LossFunction] = {loss.name: loss for loss in (_hinge, _ranking, _cosine)}

# Of the docstrings below.
FAR = "margin : float, default 1.0\n    Distance from which on inputs with target -1 have no loss.\n"
RANKING = "margin : float, default 0.0\n    Least difference in the right direction that costs nothing.\n"
COSINE = "margin : float in [-1, 1], default 0.0\n    Cosine up to which rows with target -1 have no loss.\n"
NUMBERS = """input1, input2 : ndarray of float32 or float64, any shape, one shape and dtype
target : array of that shape
    1 where input1 is to be larger, -1 where input2 is. Of the inputs' dtype, or integers, which are converted.
"""
VECTORS = """input1, input2 : ndarray of float32 or float64, shape (rows, features), one dtype
target : array of shape (rows,)
    1 for rows that are to be alike, -1 for others. Of the inputs' dtype, or integers, which are converted.
"""
BOTH = "grad_input1, grad_input2 : ndarrays, shape and dtype of the inputs"
ROW_NAN = "NaN or an infinity in a row of an input gives rows of NaN."


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or margin", params=FAR)
def hinge_embedding_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, margin: float = 1.0
) -> Any:
    """Hinge loss of distances: small ones where the target is 1, at least `margin` where it is -1.

    loss = input where target = 1, max(0, margin - input) where target = -1

    Notes
    -----
    Targets must be -1 or 1, which is not checked here (`nn.HingeEmbeddingLoss` and the trainer do).

    >>> F.hinge_embedding_loss(np.array([0.25, 0.25]), np.array([1, -1]), reduction="none")
    array([0.25, 0.75])
    """
    return _hinge.forward(input, target, reduction, sample_weight, (check.check_number("margin", margin),))


@documented(LOSS_BACKWARD)
def hinge_embedding_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 1.0,
) -> Array:
    """Gradient of `hinge_embedding_loss` with respect to input.

    grad_input = grad_output * (1 where target = 1, -1 where target = -1 and input <= margin, else 0)

    >>> F.hinge_embedding_loss_backward(1.0, np.array([0.25, 0.25]), np.array([1, -1]))
    array([ 0.5, -0.5])
    """
    params = (check.check_number("margin", margin),)
    return _hinge.backward(grad_output, input, target, reduction, sample_weight, params)


@documented(EMBEDDING_LOSS, before=NUMBERS, values="reduction, sample_weight or margin", params=RANKING,
            rows=" or, of a matrix, each row", each="the shape of the inputs")  # fmt: skip
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, margin: float = 0.0
) -> Any:
    """Ranking loss of two scores, of which the target says which one is to be larger.

    loss = max(0, margin - target * (input1 - input2))

    Notes
    -----
    Targets must be -1 or 1, which is not checked here (`nn.MarginRankingLoss` does).

    >>> F.margin_ranking_loss(np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.array([1, -1]), reduction="none")
    array([0. , 0.5])
    """
    return _ranking.forward(input1, target, reduction, sample_weight, (check.check_number("margin", margin),), input2)


@documented(LOSS_BACKWARD, gradients=BOTH)
def margin_ranking_loss_backward(
    grad_output: Any,
    input1: Any,
    input2: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 0.0,
) -> tuple[Array, Array]:
    """Gradients of `margin_ranking_loss` with respect to both inputs.

    grad_input1 = -grad_output * target,   grad_input2 = grad_output * target,   0 where the loss is clamped

    Equal inputs without a margin are not clamped, as in PyTorch.

    >>> F.margin_ranking_loss_backward(1.0, np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.array([1, -1]))
    (array([0. , 0.5]), array([ 0. , -0.5]))
    """
    params = (check.check_number("margin", margin),)
    gradients: Any = _ranking.backward(grad_output, input1, target, reduction, sample_weight, params, input2)
    return gradients


@documented(EMBEDDING_LOSS, before=VECTORS, values="reduction, sample_weight or margin", params=COSINE)
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, margin: float = 0.0
) -> Any:
    """Loss of the angle between two vectors, which is to be small where the target is 1, and large where it is -1.

    loss = 1 - cos(input1, input2) where target = 1, max(0, cos(input1, input2) - margin) where target = -1

    Notes
    -----
    As in PyTorch 1e-12 is added to the square of each norm. Large vectors do not overflow. Targets must be -1 or 1,
    which is not checked here (`nn.CosineEmbeddingLoss` does).

    >>> x = np.array([[3.0, 4.0], [3.0, 4.0]])
    >>> F.cosine_embedding_loss(x, x, np.array([1, -1]), reduction="none").round(4)
    array([0., 1.])
    """
    params = (check.check_number("margin", margin, at_least=-1.0, at_most=1.0),)
    return _cosine.forward(input1, input2, reduction, sample_weight, params, target)


@documented(LOSS_BACKWARD, gradients=BOTH, gradient_nan=ROW_NAN)
def cosine_embedding_loss_backward(
    grad_output: Any,
    input1: Any,
    input2: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 0.0,
) -> tuple[Array, Array]:
    """Gradients of `cosine_embedding_loss` with respect to both inputs.

    grad_input1 = grad_output * s * (input2 / |input2| - cos * input1 / |input1|) / |input1|, and the like for input2

    with s = -1 where target = 1; where target = -1 it is 1, or 0 if cos < margin.

    >>> x, y = np.array([[2.0, 0.0]]), np.array([[0.0, 2.0]])
    >>> grad_x, grad_y = F.cosine_embedding_loss_backward(1.0, x, y, np.array([1]))
    >>> grad_x.min().round(4), grad_y.min().round(4)
    (np.float64(-0.5), np.float64(-0.5))
    """
    params = (check.check_number("margin", margin, at_least=-1.0, at_most=1.0),)
    gradients: Any = _cosine.backward(grad_output, input1, input2, reduction, sample_weight, params, target)
    return gradients
