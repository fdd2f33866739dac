"""RMSprop."""

from typing import Unpack

from .._core.compat import resolved
from ..nn.parameters import Parameters
from .functional import rmsprop_step
from .groups import asked_for
from .hyperparameters import Compat, Hyperparameter
from .optimizer import Common, Optimizer


class RMSprop(Optimizer):
    """RMSprop; `optim.functional.rmsprop_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-2; keras: 1e-3
    alpha : float in [0, 1], default 0.99; keras, which calls it rho: 0.9
    eps : float, default 1e-8; keras: 1e-7
    weight_decay, momentum : float, default 0
    centered, maximize : bool, default False
    compat : "torch" or "keras"
        Whose arithmetic and defaults are meant: see `optim.functional.rmsprop_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "rmsprop_step"
    function = rmsprop_step
    alpha = Hyperparameter()
    eps = Hyperparameter()
    momentum = Hyperparameter("momentum_buffer")
    compat = Compat()

    def __init__(
        self,
        params: Parameters,
        lr: float | None = None,
        alpha: float | None = None,
        eps: float | None = None,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        compat: str = "torch",
        **common: Unpack[Common],
    ) -> None:
        states = (
            "square_avg",
            *(["grad_avg"] if centered else []),
            *(["momentum_buffer"] if momentum or asked_for(common.get("groups"), "momentum") else []),
        )
        super().__init__(params, states, **common)
        self.lr, self.alpha, self.eps = resolved("rmsprop_step", compat, lr=lr, alpha=alpha, eps=eps)
        self.weight_decay, self.momentum = weight_decay, momentum
        self.maximize, self.compat = maximize, compat

    @property
    def centered(self) -> bool:
        """Whether it has an average of the gradient."""
        return "grad_avg" in self.states
