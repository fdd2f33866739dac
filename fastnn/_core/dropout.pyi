from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

def quick_dropout(x: Any, p: Any, seed: Any, stream: Any, start: Any) -> _Array | None: ...
def dropout(x: _Array, out: _Array, p: float, seed: int, stream: int, start: int) -> _Array: ...
