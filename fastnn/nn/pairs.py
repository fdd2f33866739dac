"""Layers of two inputs, which are called with two arrays: cosine similarity, distance, bilinear map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _validation as check
from .. import functional as F
from ..functional._symbolic import Symbolic, symbolic
from .linear import Affine
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder

Array = check.Array


class Pairing(Module):
    """Base of the layers that are called with two arrays, alone or in the `forward` of a layer of your own."""

    _inputs: tuple[Array, Array] | None = None  # of the last call in training mode

    def _symbol(self, symbol: Symbolic, x1: Any, x2: Any) -> Any:
        """What the layer makes of two matrices of a `forward` that is traced."""
        return symbol.apply(type(self).__name__, x1, x2)  # an error: it has no compiled form

    def _values(self, x1: Array, x2: Array) -> Array:
        raise NotImplementedError

    def _gradients(self, grad_output: Any, x1: Array, x2: Array) -> tuple[Array, Array]:
        raise NotImplementedError

    def __call__(self, x1: Any, x2: Any) -> Array:  # type: ignore[override]
        """Return the layer's output for two arrays."""
        if (symbol := symbolic(x1, x2)) is not None:
            traced: Array = self._symbol(symbol, x1, x2)
            return traced
        x1, x2 = check.as_array("x1", x1), check.as_array("x2", x2)
        y = self._values(x1, x2)
        self._inputs = (x1.copy(), x2.copy()) if self.training else None
        return y

    def backward(self, grad_output: Any) -> tuple[Array, Array]:  # type: ignore[override]
        """Return the gradients of both inputs of the last call in training mode; add those of the parameters.

        Raises
        ------
        RuntimeError
            If there was no call in training mode before, or backward was called for it already.
        TypeError, ValueError
            If grad_output has another dtype or shape than that call's output.
        """
        if self._inputs is None:
            raise RuntimeError("backward needs a call of the layer in training mode before it")
        gradients = self._gradients(grad_output, *self._inputs)
        self._inputs = None
        return gradients

    def plan(self, builder: Builder, label: str, position: int) -> None:
        raise ValueError(
            f"{label}: this layer takes two inputs, and a network gives its layers one: call it with two arrays, or "
            "in the forward of a module"
        )


class CosineSimilarity(Pairing):
    """Cosine of the angle between vectors; `functional.cosine_similarity` has the details.

    y = x1 . x2 / (max(|x1|, eps) max(|x2|, eps))

    It is called with two arrays, and `backward` returns the gradients of both.

    Parameters
    ----------
    dim : int, default 1
        The axis of the features.
    eps : float, at least 0, default 1e-8
        The least norm.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, as `functional.cosine_similarity`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.CosineSimilarity()(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]]))
    array([0.96])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = check.check_integer("dim", dim), check.check_number("eps", eps, at_least=0.0)

    def _values(self, x1: Array, x2: Array) -> Array:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)

    def _gradients(self, grad_output: Any, x1: Array, x2: Array) -> tuple[Array, Array]:
        return F.cosine_similarity_backward(grad_output, x1, x2, self.dim, self.eps)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, eps={self.eps:g}"


class PairwiseDistance(Pairing):
    """Distance between vectors, along the last axis; `functional.pairwise_distance` has the details.

    y = |x1 - x2 + eps|_p

    It is called with two arrays, and `backward` returns the gradients of both.

    Parameters
    ----------
    p : float, at least 0, default 2.0
        Of the norm.
    eps : float, default 1e-6
        Added to each difference.
    keepdim : bool, default False
        Whether the result keeps the last axis, with length 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, as `functional.pairwise_distance`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.PairwiseDistance(eps=0.0)(np.array([[3.0, 0.0]]), np.array([[0.0, 4.0]]))
    array([5.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p, self.eps = check.check_number("p", p, at_least=0.0), check.check_number("eps", eps)
        self.keepdim = check.check_bool("keepdim", keepdim)

    def _values(self, x1: Array, x2: Array) -> Array:
        return F.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)

    def _gradients(self, grad_output: Any, x1: Array, x2: Array) -> tuple[Array, Array]:
        return F.pairwise_distance_backward(grad_output, x1, x2, self.p, self.eps, self.keepdim)

    def extra_repr(self) -> str:
        return f"p={self.p:g}, eps={self.eps:g}" + (", keepdim=True" if self.keepdim else "")


class Bilinear(Pairing, Affine):
    """Bilinear map of two inputs; `functional.bilinear` has the details.

    y_k = sum_ij x1_i weight_kij x2_j + bias_k

    It is called with two arrays of shapes (..., in1_features) and (..., in2_features); `backward` returns the gradients
    of both, and adds those of the parameters. In the `forward` of a module it is called with two matrices, and
    compiled.

    Parameters
    ----------
    in1_features, in2_features, out_features : int, at least 1
    bias : bool, default True
        Whether there is a bias.
    weight_init, bias_init : str, nn.init.Initializer, function, number or array, optional
        Initial values, by default uniform within 1 / sqrt(in1_features), as PyTorch's; see `nn.init`.
    seed : int in [0, 2^64), optional
        Seed of the initial values.
    dtype : {"float32", "float64"}, default "float32"

    Attributes
    ----------
    weight : ndarray, shape (out_features, in1_features, in2_features)
        A writable view.
    bias : ndarray, shape (out_features,), or None

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, as `functional.bilinear`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.Bilinear(2, 1, 1, weight_init=[[[1.0], [0.5]]], bias_init=0.0)
    >>> layer(np.array([[1.0, 2.0]], "float32"), np.array([[3.0]], "float32"))
    array([[6.]], dtype=float32)
    """

    fixed = ("in1_features", "in2_features", "out_features")

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        weight_init: Any = None,
        bias_init: Any = None,
        seed: int | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self.in1_features = check.check_integer("in1_features", in1_features, at_least=1)
        self.in2_features = check.check_integer("in2_features", in2_features, at_least=1)
        self.out_features = check.check_integer("out_features", out_features, at_least=1)
        self.seed = None if seed is None else check.check_seed(seed)
        self.dtype = check.check_dtype(dtype)
        self.weight_init, self.bias_init = weight_init, bias_init
        shape = self.out_features, self.in1_features, self.in2_features
        self._add_affine(self.in1_features, shape, (self.out_features,), bias)

    def _values(self, x1: Array, x2: Array) -> Array:
        return F.bilinear(x1, x2, self["weight"], self.array("bias"))

    def _symbol(self, symbol: Symbolic, x1: Any, x2: Any) -> Any:
        bias = self["bias"] if "bias" in self.parameter_shapes() else None
        return symbol.apply("bilinear", x1, x2, self["weight"], bias)

    def _gradients(self, grad_output: Any, x1: Array, x2: Array) -> tuple[Array, Array]:
        grad_x1, grad_x2, grad_weight, grad_bias = F.bilinear_backward(grad_output, x1, x2, self["weight"])
        for name, gradient in (("weight", grad_weight), ("bias", grad_bias)):
            array = self.gradient(name) if name in self.trained_names() else None
            if array is not None:
                array += gradient
        return grad_x1, grad_x2

    def extra_repr(self) -> str:
        bias = "" if "bias" in self.parameter_shapes() else ", bias=False"
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}"
        return f"{sizes}, out_features={self.out_features}{bias}"
