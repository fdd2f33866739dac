from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

def limit_norms(codes: _Array, weight: _Array, max_norm: float, norm_type: float) -> None: ...

class Bags:
    def __init__(
        self,
        codes: _Array,
        weight: _Array,
        offsets: _Array | None,
        size: int,
        bags: int,
        mode: str,
        sample: _Array | None,
        padding: int,
        by_freq: bool = False,
    ) -> None: ...
    def run(self, out: _Array) -> _Array: ...
    def backward(self, g: _Array, grad_weight: _Array) -> _Array: ...
