"""The measure of the machine: the more lanes, the more multiply-adds."""

import pytest

from fastnn._core.peak import multiply_add_rate


def test_rate_is_that_of_a_processor(isa):
    single, double = multiply_add_rate("float32"), multiply_add_rate("float64")
    assert 1e8 < double < 1e12
    assert 1.2 < single / double < 3.5  # twice as many lanes, on a machine that others share


def test_unknown_dtype():
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64', got 'float16'"):
        multiply_add_rate("float16")
