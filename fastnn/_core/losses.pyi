from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

def weight_sum(weight: _Array) -> float: ...
def first_bad_label(labels: npt.NDArray[np.int64], cols: int) -> int: ...

class Loss:
    def __init__(self, name: str) -> None: ...
    def run(
        self,
        x: _Array,
        t: _Array,
        weight: _Array | None,
        values: _Array | None,
        grad: _Array | None,
        scale: float = 1.0,
        parameter: float = 0.0,
    ) -> float: ...

class RowLoss:
    def __init__(self, name: str) -> None: ...
    def run(
        self,
        x: _Array,
        labels: npt.NDArray[np.int64] | None,
        q: _Array | None,
        weight: _Array | None,
        values: _Array | None,
        grad: _Array | None,
        scale: float = 1.0,
        parameter: float = 0.0,
    ) -> float: ...
