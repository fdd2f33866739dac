"""Gradient descent."""

from typing import Unpack

from .._core.compat import MODES, resolved
from .functional.sgd import check_momentum, sgd_step
from .groups import asked_for
from .hyperparameters import Compat, Hyperparameter, Switch
from .optimizer import Common, Optimizer
from .param_lists import Params


class SGD(Optimizer):
    """Gradient descent, with momentum.

        g = grad + weight_decay * param
        buf = momentum * buf + (1 - dampening) * g
        param -= lr * buf, or lr * (g + momentum * buf) with nesterov, or lr * g without momentum

    Whether it is batch, mini-batch or stochastic gradient descent depends on the batches: `Trainer.fit(batch_size=)`.

    `optim.functional.sgd_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-3 (keras 1e-2)
        Learning rate.
    momentum : float, at least 0, default 0
        Decay rate of the buffer. If it is 0 for all groups here, there is no buffer, and it cannot be set later.
    dampening : float, default 0
        The gradient is added to the buffer times 1 - dampening, from the second step on.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients.
    nesterov : bool, default False
        Nesterov momentum; needs momentum above 0 and dampening 0.
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    compat : {"torch", "keras", "sklearn", "onnx"}, default "torch"
        Library whose arithmetic and defaults are used; see `optim.functional.sgd_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: momentum by Polyak, 1964; Nesterov's (1983) in the form of Sutskever et al., 2013 (ICML); the arithmetic of
    torch.optim.SGD.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.SGD(params, lr=0.5).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.75, 2.0]
    """

    switches = ("foreach", "fused", "differentiable")
    rule = "sgd_step"
    function = sgd_step
    momentum = Hyperparameter("momentum_buffer")
    dampening = Hyperparameter()
    nesterov = Switch()
    compat = Compat()

    def __init__(
        self,
        params: Params,
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
        buffered = momentum or asked_for("momentum", params, common.get("groups"))
        super().__init__(params, ("momentum_buffer",) if buffered else (), **common)
        self.compat, self.maximize = compat, maximize
        (self.lr,) = resolved("sgd_step", compat, lr=lr)
        self.momentum, self.dampening, self.weight_decay = momentum, dampening, weight_decay
        self.nesterov = nesterov

    def check_together(self, values: dict[str, float]) -> None:
        mode = MODES[int(values["compat"])]
        check_momentum(bool(values["nesterov"]), values["momentum"], values["dampening"], mode)
