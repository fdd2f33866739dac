from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]

def dropout(x: Array, out: Array, p: float, seed: int, stream: int, start: int) -> Array: ...
