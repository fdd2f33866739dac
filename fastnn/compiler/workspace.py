"""What a plan fills: the matrices and the operations of a program that is being made."""

from __future__ import annotations

from typing import Any

from .._core.operations import ACCUMULATE
from .._validation import Array
from .program import Buffer, Operation, Part, Slot
from .stages import Stage


class Workspace:
    """Matrices, operations and stages so far, and what the next layer reads."""

    def __init__(
        self,
        n_in: int,
        batch_size: int,
        dtype: str,
        *,
        train: bool,
        seed: int,
        tick: Array,
        accumulate: bool = False,
    ) -> None:
        self.n_in, self.batch_size, self.dtype, self.train = n_in, batch_size, dtype, train
        self.accumulate = accumulate  # the gradients of parameters are added to those there
        self.seed, self.tick = seed, tick
        self.stages: list[Stage] = []  # of the chain of layers that is being planned
        self.operations: list[Operation] = []
        self.sections: dict[str, tuple[int, int]] = {}
        self.buffers: list[Buffer] = []
        self.nbytes = 0  # of the workspace, besides the buffers
        self.cols = n_in
        self.current: Any = Slot("input")  # what the next layer reads
        self.gradient: Any = None  # with respect to what the last layer wrote
        self.running: list[Operation] = []  # the updates of running statistics
        self.by_batch = ""  # the first layer that normalizes by the statistics of the batch

    def buffer(self, cols: int) -> Buffer:
        """A new matrix of the workspace."""
        self.buffers.append(Buffer(cols))
        return self.buffers[-1]

    def in_workspace(self, array: Any, cols: int, label: str) -> Any:
        """`array`, copied if its place is known only at the run: Python code and parts of matrices need a place."""
        if not isinstance(array, Slot):
            return array
        copy = self.buffer(cols)
        copy.columns = self._columns_of(array)
        self.operations.append(Operation("copy", label, {"x": array, "y": copy}, cols))
        return copy

    def add_stage(self, stage: Stage, operation: Operation) -> None:
        """Go on with what a stage wrote."""
        self.stages.append(stage)
        self.operations.append(operation)
        self.current, self.cols = stage.y, stage.n_out

    def add(self, a: Any, b: Any, y: Any, cols: int, label: str) -> None:
        """y = a + b."""
        self.operations.append(sum_of(label, a, b, y, cols))

    def copy_columns(
        self,
        x: Any,
        x_start: int,
        y: Any,
        y_start: int,
        cols: int,
        label: str,
        factor: float = 1.0,
        counted: bool = False,
    ) -> None:
        """Columns of x, times a factor, become columns of y; x is a buffer or, taken as a whole, a slot.

        If `counted`, they are also multiplied by what the batch counts for: its samples, or their weights.
        """
        strides = (float(getattr(x, "cols", cols)), float(y.cols), factor)
        source = x if isinstance(x, Slot) else Part(x, x_start, cols)
        arrays = {"x": source, "y": Part(y, y_start, cols)}
        if counted:
            arrays["sample_weight"] = Slot("sample_weight")
        flag = ACCUMULATE if counted else 0
        self.operations.append(Operation("columns", label, arrays, cols, 0, None, strides, flag))

    def _columns_of(self, array: Any) -> tuple[int, ...] | None:
        """Which columns of the network's input a matrix consists of; None if it is computed."""
        columns: tuple[int, ...] | None = tuple(range(self.n_in)) if isinstance(array, Slot) else array.columns
        return columns


def sum_of(label: str, a: Any, b: Any, y: Any, cols: int) -> Operation:
    """y = a + b, as the operation that combines two matrices by an elementwise kernel."""
    return Operation("activation_backward", label, {"grad_y": a, "saved": b, "grad_x": y}, cols, 0, "add")
