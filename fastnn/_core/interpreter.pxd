from libc.stdint cimport uint64_t

from fastnn._core.operations cimport Op, Totals

cdef int run_op(Op *op, Totals *totals, Py_ssize_t rows, uint64_t tick, int dtype) noexcept nogil
