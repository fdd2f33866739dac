"""Targets of two classes: a check of their range, and messages that say how to convert them."""

from __future__ import annotations

import numpy as np

from .._core.targets import NOT_NEGATIVE, POSITIVE, SIGNS, first_bad_target, target_kind
from .._validation import Array

MORE = "more classes need {}, and one output for each"


def describe_target(where: str, value: float, kernel: str, params: tuple[float, ...] = ()) -> str:
    """The error message for a target `value`, found at `where`, that is out of the range of the kernel's loss."""
    many = value > 1 and value.is_integer()  # like a label of several classes
    kind = target_kind(kernel, params)
    if kind in (NOT_NEGATIVE, POSITIVE):
        return f"{where} is {value:g}: targets must be {'above 0' if kind == POSITIVE else '0 or more'}"
    if kind == SIGNS:
        text = f"{where} is {value:g}: targets must be -1 or 1"
        if value in (0, 255):
            return f"{text}; labels of two classes become that by np.where(y > 0, 1, -1)"
        return f"{text}; {MORE.format('MultiMarginLoss')}" if many else text
    text = f"{where} is {value:g}: targets must be between 0 and 1"
    if value in (-1, 255):
        return f"{text}; labels of two classes become that by y > 0"
    return f"{text}; labels of 1 and 2 become that by y - 1; {MORE.format('CrossEntropyLoss')}" if many else text


def check_targets(name: str, target: Array, kernel: str, params: tuple[float, ...] = ()) -> None:
    """Raise ValueError if a number in `target`, called `name`, is out of the range of the kernel's loss."""
    bad = first_bad_target(target, target_kind(kernel, params))
    if bad >= 0:
        place = [int(i) for i in np.unravel_index(bad, target.shape)]
        raise ValueError(describe_target(f"{name}{place or ''}", float(target.flat[bad]), kernel, params))
