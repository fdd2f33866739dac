"""Updates of all parameters of a network by an optimizer: groups, clipping, penalties and constraints."""

import numpy as np

from .._core.optimizers import NOT_FINITE
from .._core.rules import CLIPPING, HYPERPARAMETERS
from . import optimizers, parameters
from .elementary import Array
from .interfaces import Optimizer


def update_parameters(optimizer: Optimizer, arrays: dict[str, Array], scale: float = 1.0) -> None:
    """One step of an optimizer, its gradients times `scale`; `arrays` is what `optimizer.arrays` gave.

    The compiled counterpart is run_update of _core/optimizers.pyx.
    """
    written = [array for role, array in arrays.items() if role not in ("grad_weight", "spans", "clipping", "scratch")]
    before = [array.copy() for array in written]
    try:
        with np.errstate(all="ignore"):
            _update_spans(optimizer, arrays, scale)
    except BaseException:  # Ctrl-C, or a gradient that must be finite: undo the step
        for array, old in zip(written, before, strict=True):
            array[...] = old
        raise


def penalty(optimizer: Optimizer, arrays: dict[str, Array]) -> float:
    """l1 sum |w| + (l2 + weight_decay) / 2 sum w^2 over all parameters that are updated, in double.

    A weight decay that is decoupled from the gradients is no penalty.
    """
    total, decay, decoupled = 0.0, HYPERPARAMETERS.index("weight_decay"), HYPERPARAMETERS.index("decoupled")
    for span in arrays["spans"]:
        hyper = arrays["hyper"][span["group"]]
        if not optimizer.at(span["group"]).frozen:
            param = arrays["weight"][span["start"] : span["stop"]].astype("float64")
            total += float(span["l1"]) * float(np.abs(param).sum()) if span["l1"] else 0.0
            l2 = float(span["l2"]) + (0.0 if hyper[decoupled] else float(hyper[decay]))
            total += 0.5 * l2 * float(np.square(param).sum()) if l2 else 0.0
    return total


def _update_spans(optimizer: Optimizer, arrays: dict[str, Array], scale: float) -> None:
    groups = [optimizer.at(number) for number in range(len(optimizer.param_groups))]
    active = [span for span in arrays["spans"] if not groups[span["group"]].frozen]
    norm_place, limit = CLIPPING.index("grad_norm"), optimizer.max_grad_value
    arrays["clipping"][norm_place] = np.nan
    if optimizer.max_grad_norm is not None:
        gradients = [np.zeros(0), *(arrays["grad_weight"][span["start"] : span["stop"]] for span in active)]
        norm = arrays["clipping"][norm_place] = abs(scale) * parameters.total_norm(np.concatenate(gradients))
        if optimizer.error_if_nonfinite and not np.isfinite(norm):
            raise RuntimeError(NOT_FINITE)
        factor = optimizer.max_grad_norm / (norm + 1e-6)
        scale *= 1.0 if factor >= 1 else factor
    for group in groups:
        group.step_count += not group.frozen
    hyper = arrays["hyper"].copy()
    for span in active:
        arrays["hyper"][span["group"]] = hyper[span["group"]]  # NAdam's mu_product advances once, not with each span
        part, group = slice(span["start"], span["stop"]), groups[span["group"]]
        param, grad = arrays["weight"][part], arrays["grad_weight"][part].copy()
        sign = -1.0 if group.maximize else 1.0  # of the gradient of the loss alone: penalties are not maximized
        adjustment = {"scale": sign * scale, "clip_value": np.inf if limit is None else limit}
        parameters.adjust_grad_(grad, param, **adjustment, l1=float(span["l1"]), l2=float(span["l2"]))
        keywords = group.keywords() | {"maximize": False}
        getattr(optimizers, group.update_name())(*optimizer.operands(span, param, grad), **keywords)
        if span["cols"]:
            parameters.max_norm_(param.reshape(-1, span["cols"]), float(span["max_norm"]))
