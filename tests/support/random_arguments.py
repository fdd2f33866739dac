"""Random arguments for the driver in random_calls.py: arrays in other layouts, wrong things, options by signature."""

import inspect

import numpy as np

SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 1e-45, -1e-320, 3.4e38, 1.7e308]
INTEGERS = [-1, 0, 1, 2, 3, 7, -(2**31), 2**31, 2**40, 2**63, 2**70]
WRONG = [
    None,
    "text",
    b"bytes",
    object(),
    {},
    [],
    [[1], [1, 2]],
    (1, 2),
    1j,
    True,
    range(3),
    lambda *a: 0,
    float("nan"),
]


def shape_of(rng):
    """Up to three axes, sometimes empty."""
    return tuple(int(n) for n in rng.integers(0, 12, rng.integers(0, 4)))


def arranged(rng, value):
    """The same array, more often than not in another layout, byte order, dtype, class, or with special values."""
    if not isinstance(value, np.ndarray) or rng.random() < 0.4:
        return value
    way = rng.integers(12)
    if way == 0 and value.ndim:
        return np.repeat(value, 2, axis=-1)[..., ::2]
    if way == 1 and value.ndim:
        return value[::-1].copy()[::-1]
    if way == 2:
        return np.asfortranarray(value)
    if way == 3:  # misaligned
        raw = np.zeros(value.nbytes + 1, "uint8")
        result = raw[1:].view(value.dtype).reshape(value.shape)
        result[...] = value
        return result
    if way == 4:
        return value.astype(value.dtype.newbyteorder())
    if way == 5:
        kinds = ["float16", "float32", "float64", "longdouble", "int8", "uint8", "int32", "int64", "uint64", "bool"]
        return value.astype(str(rng.choice([*kinds, "complex64", "object", "U3"])))
    if way == 6:
        return value.tolist()
    if way == 7 and value.size and value.dtype.kind == "f":
        result = value.copy()
        result.flat[rng.integers(result.size)] = SPECIAL[rng.integers(len(SPECIAL))]
        return result
    if way == 8 and value.size and value.dtype.kind in "iu":
        result = value.copy()
        result.flat[rng.integers(result.size)] = rng.choice([-1, -100, 9, 10**6, 2**31, 2**62, -(2**63)])
        return result
    if way == 9:
        result = value.copy()
        result.flags.writeable = False
        return result
    if way == 10 and value.ndim:
        return value[: rng.integers(len(value) + 1)]
    if way == 11 and value.ndim:
        return np.broadcast_to(value[:1], value.shape) if len(value) else np.ma.masked_array(value)
    return value


def junk(rng):
    """Something that does not belong there."""
    way = rng.integers(6)
    if way == 0:
        return WRONG[rng.integers(len(WRONG))]
    if way == 1:
        return INTEGERS[rng.integers(len(INTEGERS))]
    if way == 2:
        return SPECIAL[rng.integers(len(SPECIAL))]
    if way == 3:
        return arranged(rng, rng.integers(-3, 9, shape_of(rng)))
    dtype = ["float32", "float64", "float16", "complex128", "object", "U2", "M8[s]"][rng.integers(7)]
    return arranged(rng, np.zeros(shape_of(rng), dtype))


def options_of(rng, function, skip=(), skip_first=0, wrong=0.15):
    """Keywords for some parameters: numbers near the default, or something wrong; required ones small integers."""
    keywords = {}
    for name, parameter in list(inspect.signature(function).parameters.items())[skip_first:]:
        required = parameter.default is parameter.empty
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or name in skip:
            continue
        if not required and rng.random() < 0.7:
            continue
        keywords[name] = junk(rng) if rng.random() < wrong else _like(rng, parameter.default, required)
    return keywords


def _like(rng, default, required):
    if required:
        return int(rng.integers(1, 6))
    if isinstance(default, bool):
        return bool(rng.random() < 0.5)
    if isinstance(default, int):
        return int(rng.integers(0, 5))
    if isinstance(default, float):
        return float(rng.choice([0.0, 0.1, 0.5, 1.0, 2.0, default, 1e-30, 1e30]))
    return default
