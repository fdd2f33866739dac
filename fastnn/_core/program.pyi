from typing import Any

import numpy as np
import numpy.typing as npt

from ..program import Program

Array = npt.NDArray[Any]

SLOT_NAMES: tuple[str, ...]

class NativeProgram:
    def __init__(self, plan: Program) -> None: ...
    def predict(self, x: Any) -> Array | None: ...
    def step(self, x: Any, y: Any) -> float | None: ...
    def run(self, first: int, last: int, rows: int, slots: dict[str, Array], sums: npt.NDArray[np.float64]) -> None: ...
    def run_batches(
        self,
        first: int,
        last: int,
        x: Array,
        target: Array,
        sample_weight: Array | None,
        order: npt.NDArray[np.int64] | None,
        start: int,
        stop: int,
        batch_size: int,
        staging: tuple[Array | None, ...] | None,
        sums: npt.NDArray[np.float64],
    ) -> int: ...

class BadLabel(Exception): ...
