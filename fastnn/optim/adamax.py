"""Adamax."""

from typing import Unpack

from ..nn.parameters import Parameters
from .functional import adamax_step
from .hyperparameters import Hyperparameter, Pair
from .optimizer import Common, Optimizer


class Adamax(Optimizer):
    """Adam by the largest gradient; `optim.functional.adamax_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 2e-3
    betas : pair of floats in [0, 1), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0
    maximize : bool, default False
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "adamax_step"
    function = adamax_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()

    def __init__(
        self,
        params: Parameters,
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
