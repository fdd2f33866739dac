"""NAdam."""

from typing import Any, Unpack

from ..nn.parameters import Parameters
from .functional import nadam_step
from .hyperparameters import Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer


class NAdam(Optimizer):
    """Adam with Nesterov's momentum; `optim.functional.nadam_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 2e-3
    betas : pair of floats in [0, 1), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0
    momentum_decay : float, default 4e-3
    decoupled_weight_decay : bool, default False
        Whether the decay is of the parameters themselves, as in AdamW.
    maximize : bool, default False
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "nadam_step"
    function = nadam_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()
    momentum_decay = Hyperparameter()
    mu_product = Hyperparameter()  # of the momenta so far: the update takes it on
    decoupled = Switch()

    def __init__(
        self,
        params: Parameters,
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
        self.momentum_decay, self.decoupled, self.maximize = momentum_decay, decoupled_weight_decay, maximize
        self.mu_product = 1.0

    @property
    def decoupled_weight_decay(self) -> bool:
        """Whether the decay is of the parameters themselves."""
        return bool(self.decoupled)

    def keywords(self) -> dict[str, Any]:
        place = type(self).mu_product.place
        return super().keywords() | {"mu_product": self.hyper[self.number or 0, place : place + 1]}
