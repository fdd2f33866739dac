"""Rprop."""

from typing import Unpack

from .functional import rprop_step
from .hyperparameters import Hyperparameter, Pair
from .optimizer import Common, Optimizer
from .param_lists import Params


class Rprop(Optimizer):
    """Rprop: a step size of its own for each parameter, by the sign of the gradient.

        g = grad + weight_decay * param
        step_size *= etas[1] where g * prev > 0, etas[0] where g * prev < 0
        step_size = clip(step_size, *step_sizes)
        prev = g, but 0 where g * prev < 0
        param -= step_size * sign(prev)

    It is meant for full batches: the noise of mini-batches flips signs.

    `optim.functional.rprop_step` is the same update as a function of arrays.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1e-2
        The step_size of the first update; not used later.
    etas : pair of floats, the first in (0, 1), the second above 1, default (0.5, 1.2)
        Factors by which a step shrinks and grows.
    step_sizes : pair of floats, at least 0, default (1e-6, 50)
        The smallest and the largest step.
    weight_decay : float, at least 0, default 0
        L2 penalty, added to the gradients. Not in PyTorch's.
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
    Source: Riedmiller and Braun, 1993 (IEEE ICNN), in the variant iRprop- of Igel and Huesken, 2000 (NC); the
    arithmetic of torch.optim.Rprop.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...], weight.grad[...] = 1.0, [[0.5], [-2.0]]
    >>> optim.Rprop(params, lr=0.25).step()
    >>> weight.data.round(4).ravel().tolist()
    [0.75, 1.25]
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
        params: Params,
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
