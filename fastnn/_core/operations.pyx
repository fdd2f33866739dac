"""The names of operations, operands and options of programs, for those who make the C structs of operations.pxd."""

from libc.string cimport memset

cdef Options NO_OPTIONS
memset(&NO_OPTIONS, 0, sizeof(NO_OPTIONS))
OPTION_NAMES = tuple(NO_OPTIONS)


def number_of(str name):
    """The number of a kind or an operand, by its name in the table."""
    return globals()[name.upper()]
