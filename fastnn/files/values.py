"""Values as JSON, without loss: what JSON has stands for itself, everything else is an object whose one key says what.

{"tuple": [...]}, {"dict": [[key, value], ...]}, {"slice": [start, stop, step]}, {"range": ...}, {"float": "nan"},
{"array": name of a tensor}; and what subclasses of `Values` add.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._validation import Array
from .format import DTYPES, FileFormatError

RANGES: dict[Any, Any] = {"slice": slice, "range": range}
ITEMS: dict[Any, Any] = {"tuple": tuple, "dict": dict}
FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
MOST_IN_RANGES = 10**6  # integers in all ranges of a file: who takes a range may go through it
KINDS = {np.dtype(code) for code in DTYPES.values()}


class Values:
    """To JSON and back. A subclass knows more kinds of values; `where` tells messages whose value it is.

    Parameters
    ----------
    tensors : dict of str to ndarray
        The tensors of the file: arrays become some of them, named by where they are, and are taken out again.
    """

    def __init__(self, tensors: dict[str, Array]) -> None:
        self.tensors = tensors
        self._in_ranges = 0

    def encode(self, value: Any, where: str) -> Any:
        """`value` as JSON; TypeError if a file cannot hold it."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, np.generic) and (value.dtype in KINDS or value.dtype.kind == "U"):
            return self.encode(value.item(), where)
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, list):
            return [self.encode(item, f"{where}.{i}") for i, item in enumerate(value)]
        if isinstance(value, tuple):
            return {"tuple": self.encode(list(value), where)}
        if isinstance(value, dict):
            items = value.items()
            return {"dict": [[self.encode(key, where), self.encode(v, f"{where}.{key}")] for key, v in items]}
        if isinstance(value, (slice, range)) and self._counted(value):
            return {type(value).__name__: self.encode([value.start, value.stop, value.step], where)}
        if isinstance(value, np.ndarray) and value.dtype.newbyteorder("=") in KINDS:
            return self.encode_array(value, where)
        if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
            return np.dtype(value).name
        raise TypeError(f"{where}: a file cannot hold {type(value).__name__} {value!r:.60}")

    def decode(self, spec: Any, where: str) -> Any:
        """The value that became `spec`; FileFormatError if none did."""
        if isinstance(spec, list):
            return [self.decode(item, where) for item in spec]
        if not isinstance(spec, dict):
            return spec
        kind, content = next(iter(spec.items()), ("", None))
        try:
            if kind == "float":
                return FLOATS[str(content)]
            if kind == "array":
                return self.decode_array(spec, where)
            if not isinstance(content, list):  # else each of many tuples around one list would copy it
                raise TypeError(f"no list: {type(content).__name__}")
            items = [self.decode(item, where) for item in content]
            value = RANGES[kind](*items) if kind in RANGES else ITEMS[kind](items)
            if not self._counted(value):
                raise ValueError("too many integers")
            return value
        except FileFormatError:
            raise
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise FileFormatError(f"{where}: {spec!r:.60} is nothing that fastnn writes ({error!s:.200})") from None

    def _counted(self, value: Any) -> bool:
        """Whether the ranges of the file, this one too, have few integers."""
        if isinstance(value, range):
            span = (value.stop - value.start) // value.step  # len() knows no more than 2^63
            self._in_ranges += max(0, span)
        return self._in_ranges <= MOST_IN_RANGES

    def encode_array(self, array: Array, where: str) -> Any:
        """An array as the name of a tensor."""
        name = where.removeprefix(".")
        while name in self.tensors:  # {1: array, "1": array}
            name += "'"
        self.tensors[name] = array
        return {"array": name}

    def decode_array(self, spec: dict[str, Any], where: str) -> Any:
        """The array that became `spec`; any error says that none did. Each tensor is that of one array."""
        return self.tensors.pop(spec["array"])
