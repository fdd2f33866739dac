"""Muon."""

from typing import Any, Unpack

from .._core.matrix_rules import scratch_needed
from .._core.rules import HYPERPARAMETERS
from ..compiler.memory import aligned_zeros
from .array_parameters import ArrayParameters
from .functional import muon_step
from .functional.matrix_rules import ADJUST_LR, NS_COEFFICIENTS
from .groups import ParamGroup
from .hyperparameters import Choice, Count, Hyperparameter, Pair, Switch
from .optimizer import Array, Common, Optimizer
from .param_lists import Params


class Muon(Optimizer):
    """Muon: momentum, made about orthogonal by Newton-Schulz iterations; for matrices only.

        buf += (1 - momentum) * (grad - buf)
        u = grad + momentum * (buf - grad) with nesterov, else buf
        u /= max(|u|, eps)
        ns_steps times: G = u u^T; u = a * u + (b * G + c * G G) u, with (a, b, c) = ns_coefficients
        param *= 1 - lr * weight_decay
        param -= lr * sqrt(max(1, outputs / inputs)) * u

    As PyTorch's, it is given weights of hidden layers, `[p for p in net.parameters() if p.data.ndim == 2]`; biases and
    the scales of normalizations are trained by another optimizer, in a loop of your own, or not at all.

    `optim.functional.muon_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        Parameters with two axes: a part of `net.parameters()`, or arrays; see `Optimizer`. The weight of a layer is
        (inputs, outputs); arrays are taken as (outputs, inputs), as in PyTorch.
    lr : float, at least 0, default 1e-3
        Learning rate.
    weight_decay : float, at least 0, default 0.1
        Factor of the decay of the parameters themselves.
    momentum : float, at least 0, default 0.95
        Decay rate of the buffer.
    nesterov : bool, default True
        Nesterov momentum.
    ns_coefficients : three floats, default (3.4445, -4.775, 2.0315)
        Coefficients of the Newton-Schulz iterations.
    eps : float, at least 0, default 1e-7
        Least norm that u is divided by.
    ns_steps : int, 0 to 99, default 5
        Number of iterations.
    adjust_lr_fn : {None, "original", "match_rms_adamw"}, default None
        The factor of lr by the shape: the root above for the first two, 0.2 * sqrt(max(outputs, inputs)) for the last.
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped. Not in PyTorch's.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these or has a parameter that is no matrix, a hyperparameter is out of range, or groups do
        not fit the network.

    Notes
    -----
    Source: Jordan et al., 2024 (kellerjordan.github.io/posts/muon); the scale of match_rms_adamw: Liu et al., 2025
    (arXiv:2502.16982); the arithmetic of torch.optim.Muon, but for its products, which PyTorch computes in bfloat16 and
    this class in the dtype of the parameters. NaN in a gradient spreads over its parameter.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 2, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = [[1.0, 0.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 4.0]]
    >>> optim.Muon(params, lr=0.5, ns_coefficients=(1.5, -0.5, 0.0)).step()
    >>> weight.data.round(4).tolist()
    [[0.45, 0.0], [0.0, 0.45]]
    """

    switches = ()
    rule = "muon_step"
    function = muon_step
    momentum = Hyperparameter()
    nesterov = Switch()
    ns_a = Hyperparameter()
    ns_b = Hyperparameter()
    ns_c = Hyperparameter()
    ns_coefficients = Pair("ns_a", "ns_b", "ns_c")
    eps = Hyperparameter()
    ns_steps = Count()
    adjust_lr_fn = Choice(*ADJUST_LR)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = NS_COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("momentum_buffer",), **common)
        self._check_matrices(self.param_groups)
        for hyper in (self.hyper, self.default_hyper):
            hyper[..., HYPERPARAMETERS.index("transposed")] = not isinstance(self.params, ArrayParameters)
        self.lr, self.weight_decay, self.momentum, self.nesterov = lr, weight_decay, momentum, nesterov
        self.ns_coefficients, self.eps, self.ns_steps, self.adjust_lr_fn = ns_coefficients, eps, ns_steps, adjust_lr_fn
        self.maximize = maximize
        matrices = [(p.data.size, *p.data.shape) for p in self.params if p.data.ndim == 2]
        size = max((scratch_needed(self.rule, *matrix) for matrix in matrices), default=0)
        self.scratch = aligned_zeros((size,), self.params.data.dtype)

    def _check_matrices(self, groups: list[ParamGroup]) -> None:
        """Raise ValueError unless all parameters in the groups are matrices."""
        for name in (name for group in groups for name in group.params):
            if self.params[name].data.ndim != 2:
                raise ValueError(
                    f"Muon is for matrices only, and {name} has shape {self.params[name].data.shape}: give "
                    "[p for p in net.parameters() if p.data.ndim == 2], and train the others by optim.AdamW"
                )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of matrices of the same network; as `Optimizer.add_param_group`."""
        before = self.__dict__.copy()
        super().add_param_group(param_group)
        try:
            self._check_matrices(self.param_groups)
        except ValueError:
            self.__dict__.update(before)
            raise

    def places(self) -> dict[str, tuple[int, int]]:
        return {p.name: (p.start, 0) for p in self.params}

    def operands(self, span: Any, param: Array, grad: Array) -> tuple[Array, ...]:
        rows, cols = int(span["rows"]), int(span["width"])
        buffer = self.states["momentum_buffer"][span["start"] : span["stop"]]
        arrays = tuple(array.reshape(rows, cols) for array in (param, grad, buffer))
        return arrays if isinstance(self.params, ArrayParameters) else tuple(array.T for array in arrays)
