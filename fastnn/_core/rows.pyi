from typing import Any

import numpy.typing as npt

def widen(x: npt.NDArray[Any], out: npt.NDArray[Any], scale: float) -> None: ...
