from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

ARGUMENTS: tuple[str, ...]

class NativeProgram:
    def __init__(self, plan: Any) -> None: ...
    def predict(self, x: Any) -> _Array | None: ...
    def step(self, x: Any, y: Any) -> float | None: ...
    def run(
        self,
        first: int,
        last: int,
        rows: int,
        slots: dict[str, _Array],
        sums: npt.NDArray[np.float64],
        tick: int | None = None,
    ) -> None: ...
    def run_batches(
        self,
        first: int,
        last: int,
        x: _Array,
        target: _Array,
        sample_weight: _Array | None,
        order: npt.NDArray[np.int64] | None,
        start: int,
        stop: int,
        batch_size: int,
        staging: tuple[_Array | None, ...] | None,
        sums: npt.NDArray[np.float64],
        train: bool,
        halt: bool = False,
        schedule: tuple[_Array, _Array, _Array] | None = None,
        losses: npt.NDArray[np.float64] | None = None,
        mix: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]] | None = None,
        scale: float = 1.0,
        accumulate: int = 1,
        mean_weight: float = 0.0,
    ) -> int: ...
