"""Averaged gradient descent."""

from typing import Any, Unpack

from .functional import asgd_step
from .hyperparameters import Hyperparameter
from .optimizer import Common, Optimizer
from .param_lists import Params


class ASGD(Optimizer):
    """Averaged gradient descent, with a rate that decays.

        g = grad + weight_decay * param
        param *= 1 - lambd * eta
        param -= eta * g
        eta = lr / (1 + lambd * lr * step)^alpha
        ax += (param - ax) / max(1, step - 1 - t0)

    `optim.functional.asgd_step` is the same update as a function of arrays. The average is `optimizer.states["ax"]`;
    `optim.WeightAverage` averages with any optimizer.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-2
        Rate eta of the first update, and of later ones before their decay.
    lambd : float, at least 0, default 1e-4
        Decay of the parameters and of the rate.
    alpha : float in [0, 1], default 0.75
        Power of the decay of the rate.
    t0 : float, at least 0, default 1e6
        Number of the update after which averaging begins.
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
    Source: Polyak and Juditsky, 1992 (SIAM J. Control Optim. 30); the arithmetic of torch.optim.ASGD. As there, the
    rate of an update was computed from the hyperparameters at the update before: a change of lr acts one update later.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.ASGD(params, lr=0.5, lambd=0.5).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.5, 1.75]
    """

    rule = "asgd_step"
    function = asgd_step
    lambd = Hyperparameter()
    alpha = Hyperparameter()
    t0 = Hyperparameter()
    eta = Hyperparameter()  # rate of the next update

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("ax",), **common)
        self.lr, self.lambd, self.alpha, self.t0 = lr, lambd, alpha, t0
        self.weight_decay, self.maximize = weight_decay, maximize
        self.eta = 0.0

    def keywords(self) -> dict[str, Any]:
        place = type(self).eta.place
        return super().keywords() | {"eta": self.hyper[self.number or 0, place : place + 1]}
