"""Operations on parameters and gradients other than updates: norm, clipping, penalties, constraint, averages.

Arrays are updated in place; a gradient or parameter may have any shape.
"""

import numpy as np

from .elementary import Array, unit_scale

__all__ = ["adjust_grad_", "lerp_", "max_norm_", "total_norm"]


def total_norm(x: Array) -> float:
    """Return the 2-norm of all numbers, squared and added in double."""
    with np.errstate(all="ignore"):
        x = np.asarray(x, "float64")
        scale = unit_scale(x)
        return float(np.sqrt(np.square(x * scale).sum()) / scale)


@np.errstate(all="ignore")
def adjust_grad_(
    grad: Array,
    param: Array | None = None,
    *,
    scale: float = 1.0,
    clip_value: float = np.inf,
    l1: float = 0.0,
    l2: float = 0.0,
) -> None:
    """Set grad = clip(scale * grad, -clip_value, clip_value) + l1 * sign(param) + l2 * param."""
    grad *= grad.dtype.type(scale)
    np.clip(grad, -clip_value, clip_value, out=grad)
    if param is not None and l1 != 0:
        grad += l1 * np.sign(param)
    if param is not None and l2 != 0:
        grad += l2 * param


@np.errstate(all="ignore")
def max_norm_(param: Array, max_norm: float) -> None:
    """Scale columns whose 2-norm (over all axes but the last) is above max_norm to it (Srivastava et al. 2014)."""
    columns = param.reshape(param.size // max(param.shape[-1], 1), param.shape[-1])
    scale = unit_scale(columns, 0)
    norm = (np.sqrt(np.square(columns * scale).sum(axis=0)) / scale)[0]
    param *= np.where(norm > max_norm, max_norm / norm, 1).astype(param.dtype)


@np.errstate(all="ignore")
def lerp_(average: Array, param: Array, weight: float) -> None:
    """Set average += weight * (param - average), computed from the nearer end as by torch.lerp."""
    if weight == 1:
        average[...] = param
    elif weight < 0.5:
        average += weight * (param - average)
    else:
        average[...] = param - (param - average) * (1 - weight)


def average(average: Array, param: Array, settings: Array, seen: Array) -> None:
    """Add the parameters after one more update to their average.

    settings: the decay (NaN for equal weights), the number of updates before averaging, and between averaged updates.
    """
    decay, start, every = settings
    seen += 1
    since = seen[0] - start - 1
    if since >= 0 and since % every == 0:
        equal = 1 / (since // every + 1)
        lerp_(average, param, 1.0 if since == 0 else float(equal if np.isnan(decay) else 1 - decay))
