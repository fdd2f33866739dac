from collections.abc import Callable
from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

CHEAP: float
DEAR: float
SIMPLE: set[str]
NOT_ZERO: int
ASCENDING: int
NOT_NEGATIVE: int

def cost_of(name: str) -> float: ...

class Map1:
    def __init__(self, name: str, slow: Callable[..., _Array], rule: int = 0) -> None: ...
    def __call__(self, x: Any, out: _Array | None = None, a: float = 0.0, b: float = 0.0) -> _Array: ...
    def run(self, x: _Array, out: _Array, a: float, b: float) -> None: ...

class Map2:
    def __init__(self, name: str, slow: Callable[..., _Array], rule: int = 0) -> None: ...
    def __call__(self, g: Any, x: Any, out: _Array | None = None, a: float = 0.0, b: float = 0.0) -> _Array: ...
    def run(self, g: _Array, x: _Array, out: _Array, a: float, b: float) -> None: ...
