"""Gradient descent."""

from typing import Unpack

from .._core.compat import MODES, resolved
from ..nn.parameters import Parameters
from .functional.sgd import check_momentum, sgd_step
from .groups import asked_for
from .hyperparameters import Compat, Hyperparameter, Switch
from .optimizer import Common, Optimizer


class SGD(Optimizer):
    """Gradient descent, with momentum; `optim.functional.sgd_step` has the formula.

    Whether it is batch, mini-batch or stochastic is decided by the batches it is given (`Trainer.fit(batch_size=)`).

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-3; keras: 1e-2
    momentum, dampening, weight_decay : float, default 0
    nesterov, maximize : bool, default False
    compat : "torch", "keras", "sklearn" or "onnx"
        Whose arithmetic and defaults are meant: see `optim.functional.sgd_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "sgd_step"
    function = sgd_step
    momentum = Hyperparameter("momentum_buffer")
    dampening = Hyperparameter()
    nesterov = Switch()
    compat = Compat()

    def __init__(
        self,
        params: Parameters,
        lr: float | None = None,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        compat: str = "torch",
        **common: Unpack[Common],
    ) -> None:
        buffered = momentum or asked_for(common.get("groups"), "momentum")
        super().__init__(params, ("momentum_buffer",) if buffered else (), **common)
        self.compat, self.maximize = compat, maximize
        (self.lr,) = resolved("sgd_step", compat, lr=lr)
        self.momentum, self.dampening, self.weight_decay = momentum, dampening, weight_decay
        self.nesterov = nesterov

    def check_together(self, values: dict[str, float]) -> None:
        mode = MODES[int(values["compat"])]
        check_momentum(bool(values["nesterov"]), values["momentum"], values["dampening"], mode)
