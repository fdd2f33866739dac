"""Adadelta."""

from typing import Unpack

from .functional import adadelta_step
from .hyperparameters import Hyperparameter
from .optimizer import Common, Optimizer
from .param_lists import Params


class Adadelta(Optimizer):
    """Adadelta: the gradient, scaled by the ratio of root mean squares of recent updates and recent gradients.

        g = grad + weight_decay * param
        square_avg = rho * square_avg + (1 - rho) * g^2
        delta = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * g
        acc_delta = rho * acc_delta + (1 - rho) * delta^2
        param -= lr * delta

    `optim.functional.adadelta_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1
        Learning rate.
    rho : float in [0, 1], default 0.9
        Decay rate of the averages.
    eps : float, at least 0, default 1e-6
        Added to the averages under the roots; it sets the size of the first steps.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients.
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
    Source: Zeiler, 2012 (arXiv:1212.5701); the arithmetic of torch.optim.Adadelta.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.Adadelta(params, rho=0.5, eps=0.125).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.6464, 1.4851]
    """

    rule = "adadelta_step"
    function = adadelta_step
    rho = Hyperparameter()
    eps = Hyperparameter()

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("square_avg", "acc_delta"), **common)
        self.lr, self.rho, self.eps, self.weight_decay, self.maximize = lr, rho, eps, weight_decay, maximize
