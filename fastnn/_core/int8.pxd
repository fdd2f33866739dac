from fastnn._core.dispatch cimport fnn_int8

cdef void run_linear_int8(int dtype, const fnn_int8 *of) noexcept nogil
