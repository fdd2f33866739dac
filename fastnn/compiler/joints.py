"""Where values of a graph meet: sums, products, quotients, concatenations, sums over features, parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from .backward import Gradient
from .draft import Draft
from .operations import Operation


@dataclass
class Joint:
    """A value that is computed from others.

    Attributes
    ----------
    label : str
        Of the module.
    source : object
        Of a parameter (layer, name), of a constant its array.
    inputs : list of (matrix, features)
    cols : int
        Features of the value.
    """

    label: str
    source: Any
    inputs: list[tuple[Any, int]]
    cols: int
    y: Any = None
    kernel: ClassVar[str] = ""

    def forward(self, draft: Draft) -> Any:
        """Add the operations that compute the value; returns its matrix."""
        raise NotImplementedError

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        """Add the gradients of the inputs that are wanted, and of a parameter."""
        raise NotImplementedError

    def trained(self, draft: Draft) -> bool:
        """Whether it is a parameter that is trained."""
        return False


def _arithmetic(draft: Draft, kernel: str, x: Any, other: Any, y: Any, cols: int, label: str) -> Any:
    """Add y = x (kernel) other; returns y."""
    arrays = {"x": x, "other": other, "y": y}
    draft.operations.append(Operation("arithmetic", label, arrays, cols, kernel=kernel))
    return y


def _negative(draft: Draft, gradient: Gradient, cols: int, label: str) -> Gradient:
    """Minus a gradient, in place if it may be overwritten."""
    y = gradient.array if gradient.owned else draft.matrix(cols)
    arrays = {"x": gradient.array, "y": y}
    draft.operations.append(Operation("activation", label, arrays, cols, kernel="affine", params=(-1.0, -0.0)))
    return Gradient(y)


class Binary(Joint):
    """Elementwise with two inputs of the same shape."""

    def forward(self, draft: Draft) -> Any:
        (a, _), (b, _) = self.inputs
        self.y = draft.matrix(self.cols)
        return _arithmetic(draft, self.kernel, a, b, self.y, self.cols, f"{self.label}, {self.kernel}")

    def times(self, draft: Draft, kernel: str, gradient: Any, other: Any) -> Gradient:
        """The gradient times, or divided by, another matrix, as a new one."""
        y = draft.matrix(self.cols)
        return Gradient(_arithmetic(draft, kernel, gradient, other, y, self.cols, f"{self.label}, gradient"))


class Sum(Binary):
    """y = a + b"""

    kernel = "add"

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        shared = replace(gradient, owned=False) if all(wanted) else gradient
        return [shared if want else None for want in wanted]


class Difference(Binary):
    """y = a - b"""

    kernel = "subtract"

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        shared = replace(gradient, owned=False) if all(wanted) else gradient
        minus = _negative(draft, shared, self.cols, f"{self.label}, gradient") if wanted[1] else None
        return [shared if wanted[0] else None, minus]


class Product(Binary):
    """y = a b, element by element"""

    kernel = "multiply"

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        (a, _), (b, _) = self.inputs
        return [
            self.times(draft, "multiply", gradient.array, other) if want else None
            for want, other in zip(wanted, (b, a), strict=True)
        ]


class Quotient(Binary):
    """y = a / b: the gradients are g / b and -(g / b) y."""

    kernel = "divide"

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        share = self.times(draft, "divide", gradient.array, self.inputs[1][0])
        if not wanted[1]:
            return [share, None]
        of_b = self.times(draft, "multiply", share.array, self.y)
        return [share if wanted[0] else None, _negative(draft, of_b, self.cols, f"{self.label}, gradient")]


class Concatenation(Joint):
    """Values side by side."""

    def forward(self, draft: Draft) -> Any:
        self.y, start = draft.matrix(self.cols), 0
        for matrix, cols in self.inputs:
            draft.copy_columns(matrix, 0, self.y, start, cols, f"{self.label}, columns {start}...")
            start += cols
        return self.y

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        whole, start, parts = draft.in_workspace(gradient.array, self.cols, "gradient"), 0, []
        for (_, cols), want in zip(self.inputs, wanted, strict=True):
            part = draft.matrix(cols) if want else None
            if part is not None:
                draft.copy_columns(whole, start, part, 0, cols, f"{self.label}, gradient of columns {start}...")
            parts.append(None if part is None else Gradient(part))
            start += cols
        return parts


class SumColumns(Joint):
    """The sum over the features, one column."""

    def forward(self, draft: Draft) -> Any:
        (matrix, cols), y = self.inputs[0], draft.matrix(1)
        draft.operations.append(Operation("sum_columns", f"{self.label}, sum", {"x": matrix, "y": y}, cols, 1))
        return y

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        return [Gradient(_expand(draft, gradient.array, self.inputs[0][1], f"{self.label}, gradient of a sum"))]


class ExpandColumns(Joint):
    """One column, repeated."""

    def forward(self, draft: Draft) -> Any:
        return _expand(draft, self.inputs[0][0], self.cols, f"{self.label}, repeated")

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        grad_input, label = draft.matrix(1), f"{self.label}, gradient of a column"
        arrays = {"x": gradient.array, "y": grad_input}
        draft.operations.append(Operation("sum_columns", label, arrays, self.cols, 1))
        return [Gradient(grad_input)]


class Constant(Joint):
    """The same row for each sample."""

    def forward(self, draft: Draft) -> Any:
        y = draft.matrix(self.cols)
        arrays = {"weight": self.array(draft.dtype), "y": y}
        draft.operations.append(Operation("expand_rows", f"{self.label}, a row", arrays, self.cols))
        return y

    def array(self, dtype: str) -> Any:
        """The values of the row."""
        return np.array(self.source, dtype)

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        return []


class Parameter(Constant):
    """A parameter of the module, as a row for each sample; its gradient is the sum over the rows."""

    def array(self, dtype: str) -> Any:
        layer, name = self.source
        return layer.array(name)

    def trained(self, draft: Draft) -> bool:
        layer, name = self.source
        return draft.parameters and name in layer.trained_names()

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        layer, name = self.source
        own = layer.gradient(name)
        draft.sum_rows(gradient.array, own, self.cols, f"{self.label}, {name}", accumulate=draft.accumulates(own))
        return []


def _expand(draft: Draft, column: Any, cols: int, label: str) -> Any:
    """Add the operation that repeats a column; returns the matrix."""
    y = draft.matrix(cols)
    draft.operations.append(Operation("expand_columns", label, {"x": column, "y": y}, 1, cols))
    return y


JOINTS: dict[str, type[Joint]] = {
    "add": Sum,
    "subtract": Difference,
    "multiply": Product,
    "divide": Quotient,
    "concat": Concatenation,
    "sum": SumColumns,
    "expand": ExpandColumns,
    "constant": Constant,
    "parameter": Parameter,
}
