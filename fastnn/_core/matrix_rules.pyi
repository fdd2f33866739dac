from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

def scratch_needed(rule: str, n: int, rows: int, cols: int) -> int: ...
def step(
    rule: str,
    hyper: npt.NDArray[np.float64],
    step: int,
    param: _Array,
    grad: _Array,
    state0: _Array,
    state1: _Array | None,
    rows: int,
    cols: int,
    scratch: _Array,
) -> None: ...
