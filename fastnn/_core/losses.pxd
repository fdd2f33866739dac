from fastnn._core.dispatch cimport fnn_loss

cdef double run_loss(int kernel, int dtype, const fnn_loss *of, Py_ssize_t n) noexcept nogil
cdef double run_root(int kernel, int dtype, const fnn_loss *of, Py_ssize_t n, double divisor) noexcept nogil
cdef double run_row_loss(int kernel, int dtype, const fnn_loss *of, Py_ssize_t rows) noexcept nogil
