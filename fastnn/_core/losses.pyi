from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

_Params = tuple[float, ...]

class Loss:
    name: str
    def targets(self, params: _Params) -> int: ...
    def __init__(self, name: str, root: bool = False, pair: bool = False, signed: bool = False) -> None: ...
    def run(
        self,
        x: _Array,
        t: _Array,
        weight: _Array | None,
        values: _Array | None,
        grad: _Array | None,
        scale: float = 1.0,
        params: _Params = (),
        extra: _Array | None = None,
        grad_extra: _Array | None = None,
        grad_target: _Array | None = None,
    ) -> float: ...
    def evaluate(
        self,
        x: _Array,
        t: _Array,
        weight: _Array | None,
        reduction: str,
        factor: float,
        value: bool,
        gradient: bool,
        params: _Params = (),
        extra: _Array | None = None,
        factors: _Array | None = None,
    ) -> tuple[Any, Any]: ...
    def quick(
        self,
        x: Any,
        t: Any,
        weight: Any,
        reduction: Any,
        g: Any,
        value: bool,
        gradient: bool,
        params: _Params = (),
        extra: Any = None,
    ) -> tuple[Any, Any] | None: ...

class RowLoss(Loss):
    def __init__(self, name: str, classes: bool = True, like: bool = False, shared: bool = True) -> None: ...

class VectorsLoss(Loss):
    def __init__(self, name: str, three: bool) -> None: ...
