from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

class Noise:
    def __init__(self, name: str) -> None: ...
    def quick(
        self, x: Any, parameter: Any, seed: Any, stream: Any, start: Any, most: float, out: Any = None
    ) -> _Array | None: ...
    def run(
        self, x: _Array, out: _Array, parameter: float, seed: int, stream: int, start: int, second: float = ...
    ) -> _Array: ...

def rrelu_backward(
    g: _Array, x: _Array, out: _Array, lower: float, upper: float, seed: int, stream: int, start: int
) -> None: ...
