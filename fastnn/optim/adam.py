"""Adam and AdamW."""

from typing import Any, Unpack

from .. import _validation as check
from .._core.compat import MODES, defaults_of, resolved
from .functional import adam_step, adamw_step
from .hyperparameters import Compat, Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer
from .param_lists import Params


class Adam(Optimizer):
    """Adam: averages of the gradient and of its square, corrected for their start at 0.

        g = grad + weight_decay * param
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps)

    `optim.functional.adam_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8 (keras 1e-7, onnx 1e-6)
        Added to the root.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients; `AdamW` decays the parameters themselves.
    amsgrad : bool, default False
        Use the largest v so far in place of v (AMSGrad).
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    compat : {"torch", "keras", "sklearn", "onnx"}, default "torch"
        Library whose arithmetic and defaults are used; see `optim.functional.adam_step`.
    decoupled_weight_decay : bool, default False
        Decay the parameters themselves, as `AdamW`; not with "sklearn".
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: Kingma and Ba, 2015 (ICLR; arXiv:1412.6980); AMSGrad: Reddi, Kale and Kumar, 2018 (ICLR; arXiv:1904.09237);
    the arithmetic of torch.optim.Adam.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.Adam(params, lr=0.25).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.75, 1.25]
    """

    switches = ("foreach", "fused", "capturable", "differentiable")
    rule = "adam_step"
    function = adam_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    eps = Hyperparameter()
    decoupled = Switch()
    compat = Compat()

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float | None = None,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        compat: str = "torch",
        decoupled_weight_decay: bool = False,
        **common: Unpack[Common],
    ) -> None:
        decoupled = check.check_switch("decoupled_weight_decay", decoupled_weight_decay)
        largest = ("max_exp_avg_sq",) if check.check_switch("amsgrad", amsgrad) else ()
        super().__init__(params, ("exp_avg", "exp_avg_sq", *largest), **common)
        self.compat, self.maximize = compat, maximize
        self.lr, self.weight_decay, self.betas = lr, weight_decay, betas
        (self.eps,) = resolved("adam_step", compat, eps=eps)
        self.decoupled = decoupled

    @property
    def decoupled_weight_decay(self) -> bool:
        """Whether weight_decay decays the parameters themselves."""
        return bool(self.decoupled)

    def update_name(self) -> str:
        return "adamw_step" if self.decoupled else "adam_step"

    def check_together(self, values: dict[str, float]) -> None:
        if values["decoupled"] and "compat" in values:
            defaults_of("adamw_step", MODES[int(values["compat"])])  # raises


class AdamW(Adam):
    """Adam with decoupled weight decay.

        param *= 1 - lr * weight_decay
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * grad^2
        param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps)

    `optim.functional.adamw_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-3
        Learning rate.
    betas : pair of floats in [0, 1), default (0.9, 0.999)
        Decay rates of m and v.
    eps : float, at least 0, default 1e-8 (keras 1e-7, onnx 1e-6)
        Added to the root.
    weight_decay : float, at least 0, default 1e-2 (keras 4e-3, onnx 0)
        Factor of the decay of the parameters themselves.
    amsgrad : bool, default False
        Use the largest v so far in place of v (AMSGrad).
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    compat : {"torch", "keras", "onnx"}, default "torch"
        Library whose arithmetic and defaults are used; see `optim.functional.adamw_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: Loshchilov and Hutter, 2019 (ICLR; arXiv:1711.05101); the arithmetic of torch.optim.AdamW.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.AdamW(params, lr=0.25, weight_decay=0.5).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.625, 1.125]
    """

    function = adamw_step

    def __init__(
        self,
        params: Params,
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
        options: dict[str, Any] = {"maximize": maximize, "compat": compat, "decoupled_weight_decay": True}
        super().__init__(params, lr, betas, eps, decay, amsgrad, **options, **common)
