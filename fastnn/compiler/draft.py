"""A program that is being made: its matrices and operations so far."""

from __future__ import annotations

from typing import Any

from .._core.operations import ACCUMULATE
from .._validation import Array
from .interfaces import Layer
from .memory import Argument, Matrix, MatrixPart, aligned_zeros
from .operations import Operation


class Draft:
    """Matrices and operations so far, and what the next layer reads.

    Parameters
    ----------
    n_in, batch_size : int
        Columns of the input; rows of the largest batch.
    dtype : str
    train : bool
        Whether layers work as in training.
    seed : int
        Of the noise of dropout.
    tick : ndarray of int64, shape (1,)
        Counts the batches of the network: the noise is drawn by it.
    accumulate : bool
        Whether gradients of parameters are added to those there.
    saves : bool, optional
        Whether what a backward pass reads is kept; by default that of `train`.
    parameters : bool, default True
        Whether a backward pass computes the gradients of parameters.
    """

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
        saves: bool | None = None,
        parameters: bool = True,
    ) -> None:
        self.n_in, self.batch_size, self.dtype, self.train = n_in, batch_size, dtype, train
        self.accumulate, self.seed, self.tick = accumulate, seed, tick
        self.saves, self.parameters = train if saves is None else saves, parameters
        self.operations: list[Operation] = []
        self.matrices: list[Matrix] = []
        self.nbytes = 0  # of the workspace, besides the matrices
        self.cols = n_in
        self.current: Any = Argument("input")  # what the next layer reads, of `cols` columns
        self.gradient: Any = None  # of what the last layer wrote
        self._written: set[int] = set()  # addresses of the gradients of parameters that have been computed

    def trains(self, layer: Layer) -> bool:
        """Whether gradients of parameters of a layer, or of those that it is made of, are computed."""
        return self.parameters and any(module.trained_names() for module in layer.modules())

    def accumulates(self, gradient: Array) -> bool:
        """Whether a gradient of a parameter is added to what is there: another use of the parameter, or batches before.

        The gradient counts as computed from now on.
        """
        address = gradient.__array_interface__["data"][0] if gradient.size else 0
        before = address in self._written
        self._written.add(address)
        return self.accumulate or before

    def matrix(self, cols: int) -> Matrix:
        """A new matrix of the workspace."""
        self.matrices.append(Matrix(cols))
        return self.matrices[-1]

    def scratch(self, shape: tuple[int, ...]) -> Array:
        """An array of the workspace that nothing reads."""
        array = aligned_zeros(shape, self.dtype)
        self.nbytes += array.nbytes
        return array

    def in_workspace(self, array: Any, cols: int, label: str) -> Any:
        """`array`, or a copy of an argument: Python code, and parts of matrices, need an address before the run."""
        if not isinstance(array, Argument):
            return array
        copy = self.matrix(cols)
        copy.input_columns = self.input_columns_of(array)
        self.operations.append(Operation("copy", label, {"x": array, "y": copy}, cols))
        return copy

    def add(self, a: Any, b: Any, y: Any, cols: int, label: str) -> None:
        """Add the operation y = a + b."""
        self.operations.append(Operation("arithmetic", label, {"x": a, "other": b, "y": y}, cols, kernel="add"))

    def sum_rows(self, grad_output: Any, gradient: Array, cols: int, label: str, *, accumulate: bool) -> None:
        """Add the operation that makes the sums of the columns of grad_output the gradient of a parameter."""
        flag = ACCUMULATE if accumulate else 0
        arrays = {"grad_output": grad_output, "grad_weight": gradient}
        self.operations.append(Operation("expand_rows_backward", label, arrays, cols, flag=flag))

    def copy_columns(
        self,
        x: Any,
        x_start: int,
        y: Matrix,
        y_start: int,
        cols: int,
        label: str,
        factor: float = 1.0,
        counted: bool = False,
    ) -> None:
        """Add the operation that copies columns of x, times a factor, into columns of y.

        x is a matrix or, taken as a whole, an argument. If `counted`, they are also multiplied by what the gradients of
        the batch are divided by: its samples, or their weights.
        """
        strides = {"x_stride": getattr(x, "cols", cols), "y_stride": y.cols, "factor": factor}
        source = x if isinstance(x, Argument) else MatrixPart(x, x_start, cols)
        arrays = {"x": source, "y": MatrixPart(y, y_start, cols)}
        if counted:
            arrays["sample_weight"] = Argument("sample_weight")
        flag = ACCUMULATE if counted else 0
        self.operations.append(Operation("copy_columns", label, arrays, cols, options=strides, flag=flag))

    def input_columns_of(self, array: Any) -> tuple[int, ...] | None:
        """The columns of the network's input that a matrix consists of; None if it is computed."""
        columns: tuple[int, ...] | None = (
            tuple(range(self.n_in)) if isinstance(array, Argument) else array.input_columns
        )
        return columns
