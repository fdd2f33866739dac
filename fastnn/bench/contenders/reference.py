"""The reference backend of fastnn: plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastnn
import fastnn.reference as F

from .. import data
from ..cases import Case
from . import native
from .common import Run, in_place, on_parameters, repeated

VERSION = f"NumPy {np.__version__}"


def _on_reference(run: Run) -> Run:
    def run_on_reference(n: int) -> Any:
        with fastnn.use_backend("reference"):
            return run(n)

    return run_on_reference


def fit(case: Case) -> Run:
    """The same program, in NumPy."""
    return _on_reference(native.fit(case))


def step(case: Case) -> Run:
    """The same program, in NumPy."""
    return _on_reference(native.step(case))


def predict(case: Case) -> Run:
    """The same program, in NumPy."""
    return _on_reference(native.predict(case))


def linear(case: Case) -> Run:
    """Product, sum and maximum."""
    x, weight, bias, _ = data.product(case)
    return repeated(lambda: F.linear(x, weight, bias, "relu"))


def linear_backward(case: Case) -> Run:
    """Two products and a sum."""
    x, weight, _, grad = data.product(case)
    return repeated(lambda: F.linear_backward(grad, x, weight))


def function(case: Case) -> Run:
    """The function of the same name."""
    called, arguments, options = getattr(F, case.operation), data.arguments(case), case.options
    return repeated(lambda: called(*arguments, **options))


def update(case: Case) -> Run:
    """The update function, in place."""
    called, arguments = getattr(F, case.operation), data.arguments(case)
    return in_place(repeated(lambda: called(*arguments, **case.options)), arguments[0])


def parameters(case: Case) -> Run:
    """The function of the same name."""
    return on_parameters(getattr(F, case.operation), case)


def cross_entropy(case: Case) -> Run:
    """Value, then gradient."""
    x, labels = data.arguments(case)
    return repeated(lambda: (F.cross_entropy(x, labels), F.cross_entropy_backward(1.0, x, labels)))
