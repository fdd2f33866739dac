"""Losses of rows each of whose columns may be set, as of several labels or of masks, and their gradients."""

from typing import Any

from .. import _validation as check
from ._documentation import COLUMNS_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array
from ._losses import LossFunction, Params
from ._vector_losses import ColumnsLoss, LabelsLoss

__all__ = [
    "dice_loss",
    "dice_loss_backward",
    "multilabel_margin_loss",
    "multilabel_margin_loss_backward",
    "multilabel_soft_margin_loss",
    "multilabel_soft_margin_loss_backward",
]

_dice = ColumnsLoss("dice_loss", ("smooth", "eps"))
_margin = LabelsLoss("multilabel_margin_loss")
_soft_margin = ColumnsLoss("multilabel_soft_margin_loss", extra="weight")
LOSSES: dict[str, LossFunction] = {loss.name: loss for loss in (_dice, _margin, _soft_margin)}

# Of the docstrings below.
DICE = """smooth : float, at least 0, default 0.0
    Added to numerator and denominator: with 1, say, rows of zeros in both arrays have loss 0.
eps : float above 0, default 1e-7
    Added to the denominator.
axis : 1 or None, default 1
    1: a loss for each row, over all its elements. None: one loss over all elements of the arrays, of any shape, as
    Keras has it by default; the loss of batches is then not that of their rows.
"""
LABELS = """integers of shape (rows, n), the labels of each row
    They are ended by a negative number unless there are n. Or booleans, or numbers of input's shape and dtype: how
    often each class is a label."""
WEIGHT = """weight : array of shape (classes,), optional
    Multiplies the loss of each class; 0 or more and finite. The mean over the classes divides by their number all the
    same.
"""
MARGIN_NAN = "NaN in an entry of input gives NaN at least there, if it has a term."
ROW_NAN = "NaN or an infinity in a row of input or target gives a row of NaN."


@documented(COLUMNS_LOSS, shape="(rows, ...)", values="reduction, sample_weight, smooth, eps or axis", params=DICE)
def dice_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    smooth: float = 0.0,
    eps: float = 1e-7,
    axis: int | None = 1,
) -> Any:
    """Dice loss (Milletari et al. 2016): one minus the overlap of probabilities and a mask, large masks or small.

    loss = 1 - (2 * sum(input * target) + smooth) / (sum(input) + sum(target) + smooth + eps)

    It is Keras' Dice with axis=None, and with axis=1 that with all axes but the first.

    >>> F.dice_loss(np.array([[1.0, 0.5, 0.5], [0.0, 1.0, 0.0]]), np.array([[1, 1, 0], [1, 0, 0]]), "none").round(4)
    array([0.25, 1.  ])
    """
    params = dice_params(smooth, eps, axis)
    x, t, _ = _flat(input, target, axis)
    return _dice.forward(x, t, reduction, sample_weight, params)


@documented(LOSS_BACKWARD, gradient_nan=ROW_NAN)
def dice_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    smooth: float = 0.0,
    eps: float = 1e-7,
    axis: int | None = 1,
) -> Array:
    """Gradient of `dice_loss` with respect to input.

    grad_input = grad_output * (1 - loss - 2 * target) / (sum(input) + sum(target) + smooth + eps)

    >>> F.dice_loss_backward(1.0, np.array([[1.0, 0.5, 0.5]]), np.array([[1, 1, 0]])).round(4)
    array([[-0.3125, -0.3125,  0.1875]])
    """
    params = dice_params(smooth, eps, axis)
    x, t, shape = _flat(input, target, axis)
    grad = _dice.backward(grad_output, x, t, reduction, sample_weight, params)
    return grad if shape is None else grad.reshape(shape)


def dice_params(smooth: float, eps: float, axis: Any) -> Params:
    """The parameters of the kernel, after a check of all three."""
    if axis is not None and check.check_integer("axis", axis) != 1:
        raise ValueError(f"axis must be 1 or None, got {axis}")
    return check.check_number("smooth", smooth, at_least=0.0), check.check_number("eps", eps, above=0.0)


def _flat(input: Any, target: Any, axis: int | None) -> tuple[Any, Any, tuple[int, ...] | None]:
    """Input and target as matrices, and the shape of the input if that was another; matrices are left as they are."""
    if axis is not None and getattr(input, "ndim", 0) == 2:
        return input, target, None
    x = check.as_array("input", input)
    t = check.as_target("target", target, x.dtype)
    if axis is not None and x.ndim < 2:
        raise ValueError(f"input must have shape (rows, ...), got {x.shape}: axis=None takes any")
    check.check_same_shape(input=x, target=t)
    flat = (1, x.size) if axis is None else (len(x), x.size // max(len(x), 1))
    return x.reshape(flat), t.reshape(flat), x.shape


@documented(COLUMNS_LOSS, shape="(rows, classes)", targets=LABELS)
def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Margin loss of rows with several labels: the score of each label is to be 1 above those of all other classes.

    loss = sum over labels j and other classes i of max(0, 1 - input_j + input_i), over the number of classes

    >>> F.multilabel_margin_loss(np.array([[0.0, 0.5, 2.0, 1.5]]), np.array([[2, 3, -1, 0]]))
    np.float64(0.0)
    >>> F.multilabel_margin_loss(np.array([[0.0, 0.5, 2.0, 1.0]]), np.array([[2, 3, -1, 0]]))
    np.float64(0.125)
    """
    return _margin.forward(input, target, reduction, sample_weight)


@documented(LOSS_BACKWARD, gradient_nan=MARGIN_NAN)
def multilabel_margin_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `multilabel_margin_loss` with respect to input.

    Each term above 0 gives grad_output / classes to the other class and takes it from the label.

    >>> F.multilabel_margin_loss_backward(1.0, np.array([[0.0, 0.5, 2.0, 1.0]]), np.array([[2, 3, -1, 0]]))
    array([[ 0.  ,  0.25,  0.  , -0.25]])
    """
    return _margin.backward(grad_output, input, target, reduction, sample_weight)


@documented(COLUMNS_LOSS, shape="(rows, classes)", values="reduction, sample_weight or weight", params=WEIGHT)
def multilabel_soft_margin_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, weight: Any = None
) -> Any:
    """Binary cross-entropy of logits, the mean over the classes of each row.

    loss = mean over classes of weight * binary_cross_entropy_with_logits(input, target)

    Notes
    -----
    Targets must be between 0 and 1, which is not checked here (`nn.MultiLabelSoftMarginLoss` and the trainer do).

    >>> F.multilabel_soft_margin_loss(np.array([[0.0, 2.0]]), np.array([[1, 0]])).round(4)
    np.float64(1.41)
    """
    return _soft_margin.forward(input, target, reduction, sample_weight, (), weight)


@documented(LOSS_BACKWARD)
def multilabel_soft_margin_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    weight: Any = None,
) -> Array:
    """Gradient of `multilabel_soft_margin_loss` with respect to input.

    grad_input = grad_output * weight * (sigmoid(input) - target) / classes

    >>> F.multilabel_soft_margin_loss_backward(1.0, np.array([[0.0, 0.0]]), np.array([[1, 0]]))
    array([[-0.25,  0.25]])
    """
    return _soft_margin.backward(grad_output, input, target, reduction, sample_weight, (), weight)
