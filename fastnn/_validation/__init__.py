"""Checks of arguments, conversions to arrays, and error messages.

Nothing here runs when the compiled fast path accepts its arrays.
"""

from .arrays import (
    DTYPES,
    NARROW,
    Array,
    as_array,
    as_input,
    as_objects,
    conversion,
    from_any,
    refuse_losses,
    refuse_no_numbers,
)
from .names import (
    TWINS,
    check_choice,
    check_dtype,
    did_you_mean,
    refuse_unknown,
)
from .numbers import (
    as_numbers,
    check_bool,
    check_integer,
    check_number,
    check_seed,
    check_switch,
    check_temperature,
    split_numbers,
)
from .shapes import (
    MAX_ROWS,
    as_columns,
    as_writable,
    check_output,
    check_same_dtype,
    check_same_shape,
    check_shape,
    check_size,
    without_overlap,
)
from .targets import (
    as_class_weights,
    as_labels,
    as_rows,
    as_target,
    as_weights,
    check_ignored,
)

__all__ = [
    "DTYPES",
    "MAX_ROWS",
    "NARROW",
    "TWINS",
    "Array",
    "as_array",
    "as_class_weights",
    "as_columns",
    "as_input",
    "as_labels",
    "as_numbers",
    "as_objects",
    "as_rows",
    "as_target",
    "as_weights",
    "as_writable",
    "check_bool",
    "check_choice",
    "check_dtype",
    "check_ignored",
    "check_integer",
    "check_number",
    "check_output",
    "check_same_dtype",
    "check_same_shape",
    "check_seed",
    "check_shape",
    "check_size",
    "check_switch",
    "check_temperature",
    "conversion",
    "did_you_mean",
    "from_any",
    "refuse_losses",
    "refuse_no_numbers",
    "refuse_unknown",
    "split_numbers",
    "without_overlap",
]
