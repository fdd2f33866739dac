"""AdaGrad."""

from typing import Any

from .. import _validation as check
from ..nn.parameters import Parameters
from .functional import adagrad_step
from .optimizer import Array, Hyperparameter, Optimizer


class Adagrad(Optimizer):
    """AdaGrad; `optim.functional.adagrad_step` has the formula. Its rate decays until nothing moves.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-2
    lr_decay, weight_decay, initial_accumulator_value : float, default 0
    eps : float, default 1e-10
    """

    rule = "adagrad_step"
    function = adagrad_step
    lr_decay = Hyperparameter()
    eps = Hyperparameter()

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        start = check.check_number("initial_accumulator_value", initial_accumulator_value, at_least=0.0)
        super().__init__(params, ("state_sum",), fill=start)
        self.lr, self.lr_decay, self.weight_decay, self.eps = lr, lr_decay, weight_decay, eps

    def slots(self) -> tuple[Array | None, ...]:
        return (self.states["state_sum"],)

    def keywords(self) -> dict[str, Any]:
        return {
            "lr": self.lr,
            "lr_decay": self.lr_decay,
            "step": int(self.step_count[0]),
            "eps": self.eps,
            "weight_decay": self.weight_decay,
        }
