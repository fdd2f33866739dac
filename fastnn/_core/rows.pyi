from typing import Any

import numpy.typing as npt

SOURCES: dict[str, int]

def widen(x: npt.NDArray[Any], out: npt.NDArray[Any], scale: float) -> bool: ...
