from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]
_Hyper = npt.NDArray[np.float64]

HYPERPARAMETERS: tuple[str, ...]
SWITCHES: tuple[str, ...]
KINDS: dict[str, tuple[int, int]]
RULES: dict[str, Rule]
CLIPPING: tuple[str, ...]
NOT_FINITE: str
SPAN: np.dtype[np.void]

def step(rule: str, given: dict[str, _Array]) -> None: ...

class Hyper:
    def __init__(
        self,
        names: tuple[str, ...],
        bounds: Callable[[str], dict[str, float]],
        slow: Callable[[str, Any], float],
        defaults: dict[str, float],
        fixed: dict[str, float],
    ) -> None: ...
    def __call__(self, *values: Any) -> _Hyper: ...
    def named(self, hyper: _Hyper) -> dict[str, float]: ...

class Rule:
    def __init__(self, name: str) -> None: ...
    def quick(
        self, hyper: Any, step: Any, param: Any, grad: Any, s0: Any = None, s1: Any = None, s2: Any = None
    ) -> bool: ...
    def run(
        self,
        hyper: _Hyper,
        step: int,
        param: _Array,
        grad: _Array,
        s0: _Array | None = None,
        s1: _Array | None = None,
        s2: _Array | None = None,
    ) -> None: ...
