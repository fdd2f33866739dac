from typing import Any

import numpy as np
import numpy.typing as npt

NOT_FINITE: str
SPAN: np.dtype[np.void]

def step(rule: str, given: dict[str, npt.NDArray[Any]]) -> None: ...
