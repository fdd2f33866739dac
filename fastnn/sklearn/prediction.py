"""Outputs of a fitted estimator: by a short way for plain arrays, by scikit-learn's checks for anything else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse

from .. import functional as F
from .. import nn
from .._validation import Array
from ..functional.sigmoids import sigmoid
from .building import coefficient_views
from .table import dense

SHORT = 4096  # numbers whose product with themselves is quicker than their sum


class Predictor:
    """The network of an estimator with the arrays that `coefs_` and `intercepts_` were when it was fitted.

    An array that the user has put in the place of one of them is copied into the network before each use.
    """

    def __init__(self, net: nn.Sequential) -> None:
        self.net = net
        self.coefs, self.intercepts = coefficient_views(net)
        self.dtype = net.parameters().data.dtype
        self.columns = self.coefs[0].shape[0]

    def fits(self, coefs: list[Array], intercepts: list[Array]) -> bool:
        """Whether such arrays go into the network."""
        return (
            [np.shape(c) for c in coefs] == [view.shape for view in self.coefs]
            and [np.shape(b) for b in intercepts] == [view.shape for view in self.intercepts]
            and (not len(coefs) or getattr(coefs[0], "dtype", self.dtype) == self.dtype)
        )

    def sync(self, coefs: list[Array], intercepts: list[Array]) -> None:
        """Copy arrays that are not the network's own into it."""
        for view, array in zip(self.coefs, coefs, strict=True):
            if view is not array:
                view[...] = array
        for view, array in zip(self.intercepts, intercepts, strict=True):
            if view is not array:
                view[...] = array

    def quick(self, x: Any, coefs: list[Array], intercepts: list[Array]) -> Array | None:
        """The outputs for a plain array of finite numbers; None for anything else, or other coefficients."""
        if type(x) is not np.ndarray or x.dtype != self.dtype or x.ndim != 2 or x.shape[1] != self.columns:
            return None
        for mine, given in ((self.coefs, coefs), (self.intercepts, intercepts)):
            if len(mine) != len(given):
                return None
            for view, array in zip(mine, given, strict=True):
                if view is not array:
                    return None
        if not x.flags.c_contiguous or not x.shape[0]:
            return None
        # A sum that is not finite says that a number may not be. A BLAS takes several threads for a long product.
        flat = x.ravel()
        if not math.isfinite(flat.dot(flat) if flat.size < SHORT else flat.sum()):
            return None
        return self.net.predict(x)

    def outputs(self, x: Any) -> Array:
        """The outputs for checked rows, dense or sparse."""
        return self.net.predict(x if sparse.issparse(x) else dense(x, self.dtype))


def probabilities(outputs: Array, activation: str) -> Array:
    """Outputs of the last layer after `out_activation_`."""
    if activation == "softmax":
        return F.softmax(outputs, axis=-1)
    if activation == "logistic":
        return sigmoid(outputs)
    if activation == "exp":
        return np.exp(outputs)
    return outputs
