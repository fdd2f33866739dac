from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

def weight_sum(weight: Array) -> float: ...
def first_bad_label(labels: npt.NDArray[np.int64], cols: int) -> int: ...

class Loss:
    def __init__(self, name: str) -> None: ...
    def run(
        self,
        x: Array,
        t: Array,
        weight: Array | None,
        values: Array | None,
        grad: Array | None,
        scale: float = 1.0,
        parameter: float = 0.0,
    ) -> float: ...

class RowLoss:
    def __init__(self, name: str) -> None: ...
    def run(
        self,
        x: Array,
        labels: npt.NDArray[np.int64] | None,
        q: Array | None,
        weight: Array | None,
        values: Array | None,
        grad: Array | None,
        scale: float = 1.0,
        parameter: float = 0.0,
    ) -> float: ...
