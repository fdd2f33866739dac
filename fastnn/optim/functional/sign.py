"""Rules that go by the sign of the gradient alone: Lion and Rprop."""

from typing import Any

from ..._core import optimizers as core
from ._update import Array, hyper_of, pair, slow

_LION, _RPROP = core.RULES["lion_step"], core.RULES["rprop_step"]
_LION_HYPER = hyper_of("lr", "beta1", "beta2", "weight_decay", "maximize", decoupled=1.0)
_RPROP_HYPER = hyper_of(
    "lr", "eta_minus", "eta_plus", "smallest_step", "largest_step", "weight_decay", "maximize"
)  # fmt: skip


def lion_step(
    param: Array,
    grad: Any,
    exp_avg: Array,
    *,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Lion (Chen et al. 2023), with decoupled weight decay.

    param *= 1 - lr * weight_decay
    param -= lr * sign(beta1 * exp_avg + (1 - beta1) * grad)
    exp_avg = beta2 * exp_avg + (1 - beta2) * grad

    Parameters, errors: as `sgd_step`. Where the sign is that of NaN, param becomes NaN.
    """
    hyper = _LION_HYPER(lr, *pair("betas", betas), weight_decay, maximize)
    if not _LION.quick(hyper, 1, param, grad, exp_avg):
        keywords = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        slow(_LION, "lion_step", hyper, keywords, param=param, grad=grad, exp_avg=exp_avg)


def rprop_step(
    param: Array,
    grad: Any,
    prev: Array,
    step_size: Array,
    *,
    step: int,
    lr: float = 1e-2,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50.0),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Rprop (Riedmiller and Braun 1993), without backtracking of weights.

    g = grad + weight_decay * param
    step_size *= etas[1] where g * prev > 0, etas[0] where g * prev < 0, and stays within step_sizes
    prev = g, but 0 where g * prev < 0
    param -= step_size * sign(prev)

    Meant for full batches. The decay is not in PyTorch's; a NaN in the gradient reaches the parameter, which PyTorch's
    leaves alone.

    Parameters, errors: as `sgd_step`. With step=1, step_size starts as lr and prev as 0; lr is not used later.
    """
    hyper = _RPROP_HYPER(lr, *pair("etas", etas), *pair("step_sizes", step_sizes), weight_decay, maximize)
    if step_sizes[0] > step_sizes[1]:
        raise ValueError(f"step_sizes must be the smallest and the largest, got {step_sizes!r}")
    if not _RPROP.quick(hyper, step, param, grad, prev, step_size):
        keywords = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "weight_decay": weight_decay}
        keywords |= {"maximize": maximize, "step": step}
        slow(_RPROP, "rprop_step", hyper, keywords, param=param, grad=grad, prev=prev, step_size=step_size)
