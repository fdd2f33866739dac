"""Adam and AdamW."""

from typing import Unpack

from .._core.compat import resolved
from ..nn.parameters import Parameters
from .functional import adam_step, adamw_step
from .hyperparameters import Compat, Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer


class Adam(Optimizer):
    """Adam; `optim.functional.adam_step` has the formula.

    Parameters
    ----------
    params : Parameters
        `net.parameters()`.
    lr : float, default 1e-3
    betas : pair of floats in [0, 1), default (0.9, 0.999)
    eps : float, default 1e-8; keras: 1e-7, onnx: 1e-6
    weight_decay : float, default 0
        Added to the gradient (an L2 penalty); `AdamW` decays the parameters themselves.
    amsgrad, maximize : bool, default False
    compat : "torch", "keras", "sklearn" or "onnx"
        Whose arithmetic and defaults are meant: see `optim.functional.adam_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite
        See `Optimizer`.
    """

    rule = "adam_step"
    function = adam_step
    decouples = False
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()
    decoupled = Switch()
    compat = Compat()

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float | None = None,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        compat: str = "torch",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else [])), **common)
        self.compat, self.maximize = compat, maximize
        self.lr, self.weight_decay, self.betas = lr, weight_decay, betas
        (self.eps,) = resolved("adam_step", compat, eps=eps)
        self.decoupled = self.decouples


class AdamW(Adam):
    """Adam with decoupled weight decay; `optim.functional.adamw_step` has the formula.

    Parameters as `Adam`, but weight_decay is 1e-2 by default (keras: 4e-3, onnx: 0), and there is no "sklearn".
    """

    function = adamw_step
    decouples = True

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float | None = None,
        weight_decay: float | None = None,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        compat: str = "torch",
        **common: Unpack[Common],
    ) -> None:
        (decay,) = resolved("adamw_step", compat, weight_decay=weight_decay)
        super().__init__(params, lr, betas, eps, decay, amsgrad, maximize=maximize, compat=compat, **common)
