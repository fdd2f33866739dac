"""Adamax."""

from typing import Unpack

from .functional import adamax_step
from .hyperparameters import Hyperparameter, Pair
from .optimizer import Common, Optimizer
from .param_lists import Params


class Adamax(Optimizer):
    """Adamax: Adam with the infinity norm.

        g, m as in `Adam`
        u = max(beta2 * u, abs(g) + eps)
        param -= lr / (1 - beta1^step) * m / u

    `optim.functional.adamax_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 2e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and u.
    eps : float, at least 0, default 1e-8
        Added to the magnitude of the gradient.
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
    Source: Kingma and Ba, 2015 (ICLR; arXiv:1412.6980), section 7.1; the arithmetic of torch.optim.Adamax.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.Adamax(params, lr=0.25).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.75, 1.25]
    """

    rule = "adamax_step"
    function = adamax_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("exp_avg", "exp_inf"), **common)
        self.lr, self.betas, self.eps, self.weight_decay, self.maximize = lr, betas, eps, weight_decay, maximize
