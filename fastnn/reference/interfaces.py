"""What this backend reads of a program and of an optimizer: the classes above it, as far as it knows them."""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from .elementary import Array


class Operation(Protocol):
    """An operation of a program; fastnn/compiler/operations.py describes the fields."""

    kind: str
    label: str
    arrays: dict[str, Any]
    n_in: int
    n_out: int
    kernel: str | None
    params: tuple[float, ...]
    options: dict[str, float]
    flag: int
    seed: int
    stream: int
    call: Callable[[int, Any], tuple[float, float] | None] | None
    loss: Any
    optimizer: Any


class Program(Protocol):
    """A compiled network; fastnn/compiler/program.py describes the fields."""

    operations: Any
    sections: dict[str, tuple[int, int]]
    tick: Array
    n_out: int
    dtype: str


class BatchRun(Protocol):
    """Rows to run a program on; fastnn/compiler/batch_run.py describes the fields."""

    x: Array
    target: Array
    sample_weight: Array | None
    order: Array | None
    start: int
    stop: int
    batch_size: int
    staging: tuple[Array | None, ...] | None
    sums: Array
    train: bool
    halt: bool
    schedule: tuple[Array, Array, Array] | None
    losses: Array | None
    mix: tuple[Array, Array] | None
    scale: float
    accumulate: int
    mean_weight: float
    penalties: Array | None
    divisor: Array | None


class Optimizer(Protocol):
    """An optimizer; fastnn/optim/optimizer.py describes the fields."""

    function: ClassVar[Any]  # the update
    param_groups: Any
    max_grad_norm: Any
    max_grad_value: Any
    error_if_nonfinite: Any

    def at(self, group: int) -> Any:
        """The optimizer with the hyperparameters of a group."""

    def operands(self, span: Any, param: Array, grad: Array) -> tuple[Array | None, ...]:
        """The arrays of the update function for a range of the flat buffers."""
