from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

def dropout(x: _Array, out: _Array, p: float, seed: int, stream: int, start: int) -> _Array: ...
