from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

def first_bad_label(labels: npt.NDArray[np.int64], cols: int, ignored: int) -> int: ...
def first_bad_target(target: _Array, kind: int) -> int: ...
def multi_hot(labels: npt.NDArray[np.int64], counts: _Array) -> int: ...

ANY: int
SHARES: int
SIGNS: int
NOT_NEGATIVE: int
POSITIVE: int
TARGET_KINDS: dict[str, int]

def target_kind(kernel: str | None, params: tuple[float, ...] = ()) -> int: ...
