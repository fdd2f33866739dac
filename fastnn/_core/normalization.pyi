from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

ROW_STATISTICS: int
COLUMN_STATISTICS: int

class RowNorm:
    def __init__(self, name: str) -> None: ...
    def quick(self, x: Any, weight: Any, bias: Any, eps: Any, out: Any = None) -> _Array | None: ...
    def run(self, x: _Array, weight: _Array | None, bias: _Array | None, out: _Array, eps: float) -> None: ...
    def quick_backward(self, g: Any, x: Any, weight: Any, eps: Any) -> tuple[_Array, _Array, _Array] | None: ...
    def backward(
        self,
        g: _Array,
        x: _Array,
        weight: _Array | None,
        grad_x: _Array,
        grad_weight: _Array,
        grad_bias: _Array,
        eps: float,
    ) -> None: ...

def quick_batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    training: Any,
    momentum: Any,
    eps: Any,
    out: Any = None,
) -> _Array | None: ...
def batch_norm(
    x: _Array,
    running_mean: _Array | None,
    running_var: _Array | None,
    weight: _Array | None,
    bias: _Array | None,
    out: _Array,
    training: bool,
    momentum: float,
    eps: float,
) -> None: ...
def batch_norm_backward(
    g: _Array,
    x: _Array,
    running_mean: _Array | None,
    running_var: _Array | None,
    weight: _Array | None,
    grad_x: _Array,
    grad_weight: _Array,
    grad_bias: _Array,
    eps: float,
) -> None: ...
