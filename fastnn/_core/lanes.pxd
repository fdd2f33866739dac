"""Workspaces for threads that run the forward pass of one program at the same time."""

from fastnn._core.operations cimport Op, Totals

# The arguments of a run.
cdef enum:
    INPUT, TARGET_SLOT, WEIGHT_SLOT, OUTPUT, OUTPUT_GRADIENT, INPUT_GRADIENT, SLOTS

# An operand that is known only at the run.
ctypedef struct Fixup:
    int op
    int role
    int slot

ctypedef struct Forward:
    int count
    const Fixup *fixups
    int n_fixups
    int dtype

cdef class Lane:
    cdef Op *ops
    cdef list memory  # what `ops` write

cdef class Lanes:
    cdef Op *ops            # of the program, which outlives the lanes
    cdef int count          # of its forward pass
    cdef Fixup *fixups
    cdef int n_fixups
    cdef int dtype
    cdef Py_ssize_t x_bytes, y_bytes  # of a row
    cdef double cost        # nanoseconds a row, about
    cdef list blocks        # the memory that these operations write, or None: it cannot be shared
    cdef list free          # lanes, and None for each that can still be made
    cdef int generation     # forks when `free` was made: in a child, threads that have taken lanes do not exist

    cdef setup(self, Op *ops, int count, Fixup *fixups, int n_fixups)
    cdef Lane take(self)
    cdef list take_for(self, Py_ssize_t rows)
    cdef give(self, Lane lane)
    cdef Forward forward(self) noexcept
    cdef int run(self, Lane lane, const void *x, void *y, Py_ssize_t rows, Totals *totals)
    cdef int run_rows(self, list lanes, const void *x, void *y, Py_ssize_t rows, Py_ssize_t most,
                      Totals *bad) except -1
