"""Lion."""

from typing import Unpack

from ..nn.parameters import Parameters
from .functional import lion_step
from .hyperparameters import Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer


class Lion(Optimizer):
    """Steps of one size, by the sign of an average; `optim.functional.lion_step` has the formula.

    A good rate is 3 to 10 times smaller than AdamW's, a good decay as many times larger (Chen et al. 2023).

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-4
    betas : pair of floats in [0, 1), default (0.9, 0.99)
    weight_decay : float, default 0
        Of the parameters themselves.
    maximize : bool, default False
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "lion_step"
    function = lion_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    decoupled = Switch()

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("exp_avg",), **common)
        self.lr, self.betas, self.weight_decay, self.maximize = lr, betas, weight_decay, maximize
        self.decoupled = True
