from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

HYPERPARAMETERS: tuple[str, ...]
RULES: dict[str, int]

def step(
    rule: str,
    hyper: npt.NDArray[np.float64],
    step: int,
    param: _Array,
    grad: _Array,
    s0: _Array | None = None,
    s1: _Array | None = None,
    s2: _Array | None = None,
) -> None: ...
