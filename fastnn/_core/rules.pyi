from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]
_Hyper = npt.NDArray[np.float64]

HYPERPARAMETERS: tuple[str, ...]
SWITCHES: tuple[str, ...]
CLIPPING: tuple[str, ...]
RULES: dict[str, Rule]

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
    def __init__(self, place: int) -> None: ...
    def quick(
        self, hyper: Any, step: Any, param: Any, grad: Any, state0: Any = None, state1: Any = None, state2: Any = None
    ) -> bool: ...
    def run(
        self,
        hyper: _Hyper,
        step: int,
        param: _Array,
        grad: _Array,
        state0: _Array | None = None,
        state1: _Array | None = None,
        state2: _Array | None = None,
    ) -> None: ...
