"""Gradient descent."""

from typing import Any

from ..nn.parameters import Parameters
from .functional import sgd_step
from .optimizer import Array, Hyperparameter, Optimizer, Switch


class SGD(Optimizer):
    """Gradient descent, with momentum; `optim.functional.sgd_step` has the formula.

    Whether it is batch, mini-batch or stochastic is decided by the batches it is given (`Trainer.fit(batch_size=)`).

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-3
    momentum, dampening, weight_decay : float, default 0
    nesterov : bool, default False
    """

    rule = "sgd_step"
    function = sgd_step
    momentum = Hyperparameter("momentum_buffer")
    dampening = Hyperparameter()
    nesterov = Switch()

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, ("momentum_buffer",) if momentum else ())
        self.lr, self.momentum, self.dampening, self.weight_decay = lr, momentum, dampening, weight_decay
        self.nesterov = nesterov

    def check_together(self, values: dict[str, float]) -> None:
        if values["nesterov"] and (values["momentum"] == 0 or values["dampening"] != 0):
            raise ValueError("nesterov needs momentum above 0 and dampening 0")

    def slots(self) -> tuple[Array | None, ...]:
        return (self.states.get("momentum_buffer"),)

    def keywords(self) -> dict[str, Any]:
        return {
            "lr": self.lr,
            "momentum": self.momentum,
            "dampening": self.dampening,
            "nesterov": self.nesterov,
            "weight_decay": self.weight_decay,
            "step": int(self.step_count[0]),
        }
