"""Values as JSON, without loss: what JSON has stands for itself, everything else is an object whose one key says what.

{"tuple": [...]}, {"dict": [[key, value], ...]}, {"slice": [start, stop, step]}, {"range": ...}, {"float": "nan"},
{"array": [...], "dtype": ..., "shape": [...]}; and what subclasses of `Values` add.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .format import FileFormatError

RANGES: dict[Any, Any] = {"slice": slice, "range": range}
ITEMS: dict[Any, Any] = {"tuple": tuple, "dict": dict}
FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Values:
    """To JSON and back. A subclass knows more kinds of values; `where` tells messages whose value it is."""

    def encode(self, value: Any, where: str) -> Any:
        """`value` as JSON; TypeError if a file cannot hold it."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, np.generic):
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
        if isinstance(value, (slice, range)):
            return {type(value).__name__: self.encode([value.start, value.stop, value.step], where)}
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
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
            items = self.decode(content, where)
            return RANGES[kind](*items) if kind in RANGES else ITEMS[kind](items)
        except FileFormatError:
            raise
        except (TypeError, ValueError, LookupError, OverflowError, MemoryError) as error:
            raise FileFormatError(f"{where}: {spec!r:.60} is nothing that fastnn writes ({error})") from None

    def encode_array(self, array: np.ndarray, where: str) -> Any:
        """An array, here number by number."""
        return {
            "array": self.encode(array.ravel().tolist(), where),
            "dtype": array.dtype.name,
            "shape": list(array.shape),
        }

    def decode_array(self, spec: dict[str, Any], where: str) -> Any:
        """The array that became `spec`; any error says that none did."""
        items = self.decode(spec["array"], where)
        return np.array(items, np.dtype(spec["dtype"])).reshape(spec["shape"])
