"""Rprop."""

from typing import Unpack

from ..nn.parameters import Parameters
from .functional import rprop_step
from .hyperparameters import Hyperparameter, Pair
from .optimizer import Common, Optimizer


class Rprop(Optimizer):
    """A step of its own for each parameter, by the sign of the gradient; `optim.functional.rprop_step` has the formula.

    For full batches: the noise of mini-batches turns signs about.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-2
        The size of the first steps.
    etas : pair of floats, the first in (0, 1), the second above 1, default (0.5, 1.2)
    step_sizes : pair of floats, default (1e-6, 50)
        The smallest and the largest step.
    weight_decay : float, default 0
    maximize : bool, default False
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "rprop_step"
    function = rprop_step
    eta_minus = Hyperparameter()
    eta_plus = Hyperparameter()
    etas = Pair("eta_minus", "eta_plus")
    smallest_step = Hyperparameter()
    largest_step = Hyperparameter()
    step_sizes = Pair("smallest_step", "largest_step")

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("prev", "step_size"), **common)
        self.lr, self.etas, self.step_sizes = lr, etas, step_sizes
        self.weight_decay, self.maximize = weight_decay, maximize

    def check_together(self, values: dict[str, float]) -> None:
        if values["smallest_step"] > values["largest_step"]:
            sizes = values["smallest_step"], values["largest_step"]
            raise ValueError(f"step_sizes must be the smallest and the largest, got {sizes}")
