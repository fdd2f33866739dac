"""RAdam."""

from typing import Unpack

from .. import _validation as check
from .functional import radam_step
from .hyperparameters import Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer
from .param_lists import Params


class RAdam(Optimizer):
    """RAdam, rectified Adam: v is used only once it is an average of enough gradients, so no warm-up is needed.

        g, m, v as in `Adam`, or param *= 1 - lr * weight_decay with decoupled_weight_decay
        limit = 2 / (1 - beta2) - 1
        rho = limit - 2 * step * beta2^step / (1 - beta2^step)
        r = sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
        rho > 5: param -= lr / (1 - beta1^step) * r * sqrt(1 - beta2^step) * m / (sqrt(v) + eps)
        else:    param -= lr / (1 - beta1^step) * m

    `optim.functional.radam_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8
        Added to the root.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients.
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
    Source: Liu et al., 2020 (ICLR; arXiv:1908.03265); the arithmetic of torch.optim.RAdam.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.RAdam(params, lr=0.25).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.875, 1.5]
    """

    rule = "radam_step"
    function = radam_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()
    decoupled = Switch()

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("exp_avg", "exp_avg_sq"), **common)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        decoupled = check.check_switch("decoupled_weight_decay", decoupled_weight_decay)
        self.decoupled, self.maximize = decoupled, maximize

    @property
    def decoupled_weight_decay(self) -> bool:
        """Whether weight_decay decays the parameters themselves."""
        return bool(self.decoupled)
