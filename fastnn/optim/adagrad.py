"""AdaGrad."""

from typing import Unpack

from .. import _validation as check
from .._core.compat import resolved
from ..nn.parameters import Parameters
from .functional import adagrad_step
from .hyperparameters import Compat, Hyperparameter
from .optimizer import Common, Optimizer


class Adagrad(Optimizer):
    """AdaGrad; `optim.functional.adagrad_step` has the formula. Its rate decays until nothing moves.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-2; keras: 1e-3
    lr_decay, weight_decay : float, default 0
    initial_accumulator_value : float, default 0; keras: 0.1
    eps : float, default 1e-10; keras: 1e-7, onnx: 1e-6
    maximize : bool, default False
    compat : "torch", "keras" or "onnx"
        Whose arithmetic and defaults are meant: see `optim.functional.adagrad_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "adagrad_step"
    function = adagrad_step
    lr_decay = Hyperparameter()
    eps = Hyperparameter()
    compat = Compat()

    def __init__(
        self,
        params: Parameters,
        lr: float | None = None,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float | None = None,
        eps: float | None = None,
        *,
        maximize: bool = False,
        compat: str = "torch",
        **common: Unpack[Common],
    ) -> None:
        lr, eps, start = resolved(
            "adagrad_step", compat, lr=lr, eps=eps, initial_accumulator_value=initial_accumulator_value
        )
        start = check.check_number("initial_accumulator_value", start, at_least=0.0)
        super().__init__(params, ("state_sum",), fill=start, **common)
        self.lr, self.lr_decay, self.weight_decay, self.eps = lr, lr_decay, weight_decay, eps
        self.maximize, self.compat = maximize, compat
