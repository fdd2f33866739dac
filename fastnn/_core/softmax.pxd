from fastnn._core.dispatch cimport real

cdef void run_rows1(int kernel, const real *x, real *y, Py_ssize_t rows, Py_ssize_t cols, Py_ssize_t y_cols,
                    const double *params) noexcept nogil
cdef void run_rows2(int kernel, const real *g, const real *y, real *out, Py_ssize_t rows, Py_ssize_t cols,
                    Py_ssize_t g_cols, const double *params) noexcept nogil
