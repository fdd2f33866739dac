from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

class GroupNorm:
    def __init__(self, groups: int, length: int) -> None: ...
    def run(self, x: _Array, weight: _Array | None, bias: _Array | None, out: _Array, eps: float) -> None: ...
    def backward(
        self,
        g: _Array,
        x: _Array,
        weight: _Array | None,
        grad_x: _Array,
        grad_weight: _Array | None,
        grad_bias: _Array | None,
        eps: float,
    ) -> None: ...
