from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

ARGUMENTS: tuple[str, ...]

class NativeProgram:
    def __init__(self, program: Any) -> None: ...
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
    def run_batches(self, first: int, last: int, run: Any) -> int: ...
    def run_epochs(
        self, first: int, last: int, run: Any, seed: int, stream: int, seconds: npt.NDArray[np.float64]
    ) -> int: ...
    def interrupt(self) -> None: ...
