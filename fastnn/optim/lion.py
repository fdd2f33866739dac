"""Lion."""

from typing import Unpack

from .functional import lion_step
from .hyperparameters import Hyperparameter, Pair, Switch
from .optimizer import Common, Optimizer
from .param_lists import Params


class Lion(Optimizer):
    """Lion: steps of one size, by the sign of an average of the gradient.

        param *= 1 - lr * weight_decay
        param -= lr * sign(beta1 * exp_avg + (1 - beta1) * grad)
        exp_avg = beta2 * exp_avg + (1 - beta2) * grad

    `optim.functional.lion_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-4
        Learning rate: the size of every step.
    betas : pair of floats in [0, 1), default (0.9, 0.99)
        Decay rates of the average: for the direction of the step, and for the next average.
    weight_decay : float, at least 0, default 0
        Factor of the decay of the parameters themselves.
    maximize : bool, default False
        Ascend: the sign of the gradients is flipped.
    groups, max_grad_norm, max_grad_value, error_if_nonfinite : optional
        Parameter groups and clipping of gradients; see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, a hyperparameter is out of range, or groups do not fit the network.

    Notes
    -----
    Source: Chen et al., 2023 (NeurIPS; arXiv:2302.06675).

    A good lr is 3 to 10 times smaller than AdamW's, a good weight_decay as many times larger (Chen et al., 2023).

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.Lion(params, lr=0.25).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.75, 1.25]
    """

    switches = ()
    rule = "lion_step"
    function = lion_step
    beta1 = Hyperparameter()
    beta2 = Hyperparameter()
    betas = Pair("beta1", "beta2")
    decoupled = Switch()

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(params, ("exp_avg",), **common)
        self.lr, self.betas, self.weight_decay, self.maximize = lr, betas, weight_decay, maximize
        self.decoupled = True
