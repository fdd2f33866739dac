from typing import Any

import numpy.typing as npt

_Array = npt.NDArray[Any]

def quick_linear(
    x: Any, weight: Any, bias: Any, out: Any, activation: str | None = None, a: float = 0.0, b: float = 0.0
) -> _Array | None: ...
def linear(
    x: _Array,
    weight: _Array,
    bias: _Array | None,
    out: _Array,
    activation: str | None = None,
    a: float = 0.0,
    b: float = 0.0,
) -> _Array: ...
def quick_linear_backward(grad_output: Any, x: Any, weight: Any) -> tuple[_Array, _Array, _Array] | None: ...
def linear_backward(
    grad_output: _Array,
    x: _Array,
    weight: _Array,
    grad_x: _Array,
    grad_weight: _Array,
    grad_bias: _Array,
) -> None: ...
