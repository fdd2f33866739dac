"""Programs: a network compiled for a batch size, as a flat list of fused operations over one workspace.

`compile_program` (compile.py) makes them; either backend runs them: the compiled one (_core/program.pyx) or NumPy
(reference/program.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._core import dispatch
from .._core.errors import BadIndex, BadTarget
from .._core.sparse import described
from .._locks import MAKING
from .._validation import Array, SparseRows
from ..functional._targets import describe_target
from .backward import Stage
from .counters import SUMS, Counter
from .interfaces import NamedParameter
from .listing import as_html, describe
from .operations import OPERATIONS, Operation


@dataclass
class Program:
    """A network compiled for up to `batch_size` rows; made by `Sequential.compile` and by the trainer.

    `print(program)` lists its operations.
    """

    batch_size: int
    dtype: str
    n_in: int
    n_out: int
    operations: list[Operation]
    sections: dict[str, tuple[int, int]]
    workspace: int
    tick: Array
    stages: list[Stage]
    by_batch: str = ""  # the first layer that normalizes by the statistics of the batch
    named_parameters: tuple[NamedParameter, ...] = field(default=(), repr=False)
    _executors: dict[bool, Any] = field(default_factory=dict)

    @property
    def executor(self) -> Any:
        """What runs the program on the backend in use."""
        on_reference = dispatch.get_reference()
        executor = self._executors.get(on_reference)
        if executor is None:
            with MAKING:
                executor = self._executors.get(on_reference) or self._new_executor(on_reference)
                self._executors[on_reference] = executor
        return executor

    def _new_executor(self, on_reference: bool) -> Any:
        executor: Any
        if on_reference:
            from ..reference.program import ReferenceProgram as executor
        else:
            from .._core.program import NativeProgram as executor
        return executor(self)

    @property
    def sums_size(self) -> int:
        """How many numbers its sums have, where what metrics and heads count is asked for."""
        return max(
            (
                int(o.options["place"]) + (o.kind == "heads_add") + Counter(o.kind).size(o.n_in)
                for o in self.operations
                if "place" in o.options
            ),
            default=0,
        )

    def span(self, first: str, last: str | None = None) -> tuple[int, int]:
        """The operations of the sections from `first` to `last`."""
        return self.sections[first][0], self.sections[last or first][1]

    def check_rows(self, rows: int, batch_size: int) -> None:
        """Raise ValueError if a batch of these rows is a single row where a layer normalizes by the batch."""
        if not self.by_batch or rows == 0 or (batch_size > 1 and rows % batch_size != 1):
            return
        if rows == 1:
            raise ValueError(f"{self.by_batch}: expected more than 1 row to normalize by their statistics, got 1")
        if batch_size == 1:
            raise ValueError(
                f"{self.by_batch}: batches of 1 row have no variance to normalize by: choose a batch_size of at least 2"
            )
        raise ValueError(
            f"{self.by_batch}: the last of the batches of {batch_size} from {rows} rows has 1 row, which has no "
            "variance to normalize by: leave a row out, or choose another batch_size"
        )

    def run(
        self, section: str, rows: int, arguments: dict[str, Array], tick: int | None = None, *, start: int = 0
    ) -> None:
        """Run a section once, on `rows` rows of which the first is row number `start` of the data."""
        try:
            self.executor.run(*self.span(section), rows, arguments, np.zeros(SUMS), tick)
        except BadIndex as error:
            error.args = (error.args[0] + start, *error.args[1:])
            raise self.explained(error) from None

    def predict_rows(self, x: Array, out: Array, start: int) -> None:
        """Write the outputs for any number of rows into `out`; the first one is row number `start` of the data."""
        divide = getattr(self.executor, "predict_rows", None)
        try:
            if divide is not None and divide(x, out):
                return
        except BadIndex as error:
            error.args = (error.args[0] + start, *error.args[1:])
            raise self.explained(error) from None
        for row in range(0, len(x), self.batch_size):
            batch = x[row : row + self.batch_size]
            arguments = {"input": batch, "output": out[row : row + self.batch_size]}
            self.run("forward", len(batch), arguments, start=start + row)

    def predict_sparse(self, x: SparseRows, start: int, out: Array) -> None:
        """Write the outputs for rows of x from `start` on into `out`, which has no more rows than a batch."""
        native = hasattr(self.executor, "predict_rows")
        rows = described(x, start) if native else x[start : start + len(out)]
        self.run("forward", len(out), {"input": rows, "output": out}, start=start)

    def rows_at_once(self) -> int:
        """How many rows `predict_rows` is to be given in one call."""
        most: int = getattr(self.executor, "rows_at_once", lambda: self.batch_size)()
        return most

    def forward_memory(self) -> list[Array] | None:
        """The memory that the forward pass writes, each array once; None if threads cannot run it at the same time."""
        operations = self.operations[slice(*self.sections["forward"])]
        if any(o.kind in ("python", "running", "noise") for o in operations):
            return None
        written = [o.arrays.get(name.rstrip("?")) for o in operations for name in OPERATIONS[o.kind].writes.split()]
        whole = [a if a.base is None else a.base for a in written if isinstance(a, np.ndarray)]
        return list({id(array): array for array in whole}.values())

    def explained(self, error: BadIndex, order: Array | None = None) -> ValueError:
        """What is wrong with a row of the data, or with row order[i] of it, in words."""
        row, column, value, number = error.args
        row = row if order is None else int(order[row])
        operation = self.operations[number]
        if operation.input_columns is None:  # an embedding of what other layers compute
            where = f"its input [{row}, {column}]"
        else:
            where = f"x[{row}, {operation.input_columns[column]}]"
        most = int(operation.options["num_embeddings"]) - 1
        return ValueError(
            f"{operation.label.split()[-1]}: {where} is {value}: codes must be integers between 0 and {most}"
        )

    def explained_target(self, error: BadTarget, order: Array | None = None) -> ValueError:
        """The same of a target that its loss does not take."""
        row, column, value, number = error.args
        row, operation = row if order is None else int(order[row]), self.operations[number]
        where = f"y[{operation.head!r}]" if operation.head else "y"
        where += f"[{row}]" if operation.n_in == 1 else f"[{row}, {column}]"
        return ValueError(describe_target(where, value, str(operation.kernel), operation.params))

    def to_dict(self) -> dict[str, Any]:
        """Return the program as data that `json.dumps` takes: operations, operands, memory with its values, sections.

        docs/programs.md describes it, and has an executor of it in NumPy.

        Returns
        -------
        dict
            With "format" and "version", "fastnn-program" and 1.

        Raises
        ------
        ValueError
            If part of it is Python code: a layer or loss with functions of its own, a forward hook.

        Examples
        --------
        >>> from fastnn import nn
        >>> data = nn.Sequential(nn.Linear(4, 8), nn.ReLU()).compile(16).to_dict()
        >>> data["format"], data["version"], data["batch_size"]
        ('fastnn-program', 1, 16)
        >>> [(o["kind"], o["kernel"]) for o in data["operations"][:2]]
        [('linear', 'relu'), ('copy', None)]
        """
        from .data_form import as_dict

        return as_dict(self)

    def __repr__(self) -> str:
        return f"Program({self.batch_size} rows, {self.dtype}, {len(self.operations)} operations)"

    def __str__(self) -> str:
        return describe(self.operations, self.sections, self.batch_size, self.dtype, self.n_out, self.workspace)

    def _repr_html_(self) -> str:
        return as_html(self.operations, self.sections, self.batch_size, self.dtype, self.n_out, self.workspace)
