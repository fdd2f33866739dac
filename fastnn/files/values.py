"""Values as JSON without loss. Values that JSON does not have become an object with one key, which names their kind.

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
MOST_IN_RANGES = 10**6  # integers in all ranges of a file together: a layer may iterate over a range
KINDS = {np.dtype(code) for code in DTYPES.values()}


class Values:
    """Converts values to JSON and back. Subclasses convert more kinds; `where` names the value in error messages.

    Parameters
    ----------
    tensors : dict of str to ndarray
        The tensors of the file. `encode` adds arrays to it, named by where they are; `decode` takes them out.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> from fastnn.files.values import Values
    >>> tensors = {}
    >>> spec = Values(tensors).encode({"a": (1, math.inf), "b": np.ones(2)}, "")
    >>> spec
    {'dict': [['a', {'tuple': [1, {'float': 'inf'}]}], ['b', {'array': 'b'}]]}
    >>> Values(tensors).decode(spec, "")
    {'a': (1, inf), 'b': array([1., 1.])}
    """

    def __init__(self, tensors: dict[str, Array]) -> None:
        self.tensors = tensors
        self._in_ranges = 0

    def encode(self, value: Any, where: str) -> Any:
        """`value` as JSON.

        Parameters
        ----------
        value : None, bool, int, float, str, list, tuple, dict, slice, range, ndarray, NumPy scalar or dtype
            Of a dtype, the name is kept; of a NumPy scalar, the Python number; of NaN, not its bits.
        where : str
            Place of the value: names of attributes and indices, joined by dots.

        Returns
        -------
        None, bool, int, float, str, list or dict

        Raises
        ------
        TypeError
            If the file cannot hold the value.
        """
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
        """The value that `encode` turned into `spec`; FileFormatError if `encode` does not write such a `spec`."""
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
            if not isinstance(content, list):  # else nested tuples around one list would each copy it
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
        """Count the integers of the ranges in the file, with those of this value; False if there are too many."""
        if isinstance(value, range):
            span = (value.stop - value.start) // value.step  # len() is limited to 2^63 - 1
            self._in_ranges += max(0, span)
        return self._in_ranges <= MOST_IN_RANGES

    def encode_array(self, array: Array, where: str) -> Any:
        """Add an array to the tensors and return {"array": its name}."""
        name = where.removeprefix(".")
        while name in self.tensors:  # the dict {1: array, "1": array} has two arrays at one place
            name += "'"
        self.tensors[name] = array
        return {"array": name}

    def decode_array(self, spec: dict[str, Any], where: str) -> Any:
        """Take out the array that `spec` names; any error means that there is none. No tensor is used twice."""
        return self.tensors.pop(spec["array"])
