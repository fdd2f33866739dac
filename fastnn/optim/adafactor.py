"""Adafactor."""

import math
from typing import Any, Unpack

from .._core.matrix_rules import scratch_needed
from ..compiler.memory import aligned_zeros
from .functional import adafactor_step
from .hyperparameters import Epsilons, Hyperparameter
from .optimizer import Array, Common, Optimizer
from .param_lists import Params


class Adafactor(Optimizer):
    """Adafactor: the averages of squares of a matrix are a product of those of its rows and of its columns.

        rate = max(eps[1], rms(param)) * min(lr, 1 / sqrt(step))
        param *= 1 - lr * weight_decay
        row_var, col_var += step^beta2_decay * (means of grad^2 over a row, over a column - row_var, col_var)
        v = row_var * col_var / max(mean(row_var), eps[0]), or variance, the average of grad^2, of a vector
        u = grad / sqrt(max(v, eps[0]^2))
        param -= rate / max(1, rms(u) / d) * u

    So a matrix of n by m needs n + m numbers of memory, where Adam needs 2 n m.

    `optim.functional.adafactor_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-2
        Largest relative rate.
    beta2_decay : float, at most 0, default -0.8
        Power of the step that is the weight of the new squares.
    eps : pair of floats, at least 0, default (None, 1e-3)
        Least root of v, by default the epsilon of the dtype; and the least magnitude of a parameter that scales the
        rate.
    d : float, at least 1, default 1
        Largest root mean square of an update.
    weight_decay : float, at least 0, default 0
        Factor of the decay of the parameters themselves.
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: Shazeer and Stern, 2018 (ICML; arXiv:1804.04235); the arithmetic of torch.optim.Adafactor. States are flat
    arrays, with the numbers of one parameter after those of another. A parameter with more than two axes is matrices in
    its last two. NaN in a gradient spreads over its parameter.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 2, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[1.0, -1.0], [2.0, -2.0]]
    >>> optimizer = optim.Adafactor(params, lr=0.5)
    >>> optimizer.step()
    >>> weight.data.round(4).tolist(), optimizer.states["row_var"].tolist()
    ([[0.5, 1.5], [0.5, 1.5]], [1.0, 4.0])
    """

    switches = ("foreach",)
    rule = "adafactor_step"
    function = adafactor_step
    beta2_decay = Hyperparameter()
    eps1 = Hyperparameter()
    eps2 = Hyperparameter()
    eps = Epsilons("eps1", "eps2")
    d = Hyperparameter()

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, (), **common)
        self.lr, self.beta2_decay, self.eps, self.d = lr, beta2_decay, eps, d
        self.weight_decay, self.maximize = weight_decay, maximize
        shapes = [p.data.shape for p in self.params]
        sizes = {
            "row_var": sum(math.prod(shape[:-1]) for shape in shapes if len(shape) > 1),
            "col_var": sum(math.prod(shape[:-2]) * shape[-1] for shape in shapes if len(shape) > 1),
            "variance": sum(math.prod(shape) for shape in shapes if len(shape) < 2),
        }
        dtype = self.params.data.dtype
        self.states.update({name: aligned_zeros((size,), dtype) for name, size in sizes.items()})
        matrices = [(math.prod(s), *(s[-2:] if len(s) > 1 else (0, 0))) for s in shapes]
        self.scratch = aligned_zeros((max((scratch_needed(self.rule, *m) for m in matrices), default=0),), dtype)

    def places(self) -> dict[str, tuple[int, int]]:
        places, row, col, element = {}, 0, 0, 0
        for p in self.params:
            shape = p.data.shape
            if len(shape) > 1:
                places[p.name] = row, col
                row, col = row + math.prod(shape[:-1]), col + math.prod(shape[:-2]) * shape[-1]
            else:
                places[p.name] = element, 0
                element += math.prod(shape)
        return places

    def operands(self, span: Any, param: Array, grad: Array) -> tuple[Array | None, ...]:
        rows, cols, at0, at1 = (int(span[name]) for name in ("rows", "width", "at0", "at1"))
        if not rows:
            return param, grad, None, None, self.states["variance"][at0 : at0 + param.size]
        count = param.size // (rows * cols)
        row_var = self.states["row_var"][at0 : at0 + count * rows].reshape(count, rows, 1)
        col_var = self.states["col_var"][at1 : at1 + count * cols].reshape(count, 1, cols)
        return param.reshape(count, rows, cols), grad.reshape(count, rows, cols), row_var, col_var
