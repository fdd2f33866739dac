"""NAdam."""

from typing import Any, Unpack

from .. import _validation as check
from .functional import nadam_step
from .hyperparameters import Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer
from .param_lists import Params


class NAdam(Optimizer):
    """NAdam: Adam with Nesterov momentum.

        g, m, v as in `Adam`, or param *= 1 - lr * weight_decay with decoupled_weight_decay
        mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)
        mu_product *= mu(step)
        a = (1 - mu(step)) / (1 - mu_product)
        b = mu(step + 1) / (1 - mu_product * mu(step + 1))
        param -= lr * (a * g + b * m) / (sqrt(v / (1 - beta2^step)) + eps)

    `optim.functional.nadam_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 2e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8
        Added to the root.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients.
    momentum_decay : float, at least 0, default 4e-3
        How fast the momentum mu grows from beta1 / 2 to beta1.
    decoupled_weight_decay : bool, default False
        Decay the parameters themselves, as AdamW does.
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
    Source: Dozat, 2016 (ICLR workshop); the arithmetic of torch.optim.NAdam.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.NAdam(params, lr=0.25, betas=(0.5, 0.75)).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.7167, 1.2833]
    """

    rule = "nadam_step"
    function = nadam_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()
    momentum_decay = Hyperparameter()
    mu_product = Hyperparameter()  # product of the momenta so far; each update multiplies it
    decoupled = Switch()

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("exp_avg", "exp_avg_sq"), **common)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        decoupled = check.check_switch("decoupled_weight_decay", decoupled_weight_decay)
        self.momentum_decay, self.decoupled, self.maximize = momentum_decay, decoupled, maximize
        self.mu_product = 1.0

    @property
    def decoupled_weight_decay(self) -> bool:
        """Whether weight_decay decays the parameters themselves."""
        return bool(self.decoupled)

    def keywords(self) -> dict[str, Any]:
        place = type(self).mu_product.place
        return super().keywords() | {"mu_product": self.hyper[self.number or 0, place : place + 1]}
