from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

class Pairs:
    def __init__(self, name: str) -> None: ...
    def run(self, g: _Array | None, a: _Array, b: _Array, out: _Array, p: float, q: float) -> _Array: ...

def bilinear(g: _Array | None, z: _Array, x2: _Array, bias: _Array | None, out: _Array, outs: int) -> _Array: ...
