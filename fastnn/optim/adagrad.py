"""AdaGrad."""

from typing import Unpack

from .. import _validation as check
from .._core.compat import resolved
from .functional import adagrad_step
from .hyperparameters import Compat, Hyperparameter
from .optimizer import Common, Optimizer
from .param_lists import Params


class Adagrad(Optimizer):
    """Adagrad: the learning rate of each parameter falls with the sum of its squared gradients.

        g = grad + weight_decay * param
        state_sum += g^2
        param -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(state_sum) + eps)

    `optim.functional.adagrad_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-2 (keras 1e-3)
        Learning rate.
    lr_decay : float, at least 0, default 0
        Decay of the learning rate with the step.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients.
    initial_accumulator_value : float, at least 0, default 0 (keras 0.1)
        Initial value of state_sum.
    eps : float, at least 0, default 1e-10 (keras 1e-7, onnx 1e-6)
        Added to the root.
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    compat : {"torch", "keras", "onnx"}, default "torch"
        Library whose arithmetic and defaults are used; see `optim.functional.adagrad_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: Duchi, Hazan and Singer, 2011 (JMLR 12); the arithmetic of torch.optim.Adagrad.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.Adagrad(params, lr=0.5).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.5, 1.5]
    """

    switches = ("foreach", "fused", "differentiable")
    rule = "adagrad_step"
    function = adagrad_step
    lr_decay = Hyperparameter()
    eps = Hyperparameter()
    compat = Compat()

    def __init__(
        self,
        params: Params,
        lr: float | None = None,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float | None = None,
        eps: float | None = None,
        *,
        maximize: bool = False,
        compat: str = "torch",
        **common: Unpack[Common],
    ) -> None:
        lr, eps, start = resolved(
            "adagrad_step", compat, lr=lr, eps=eps, initial_accumulator_value=initial_accumulator_value
        )
        start = check.check_number("initial_accumulator_value", start, at_least=0.0)
        super().__init__(params, ("state_sum",), fill=start, **common)
        self.lr, self.lr_decay, self.weight_decay, self.eps = lr, lr_decay, weight_decay, eps
        self.maximize, self.compat = maximize, compat
