"""RMSprop."""

from typing import Any

from ..nn.parameters import Parameters
from .functional import rmsprop_step
from .optimizer import Array, Hyperparameter, Optimizer


class RMSprop(Optimizer):
    """RMSprop; `optim.functional.rmsprop_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-2
    alpha : float in [0, 1], default 0.99
    eps : float, default 1e-8
    weight_decay, momentum : float, default 0
    centered : bool, default False
    """

    rule = "rmsprop_step"
    function = rmsprop_step
    alpha = Hyperparameter()
    eps = Hyperparameter()
    momentum = Hyperparameter("momentum_buffer")

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        states = (
            "square_avg",
            *(["grad_avg"] if centered else []),
            *(["momentum_buffer"] if momentum else []),
        )
        super().__init__(params, states)
        self.lr, self.alpha, self.eps = lr, alpha, eps
        self.weight_decay, self.momentum = weight_decay, momentum

    def slots(self) -> tuple[Array | None, ...]:
        return self.states["square_avg"], self.states.get("grad_avg"), self.states.get("momentum_buffer")

    def keywords(self) -> dict[str, Any]:
        return {
            "lr": self.lr,
            "alpha": self.alpha,
            "eps": self.eps,
            "centered": "grad_avg" in self.states,
            "momentum": self.momentum,
            "weight_decay": self.weight_decay,
        }
