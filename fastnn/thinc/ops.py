"""The operations of thinc, by kernels of fastnn where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from thinc.backends import NumpyOps, Ops

from .. import functional
from ..optim import functional as optim

Array = np.ndarray
F: Any = functional  # its functions are in part made by tables, which type checkers do not read
FLOATS = ("float32", "float64")
# A step at which Adam's corrections of its moments are 1: thinc's callers correct the learning rate instead.
LATE = 10**9


def plain(*arrays: Any) -> bool:
    """Whether all are float arrays of one dtype with values in them; what else there is, NumpyOps computes."""
    first = arrays[0]
    return first.dtype.name in FLOATS and all(
        type(a) is np.ndarray and a.size and a.dtype == first.dtype for a in arrays
    )


def place(x: Array, inplace: bool) -> dict[str, Array]:
    """The keyword for a result in the place of x, where that is possible: `out=x`."""
    return {"out": x} if inplace and x.flags.c_contiguous and x.flags.writeable else {}


class FastnnOps(NumpyOps):  # type: ignore[misc]
    """thinc's operations on a CPU, those that fastnn has by its kernels, the others as NumpyOps computes them.

    Of fastnn are gemm, affine, relu, relu_k, sigmoid, gelu, gelu_approx, swish, mish, hard_tanh and
    hard_swish_mobilenet with their backprop, softmax and its backprop, get_dropout_mask, adam. maxout is NumpyOps':
    thinc wants the index of the largest piece too, which fastnn's kernel does not return. To get it from the gradient
    of F.maxout was 3 to 11 times as slow as NumpyOps (2, 3 and 8 pieces); F.maxout alone is not faster than it either.

    Parameters
    ----------
    device_type : {"cpu"}
    device_id : int, default -1
    **kwargs
        Those of NumpyOps; `use_blis` has no meaning.

    Notes
    -----
    Results are those of NumpyOps but for rounding; sigmoid does not clip its input to 20. Arrays may be of float32 or
    float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.thinc import FastnnOps
    >>> ops = FastnnOps()
    >>> ops.relu(np.array([[-1.0, 2.0]], "float32")).tolist()
    [[0.0, 2.0]]
    >>> ops.affine(np.ones((1, 2), "float32"), np.ones((3, 2), "float32"), np.zeros(3, "float32")).tolist()
    [[2.0, 2.0, 2.0]]
    """

    name = "fastnn"

    # -- products ------------------------------------------------------------------------------------------------------

    def gemm(self, x: Array, y: Array, *, out: Any = None, trans1: bool = False, trans2: bool = False) -> Array:
        """The product of two matrices, each transposed or not."""
        a, b = (x.T if trans1 else x), (y.T if trans2 else y)
        if x.ndim != 2 or y.ndim != 2 or not plain(x, y) or a.shape[1] != b.shape[0]:
            return super().gemm(x, y, out=out, trans1=trans1, trans2=trans2)
        result = F.linear(a, b, **({} if out is None else place(out, True)))
        if out is not None and result is not out:
            out[...] = result
        return result if out is None else out

    def affine(self, X: Array, W: Array, b: Array) -> Array:
        """X W^T + b"""
        return F.linear(X, W.T, b) if X.ndim == 2 and plain(X, W, b) else super().affine(X, W, b)

    # -- activations ---------------------------------------------------------------------------------------------------

    def _map(
        self, name: str, function: Callable[..., Array], x: Array, inplace: bool, *numbers: Any, **more: Any
    ) -> Array:
        """An elementwise function of x, or what NumpyOps has under this name."""
        if plain(x):
            return function(x, *numbers, **place(x, inplace))
        return getattr(super(), name)(x, inplace=inplace, **more)

    def _back(
        self, name: str, function: Callable[..., Array], dY: Array, x: Array, inplace: bool, *numbers: Any, **more: Any
    ) -> Array:
        """The gradient of an elementwise function, in the place of dY or not."""
        if plain(dY, x) and dY.shape == x.shape:
            return function(dY, x, *numbers, **place(dY, inplace))
        return getattr(super(), name)(dY, x, inplace=inplace, **more)

    def relu(self, X: Array, inplace: bool = False) -> Array:
        """max(X, 0)"""
        return self._map("relu", F.relu, X, inplace)

    def backprop_relu(self, dY: Array, Y: Array, inplace: bool = False) -> Array:
        """The gradient of relu, from its output."""
        return self._back("backprop_relu", F.relu_backward, dY, Y, inplace)

    def relu_k(self, X: Array, n: float = 6.0, inplace: bool = False) -> Array:
        """X within 0 and n."""
        return self._map("relu_k", F.hardtanh, X, inplace, 0.0, n, n=n)

    def backprop_relu_k(self, dY: Array, X: Array, n: float = 6.0, inplace: bool = False) -> Array:
        """The gradient of relu_k, from its input."""
        return self._back("backprop_relu_k", F.hardtanh_backward, dY, X, inplace, 0.0, n, n=n)

    def hard_tanh(self, X: Array, inplace: bool = False) -> Array:
        """X within -1 and 1."""
        return self._map("hard_tanh", F.hardtanh, X, inplace)

    def backprop_hard_tanh(self, dY: Array, X: Array, inplace: bool = False) -> Array:
        """The gradient of hard_tanh, from its input."""
        return self._back("backprop_hard_tanh", F.hardtanh_backward, dY, X, inplace)

    def sigmoid(self, X: Array, *, inplace: bool = False) -> Array:
        """1 / (1 + exp(-X))"""
        return self._map("sigmoid", F.sigmoid, X, inplace)

    def backprop_sigmoid(self, dY: Array, Y: Array, *, inplace: bool = False) -> Array:
        """The gradient of sigmoid, from its output; in place it is written to Y, as NumpyOps does."""
        if plain(dY, Y) and dY.shape == Y.shape:
            return F.sigmoid_backward(dY, Y, **place(Y, inplace))
        return super().backprop_sigmoid(dY, Y, inplace=inplace)

    def gelu(self, X: Array, inplace: bool = False) -> Array:
        """X times the normal distribution function of X."""
        return self._map("gelu", F.gelu, X, inplace)

    def backprop_gelu(self, dY: Array, X: Array, inplace: bool = False) -> Array:
        """The gradient of gelu, from its input."""
        return self._back("backprop_gelu", F.gelu_backward, dY, X, inplace)

    def gelu_approx(self, X: Array, inplace: bool = False) -> Array:
        """gelu by its approximation with tanh."""
        return self._map("gelu_approx", F.gelu, X, inplace, "tanh")

    def backprop_gelu_approx(self, dY: Array, X: Array, inplace: bool = False) -> Array:
        """The gradient of gelu_approx, from its input."""
        return self._back("backprop_gelu_approx", F.gelu_backward, dY, X, inplace, "tanh")

    def swish(self, X: Array, inplace: bool = False) -> Array:
        """X sigmoid(X)"""
        return self._map("swish", F.silu, X, inplace)

    def backprop_swish(self, dY: Array, X: Array, Y: Array, inplace: bool = False) -> Array:
        """The gradient of swish, from its input."""
        if plain(dY, X) and dY.shape == X.shape == Y.shape:
            return F.silu_backward(dY, X, **place(dY, inplace))
        return super().backprop_swish(dY, X, Y, inplace=inplace)

    def mish(self, X: Array, threshold: float = 20.0, inplace: bool = False) -> Array:
        """X tanh(softplus(X)); the threshold, above which X is returned, has no meaning: it is exact everywhere."""
        return self._map("mish", F.mish, X, inplace)

    def backprop_mish(self, dY: Array, X: Array, threshold: float = 20.0, inplace: bool = False) -> Array:
        """The gradient of mish, from its input."""
        return self._back("backprop_mish", F.mish_backward, dY, X, inplace)

    def hard_swish_mobilenet(self, X: Array, inplace: bool = False) -> Array:
        """X relu6(X + 3) / 6"""
        return self._map("hard_swish_mobilenet", F.hardswish, X, inplace)

    def backprop_hard_swish_mobilenet(self, dY: Array, X: Array, inplace: bool = False) -> Array:
        """The gradient of hard_swish_mobilenet, from its input."""
        return self._back("backprop_hard_swish_mobilenet", F.hardswish_backward, dY, X, inplace)

    # -- rows, masks, updates ------------------------------------------------------------------------------------------

    def softmax(self, x: Array, *, inplace: bool = False, axis: int = -1, temperature: float = 1.0) -> Array:
        """Softmax over an axis."""
        if plain(x):
            return F.softmax(x, axis, temperature, **place(x, inplace))
        return super().softmax(x, inplace=inplace, axis=axis, temperature=temperature)

    def backprop_softmax(self, Y: Array, dY: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
        """The gradient of softmax, from its output."""
        if plain(Y, dY) and Y.shape == dY.shape:
            return F.softmax_backward(dY, Y, axis, temperature)
        return super().backprop_softmax(Y, dY, axis=axis, temperature=temperature)

    def get_dropout_mask(self, shape: Any, drop: float | None) -> Array:
        """A mask of 0 and 1 / (1 - drop); its seed is drawn from NumPy's global generator, which thinc seeds."""
        if drop is None or drop <= 0 or drop >= 1:
            return super().get_dropout_mask(shape, drop)
        seed = int(np.random.randint(2**62))  # noqa: NPY002
        return F.dropout(np.ones(shape, "float32"), drop, seed=seed)

    def adam(
        self,
        weights: Array,
        gradient: Array,
        mom1: Array,
        mom2: Array,
        beta1: float,
        beta2: float,
        eps: float,
        learn_rate: float,
        mod_rate: float = 1.0,
    ) -> tuple[Array, Array, Array, Array]:
        """One step of Adam, in place, with a learning rate that the caller has corrected; the gradient becomes 0."""
        arrays = weights, gradient, mom1, mom2
        apart = len({id(a) for a in arrays}) == 4 and len({a.shape for a in arrays}) == 1
        if not apart or not plain(*arrays):
            return super().adam(weights, gradient, mom1, mom2, beta1, beta2, eps, learn_rate, mod_rate)
        optim.adam_step(
            weights, gradient, mom1, mom2, step=LATE, lr=learn_rate, betas=(float(beta1), float(beta2)), eps=eps
        )
        gradient[...] = 0
        return weights, gradient, mom1, mom2


for _name, _method in list(vars(FastnnOps).items()):  # annotated as in thinc, whose tests compare signatures
    if callable(_method) and callable(getattr(Ops, _name, None)):
        _method.__annotations__ = dict(getattr(Ops, _name).__annotations__)
