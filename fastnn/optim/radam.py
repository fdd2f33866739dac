"""RAdam."""

from typing import Unpack

from ..nn.parameters import Parameters
from .functional import radam_step
from .hyperparameters import Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer


class RAdam(Optimizer):
    """Rectified Adam, which needs no warm-up; `optim.functional.radam_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-3
    betas : pair of floats in [0, 1), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0
    decoupled_weight_decay : bool, default False
        Whether the decay is of the parameters themselves, as in AdamW.
    maximize : bool, default False
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
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
        params: Parameters,
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
        self.decoupled, self.maximize = decoupled_weight_decay, maximize

    @property
    def decoupled_weight_decay(self) -> bool:
        """Whether the decay is of the parameters themselves."""
        return bool(self.decoupled)
