"""Adam and AdamW."""

from typing import Any

from .. import _validation as check
from ..nn.parameters import Parameters
from .functional import adam_step, adamw_step, bounds_of
from .optimizer import Array, Hyperparameter, Optimizer, Switch


class Adam(Optimizer):
    """Adam; `optim.functional.adam_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-3
    betas : pair of floats in [0, 1), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0
        Added to the gradient (an L2 penalty); `AdamW` decays the parameters themselves.
    amsgrad : bool, default False
    """

    rule = "adam_step"
    function = adam_step
    decouples = False
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    eps = Hyperparameter()
    decoupled = Switch()

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else [])))
        self.lr, self.eps, self.weight_decay = lr, eps, weight_decay
        self.betas = betas
        self.decoupled = self.decouples

    @property
    def betas(self) -> tuple[float, float]:
        """The decay rates of the two averages."""
        return self.beta1, self.beta2

    @betas.setter
    def betas(self, betas: tuple[float, float]) -> None:
        if not (isinstance(betas, (tuple, list)) and len(betas) == 2):
            raise TypeError(f"betas must be a pair of numbers, got {betas!r}")
        rates = [check.check_number(f"betas[{i}]", beta, **bounds_of("beta1")) for i, beta in enumerate(betas)]
        self.beta1, self.beta2 = rates

    def slots(self) -> tuple[Array | None, ...]:
        return self.states["exp_avg"], self.states["exp_avg_sq"], self.states.get("max_exp_avg_sq")

    def keywords(self) -> dict[str, Any]:
        return {
            "step": int(self.step_count[0]),
            "lr": self.lr,
            "betas": self.betas,
            "eps": self.eps,
            "weight_decay": self.weight_decay,
        }


class AdamW(Adam):
    """Adam with decoupled weight decay; `optim.functional.adamw_step` has the formula.

    Parameters as `Adam`, but weight_decay defaults to 1e-2.
    """

    function = adamw_step
    decouples = True

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)
