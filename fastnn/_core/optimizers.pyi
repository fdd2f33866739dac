from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

HYPERPARAMETERS: tuple[str, ...]
RULES: dict[str, int]

def step(
    rule: str,
    hyper: npt.NDArray[np.float64],
    step: int,
    param: Array,
    grad: Array,
    s0: Array | None = None,
    s1: Array | None = None,
    s2: Array | None = None,
) -> None: ...
