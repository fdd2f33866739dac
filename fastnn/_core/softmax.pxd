cdef void run_rows1(int kernel, int dtype, const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols,
                    Py_ssize_t y_cols, const double *params) noexcept nogil
cdef void run_rows2(int kernel, int dtype, const void *g, const void *y, void *out, Py_ssize_t rows,
                    Py_ssize_t cols, Py_ssize_t g_cols, const double *params) noexcept nogil
