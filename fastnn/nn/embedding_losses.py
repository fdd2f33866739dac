"""Losses of what networks compute of several samples, as objects; `functional` has functions of the same names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import USE, shorten
from ..functional import contrastive_losses as contrastive
from ..functional._targets import check_targets
from .loss import Loss

Gradients = tuple[check.Array, ...]


class HingeEmbeddingLoss(Loss):
    """Hinge loss of distances: small ones where the target is 1, at least `margin` where it is -1.

    loss = input where target = 1, max(0, margin - input) where target = -1

    Input and target have one shape and dtype; `functional.hinge_embedding_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    margin : float, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is neither -1 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.HingeEmbeddingLoss()(np.array([0.25, 0.25]), np.array([1.0, -1.0]))
    >>> float(value), grad.tolist()
    (0.5, [0.5, -0.5])
    """

    name = kernel = "hinge_embedding_loss"

    def __init__(self, reduction: str = "mean", margin: float = 1.0) -> None:
        super().__init__(reduction, margin=check.check_number("margin", margin))


class SeveralInputsLoss(Loss):
    """Base of the losses of several inputs, which are called with arrays and return a gradient for each input.

    A network in a trainer has one output: hand the gradients to `backward` of your networks in a loop of your own.
    """

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, Any]:
        name = type(self).__name__
        raise TypeError(
            f"{name} compares several outputs, a Trainer has one: call the loss with arrays, and hand the gradients "
            "that it returns to net.backward"
        )


class MarginRankingLoss(SeveralInputsLoss):
    """Ranking loss of two scores, of which the target says which one is to be larger.

    loss = max(0, margin - target * (input1 - input2))

    It is called as loss(input1, input2, target), arrays of one shape, and returns the value and the gradients of both
    inputs; not in a trainer. `functional.margin_ranking_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    margin : float, default 0.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is neither -1 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grads = nn.MarginRankingLoss()(np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.array([1, -1]))
    >>> float(value), [g.tolist() for g in grads]
    (0.25, [[0.0, 0.5], [0.0, -0.5]])
    """

    name = kernel = "margin_ranking_loss"

    def __init__(self, reduction: str = "mean", margin: float = 0.0) -> None:
        super().__init__(reduction, margin=check.check_number("margin", margin))

    def __call__(  # type: ignore[override]
        self, input1: Any, input2: Any, target: Any, sample_weight: Any = None
    ) -> tuple[Any, Gradients]:
        """Return the loss and its gradients with respect to both inputs; for "none" those of the sum."""
        try:
            both: Any = self.formula.both(input1, target, self.reduction, sample_weight, self.numbers, input2)
        except USE as error:
            shorten(error)
            raise
        return both


class CosineEmbeddingLoss(SeveralInputsLoss):
    """Loss of the angle between two vectors, which is to be small where the target is 1, and large where it is -1.

    loss = 1 - cos(input1, input2) where target = 1, max(0, cos(input1, input2) - margin) where target = -1

    It is called as loss(input1, input2, target), inputs of shape (rows, features) and a target for each row, and
    returns the value and the gradients of both inputs; not in a trainer. `functional.cosine_embedding_loss` has the
    details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    margin : float in [-1, 1], default 0.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is neither -1 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grads = nn.CosineEmbeddingLoss()(np.array([[2.0, 0.0]]), np.array([[0.0, 2.0]]), np.array([1]))
    >>> float(value), [float(g.min().round(4)) for g in grads]
    (1.0, [-0.5, -0.5])
    """

    name = kernel = "cosine_embedding_loss"

    def __init__(self, reduction: str = "mean", margin: float = 0.0) -> None:
        super().__init__(reduction, margin=check.check_number("margin", margin, at_least=-1.0, at_most=1.0))

    def __call__(  # type: ignore[override]
        self, input1: Any, input2: Any, target: Any, sample_weight: Any = None
    ) -> tuple[Any, Gradients]:
        """Return the loss and its gradients with respect to both inputs; for "none" those of the sum."""
        try:
            signs = check.as_target("target", target, getattr(input1, "dtype", float))
            check_targets("target", signs, HingeEmbeddingLoss.kernel)
            both: Any = self.formula.both(input1, input2, self.reduction, sample_weight, self.numbers, signs)
        except USE as error:
            shorten(error)
            raise
        return both


class TripletMarginLoss(SeveralInputsLoss):
    """Triplet loss: the anchor is to be nearer to the positive than to the negative (Balntas et al. 2016).

    loss = max(0, margin + d(anchor, positive) - d(anchor, negative)),   d(x, y) = |x - y + eps|_p

    It is called as loss(anchor, positive, negative), arrays of shape (rows, features), and returns the value and the
    gradients of all three; not in a trainer. `functional.triplet_margin_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    margin : float above 0, default 1.0
    p : float, at least 1, default 2.0
        Power of the norm.
    eps : float, at least 0, default 1e-6
        Added to each difference.
    swap : bool, default False
        Whether the distance of positive and negative counts where it is the smaller one.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> loss, a = nn.TripletMarginLoss(eps=0.0), np.zeros((1, 2))
    >>> value, grads = loss(a, a + [[0.0, 1.0]], a + [[1.5, 0.0]])
    >>> float(value), [g.tolist() for g in grads]
    (0.5, [[[1.0, -1.0]], [[0.0, 1.0]], [[-1.0, 0.0]]])
    """

    name = kernel = "triplet_margin_loss"

    def __init__(
        self, reduction: str = "mean", margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False
    ) -> None:
        contrastive.triplet_params(margin, p, eps, swap)
        super().__init__(reduction, margin=float(margin), p=float(p), eps=float(eps), swap=bool(swap))

    def __call__(  # type: ignore[override]
        self, anchor: Any, positive: Any, negative: Any, sample_weight: Any = None
    ) -> tuple[Any, Gradients]:
        """Return the loss and its gradients with respect to all three inputs; for "none" those of the sum."""
        try:
            params: Any = contrastive.triplet_params(**self.params)  # type: ignore[arg-type]
            both: Any = self.formula.both(anchor, positive, self.reduction, sample_weight, params, negative)
        except USE as error:
            shorten(error)
            raise
        return both


class TripletMarginWithDistanceLoss(SeveralInputsLoss):
    """Triplet loss by a distance of your own.

    loss = max(0, margin + d(anchor, positive) - d(anchor, negative))

    It is called as loss(anchor, positive, negative), arrays of shape (rows, features), and returns the value and the
    gradients of all three; not in a trainer. `functional.triplet_margin_with_distance_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    distance_function : callable, optional
        distance_function(x, y) returns the distances of the rows, and their gradients with respect to x and to y. By
        default the Euclidean distance.
    margin : float above 0, default 1.0
    swap : bool, default False
        Whether the distance of positive and negative counts where it is the smaller one.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, or distance_function does not return what it should.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> def squares(x, y):
    ...     return ((x - y) ** 2).sum(axis=1), 2 * (x - y), 2 * (y - x)
    >>> loss, a = nn.TripletMarginWithDistanceLoss(distance_function=squares), np.zeros((1, 1))
    >>> value, grads = loss(a, a + 1.0, a + 0.5)
    >>> float(value), [g.tolist() for g in grads]
    (1.75, [[[-1.0]], [[2.0]], [[-1.0]]])
    """

    name = kernel = "triplet_margin_with_distance_loss"

    def __init__(
        self,
        reduction: str = "mean",
        distance_function: Callable[..., Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
    ) -> None:
        contrastive.triplet_params(margin, 2.0, 0.0, swap)
        super().__init__(reduction, margin=float(margin), swap=bool(swap))
        self.distance_function = distance_function

    def __call__(  # type: ignore[override]
        self, anchor: Any, positive: Any, negative: Any, sample_weight: Any = None
    ) -> tuple[Any, Gradients]:
        """Return the loss and its gradients with respect to all three inputs; for "none" those of the sum."""
        margin, swap = self.params["margin"], bool(self.params["swap"])
        arguments = (anchor, positive, negative, self.reduction, sample_weight, self.distance_function, margin, swap)
        value = contrastive.triplet_margin_with_distance_loss(*arguments)
        return value, contrastive.triplet_margin_with_distance_loss_backward(np.ones_like(value), *arguments)


class InfoNCELoss(SeveralInputsLoss):
    """InfoNCE (van den Oord et al. 2018): each query is to find its positive among all of the batch.

    loss_i = -log(exp(c_ii / temperature) / sum_j exp(c_ij / temperature)),   c_ij = cos(query_i, positive_j)

    It is called as loss(query, positive), arrays of shape (rows, features), and returns the value and the gradients of
    both; not in a trainer. `functional.info_nce_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    temperature : float above 0, default 0.1
    symmetric : bool, default False
        Whether to take the mean with the loss of exchanged arguments, as CLIP does.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grads = nn.InfoNCELoss(temperature=1.0)(np.eye(2), np.eye(2))
    >>> round(float(value), 4), grads[0].round(4)[0, 1]
    (0.3133, np.float64(0.1345))
    """

    name = kernel = "info_nce_loss"

    def __init__(self, reduction: str = "mean", temperature: float = 0.1, symmetric: bool = False) -> None:
        temperature = check.check_temperature(temperature, "float32")
        super().__init__(reduction, temperature=temperature, symmetric=check.check_bool("symmetric", symmetric))

    def __call__(  # type: ignore[override]
        self, query: Any, positive: Any, sample_weight: Any = None
    ) -> tuple[Any, Gradients]:
        """Return the loss and its gradients with respect to both inputs; for "none" those of the sum."""
        temperature, symmetric = self.params["temperature"], bool(self.params["symmetric"])
        arguments = (query, positive, self.reduction, sample_weight, temperature, symmetric)
        value = contrastive.info_nce_loss(*arguments)
        return value, contrastive.info_nce_loss_backward(np.ones_like(value), *arguments)
