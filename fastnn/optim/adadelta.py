"""Adadelta."""

from typing import Unpack

from ..nn.parameters import Parameters
from .functional import adadelta_step
from .hyperparameters import Hyperparameter
from .optimizer import Common, Optimizer


class Adadelta(Optimizer):
    """Adadelta; `optim.functional.adadelta_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1
    rho : float in [0, 1], default 0.9
    eps : float, default 1e-6
    weight_decay : float, default 0
    maximize : bool, default False
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "adadelta_step"
    function = adadelta_step
    rho = Hyperparameter()
    eps = Hyperparameter()

    def __init__(
        self,
        params: Parameters,
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
