from typing import Any

import numpy as np
import numpy.typing as npt

COLUMNS: int
MOST_IN: int

def weight_shape(n_in: int, n_out: int) -> tuple[int, int]: ...
def linear_int8(
    x: npt.NDArray[Any],
    weight: npt.NDArray[np.int8],
    scale: npt.NDArray[np.float64],
    bias: npt.NDArray[Any] | None,
    out: npt.NDArray[Any],
) -> None: ...
