from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]

def quick_linear(
    x: Any, weight: Any, bias: Any, activation: str | None = None, a: float = 0.0, b: float = 0.0
) -> Array | None: ...
def linear(
    x: Array,
    weight: Array,
    bias: Array | None,
    out: Array,
    activation: str | None = None,
    a: float = 0.0,
    b: float = 0.0,
) -> Array: ...
def linear_backward(
    grad_output: Array,
    x: Array,
    weight: Array,
    weight_t: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None: ...
