"""Common parts of the updates: ranges of hyperparameters, and the slow path, which checks and converts arrays."""

from typing import Any

import numpy as np

from ... import _validation as check
from ..._core import dispatch
from ..._core.compat import DEFAULTS, MODES, defaults_of
from ..._core.rules import SWITCHES, Hyper, Rule
from ..._frames import errors_of_use
from ..._schema import MOST_STEPS
from ...functional._elementwise import reference_function

Array = check.Array

# States that are optional.
OPTIONAL = ("momentum_buffer", "grad_avg", "max_exp_avg_sq")


def bounds_of(name: str) -> dict[str, float]:
    """The range of a hyperparameter, as `check_number` takes it; the classes of optimizers use it too."""
    ranges: dict[str, dict[str, float]] = {
        "alpha": {"at_least": 0.0, "at_most": 1.0},
        "beta1": {"at_least": 0.0, "below": 1.0},
        "beta2": {"at_least": 0.0, "below": 1.0},
        "beta2_decay": {"at_most": 0.0},
        "d": {"at_least": 1.0},
        "dampening": {},
        "eta_minus": {"above": 0.0, "below": 1.0},
        "eta_plus": {"above": 1.0},
        "mu_product": {"at_least": 0.0, "at_most": 1.0},
        "ns_a": {},
        "ns_b": {},
        "ns_c": {},
        "ns_steps": {"at_least": 0, "at_most": 99},
        "r": {},
        "rho": {"at_least": 0.0, "at_most": 1.0},
    }
    return ranges.get(name, {"at_least": 0.0})


def repaired(name: str, value: Any) -> float:
    """Convert a hyperparameter to a float; TypeError or ValueError if it cannot be converted."""
    if name in SWITCHES:
        return float(check.check_switch(name, value))
    return check.check_number(name, value, **bounds_of(name))


def hyper_of(*names: str, **fixed: float) -> Hyper:
    """The function that makes the array that an update reads from hyperparameters, each within its range."""
    return Hyper(names, bounds_of, repaired, {}, fixed)


class Modes(dict[str, Hyper]):
    """As `hyper_of`, for each mode of `compat` that the function `name` supports; None is the default of the mode."""

    def __init__(self, name: str, *names: str, **fixed: float) -> None:
        for mode, defaults in DEFAULTS[name].items():
            of_mode = fixed | {"compat": float(MODES.index(mode))}
            self[mode] = Hyper(names, bounds_of, repaired, {n: defaults[n] for n in names if n in defaults}, of_mode)
        self.name = name

    def __missing__(self, compat: Any) -> Hyper:
        return self[str(defaults_of(self.name, compat))]  # raises


def pair(name: str, values: Any) -> tuple[Any, Any]:
    """`values` if there are two; TypeError otherwise."""
    if not (isinstance(values, (tuple, list)) and len(values) == 2):
        raise TypeError(f"{name} must be a pair of numbers, got {values!r}")
    return values[0], values[1]


def number_in(name: str, array: Any) -> float:
    """The hyperparameter in `array`, which must be an array of one number that can be updated in place."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float64:
        kind = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{name} must be an ndarray of float64, which is updated in place, got {kind}")
    if array.size != 1 or not array.flags.writeable:
        raise ValueError(f"{name} must be one number, writable, got shape {array.shape}")
    return check.check_number(name, array.item(), **bounds_of(name))


def _arrays(**arrays: Any) -> list[Array | None]:
    """The arrays of an update, checked: all but grad are written."""
    checked: dict[str, Array | None] = {}
    for name, array in arrays.items():
        if name == "grad":
            checked[name] = check.as_strict(name, array)
        elif array is None and name in OPTIONAL:
            checked[name] = None
        else:
            checked[name] = check.as_writable(name, array)
    check.check_same_dtype(**checked)
    check.check_same_shape(**checked)
    _check_apart(checked)
    return list(checked.values())


def _check_apart(arrays: dict[str, Array | None]) -> None:
    """Refuse to update two arrays that share memory; copy a gradient that the update would write over."""
    written = [(name, array) for name, array in arrays.items() if array is not None and name != "grad"]
    for i, (name, array) in enumerate(written):
        for other, second in written[:i]:
            if np.may_share_memory(array, second):
                raise ValueError(f"{name} and {other} must not share memory, since both are updated in place")
        grad = arrays["grad"]
        assert grad is not None
        arrays["grad"] = check.without_overlap(grad, array, in_place=True)


@errors_of_use
def slow(rule: Rule, name: str, hyper: Array, keywords: dict[str, Any], **given: Any) -> None:
    """The slow path: check and convert arrays, then run `rule`, or the function `name` of the reference."""
    if "step" in keywords:
        keywords["step"] = check.check_integer("step", keywords["step"], at_least=1, at_most=MOST_STEPS)
    arrays = _arrays(**given)
    if dispatch.get_reference():
        reference_function(name)(*arrays, **keywords)
    else:
        param, grad, *states = arrays
        assert param is not None
        assert grad is not None
        rule.run(hyper, keywords.get("step", 1), param, grad, *states)
