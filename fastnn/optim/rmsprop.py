"""RMSprop."""

from typing import Unpack

from .. import _validation as check
from .._core.compat import resolved
from .functional import rmsprop_step
from .groups import asked_for
from .hyperparameters import Compat, Hyperparameter
from .optimizer import Common, Optimizer
from .param_lists import Params


class RMSprop(Optimizer):
    """RMSprop: the gradient divided by the root of an average of its square.

        g = grad + weight_decay * param
        v = alpha * v + (1 - alpha) * g^2
        m = alpha * m + (1 - alpha) * g, and v - m^2 in place of v below, if centered
        param -= lr * g / (sqrt(v) + eps), or with momentum:
        buf = momentum * buf + g / (sqrt(v) + eps); param -= lr * buf

    `optim.functional.rmsprop_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-2 (keras 1e-3)
        Learning rate.
    alpha : float in [0, 1], default 0.99 (keras 0.9, where it is called rho)
        Decay rate of the averages.
    eps : float, at least 0, default 1e-8 (keras 1e-7)
        Added to the root.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients.
    momentum : float, at least 0, default 0
        Decay rate of the buffer. If it is 0 for all groups here, there is no buffer, and it cannot be set later.
    centered : bool, default False
        Divide by the root of the variance of the gradient, not of its mean square.
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    compat : {"torch", "keras"}, default "torch"
        Library whose arithmetic and defaults are used; see `optim.functional.rmsprop_step`.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: Tieleman and Hinton, 2012 (lecture 6.5 of the course "Neural Networks for Machine Learning"); centered by
    Graves, 2013 (arXiv:1308.0850); the arithmetic of torch.optim.RMSprop.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.RMSprop(params, lr=0.25, alpha=0.75).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.5, 1.5]
    """

    rule = "rmsprop_step"
    function = rmsprop_step
    alpha = Hyperparameter()
    eps = Hyperparameter()
    momentum = Hyperparameter("momentum_buffer")
    compat = Compat()

    def __init__(
        self,
        params: Params,
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
            *(["grad_avg"] if check.check_switch("centered", centered) else []),
            *(["momentum_buffer"] if momentum or asked_for("momentum", params, common.get("groups")) else []),
        )
        super().__init__(params, states, **common)
        self.lr, self.alpha, self.eps = resolved("rmsprop_step", compat, lr=lr, alpha=alpha, eps=eps)
        self.weight_decay, self.momentum = weight_decay, momentum
        self.maximize, self.compat = maximize, compat

    @property
    def centered(self) -> bool:
        """Whether the update divides by the root of the variance; then there is an average of the gradient."""
        return "grad_avg" in self.states
