"""Arrays that an optimizer updates without a network: `optim.Adam([w, b])`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from .. import _validation as check
from ..nn.parameters import Parameters

Array = check.Array


class ArrayParameters(Parameters):
    """Parameters that hold a copy of arrays of the user, which each step of an optimizer reads and writes.

    Their names are "0", "1", and so on.

    Parameters
    ----------
    arrays : list of ndarray
        Of one dtype, float32 or float64, and any shape and layout; each with its own memory.

    Raises
    ------
    TypeError, ValueError
        If an array cannot be updated in place, has another dtype than the first, or shares memory with another.
    """

    _internal: ClassVar[tuple[str, ...]] = ("arrays", "load", "step", "store", "take")
    fixed: ClassVar[tuple[str, ...]] = (*Parameters.fixed, "arrays")

    def __init__(self, arrays: list[Array]) -> None:
        for i, array in enumerate(arrays):
            _check(f"params[{i}]", array)
            check.check_same_dtype(**{"params[0]": arrays[0], f"params[{i}]": array})
        for (i, first), (j, second) in combinations(enumerate(arrays), 2):
            if np.may_share_memory(first, second) and np.shares_memory(first, second):
                raise ValueError(f"params[{j}] and params[{i}] must not share memory, since both are updated in place")
        super().__init__({str(i): array.shape for i, array in enumerate(arrays)}, arrays[0].dtype)
        self.arrays = list(arrays)
        self.load()

    def load(self) -> None:
        """Copy the values of the arrays."""
        for parameter, array in zip(self, self.arrays, strict=True):
            parameter.data[...] = array

    def store(self) -> None:
        """Set the arrays to the values here."""
        for parameter, array in zip(self, self.arrays, strict=True):
            array[...] = parameter.data

    def take(self, grads: Any) -> None:
        """Copy the gradients, a list of arrays like the parameters; TypeError or ValueError if they do not fit."""
        if not isinstance(grads, (list, tuple)):
            raise TypeError(f"grads must be a list of arrays, one for each parameter, got {type(grads).__name__}")
        if len(grads) != len(self):
            raise ValueError(f"grads must have {len(self)} arrays, one for each parameter, got {len(grads)}")
        taken = []
        for i, (parameter, grad) in enumerate(zip(self, grads, strict=True)):
            taken.append(check.as_strict(f"grads[{i}]", grad))
            check.check_same_dtype(**{f"params[{i}]": parameter.data, f"grads[{i}]": taken[i]})
            check.check_shape(f"grads[{i}]", taken[i], parameter.shape, f"like params[{i}]")
        for parameter, grad in zip(self, taken, strict=True):
            parameter.grad[...] = grad

    def step(self, update: Callable[..., Any], closure: Callable[[], Any] | None, grads: Any) -> Any:
        """Call `update`, a step of an optimizer, with these gradients or closure; return the loss."""
        if (closure is None) == (grads is None):
            raise TypeError(
                "the step of an optimizer of arrays needs their gradients: step(grads=[...]), or step(closure) with a "
                "closure that returns (loss, grads). For a network, make the optimizer from net.parameters()"
            )
        self.load()
        try:
            if closure is not None:
                return update(lambda: self._evaluate(closure))
            self.take(grads)
            return update(None)
        finally:
            self.store()

    def _evaluate(self, closure: Callable[[], Any]) -> Any:
        """Call a user's closure at the current values; keep the gradients that it returns, and return the loss."""
        self.store()
        returned = closure()
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise TypeError(f"closure must return (loss, grads) where arrays are optimized, got {returned!r:.60}")
        loss, grads = returned
        self.take(grads)
        self.load()  # the closure may have set values
        return loss

    def __getstate__(self) -> Any:
        """What copies and pickles are made of: the arrays, which become those of the copy, and the flat buffers."""
        return self.arrays, super().__getstate__()

    def __setstate__(self, state: Any) -> None:
        arrays, parameters = state
        super().__setstate__(parameters)
        self.arrays = arrays


def _check(name: str, array: Any) -> None:
    """Raise TypeError or ValueError unless an array can be updated in place."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be an ndarray, which is updated in place, got {type(array).__name__}")
    check.as_strict(name, array)
    if not array.dtype.isnative:
        raise TypeError(f"{name} must have the byte order of this machine: params.astype({array.dtype.name!r})")
    if not array.flags.writeable:
        raise ValueError(f"{name} must be writable, since it is updated in place")
    if array.size and any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True)):
        raise ValueError(f"{name} must not repeat elements (broadcast_to), since it is updated in place")


def all_arrays(given: Iterable[Any]) -> bool:
    """Whether all of these are arrays, and there is one."""
    kinds = [isinstance(one, np.ndarray) for one in given]
    return bool(kinds) and all(kinds)
