from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

def first_bad_label(labels: npt.NDArray[np.int64], cols: int) -> int: ...

class Loss:
    def __init__(self, name: str, root: bool = False) -> None: ...
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
    def evaluate(
        self,
        x: _Array,
        t: _Array,
        weight: _Array | None,
        reduction: str,
        factor: float,
        value: bool,
        gradient: bool,
        parameter: float = 0.0,
    ) -> tuple[Any, Any]: ...
    def quick(
        self,
        x: Any,
        t: Any,
        weight: Any,
        reduction: Any,
        g: Any,
        value: bool,
        gradient: bool,
        parameter: Any = 0.0,
    ) -> tuple[Any, Any] | None: ...

class RowLoss(Loss):
    def __init__(self, name: str, probabilities: bool = False) -> None: ...
