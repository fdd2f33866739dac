from libc.stdint cimport int64_t

cdef void run_gather(int dtype, const void *x, const int64_t *index, void *y, Py_ssize_t rows, Py_ssize_t n_in,
                     Py_ssize_t n_out) noexcept nogil
cdef void run_scatter(int dtype, const void *g, const int64_t *index, void *grad_x, Py_ssize_t rows, Py_ssize_t n_in,
                      Py_ssize_t n_out) noexcept nogil
cdef void copy_columns(int dtype, const void *x, Py_ssize_t x_stride, void *y, Py_ssize_t y_stride, double scale,
                       Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void read_labels(int dtype, const void *x, Py_ssize_t stride, int64_t *labels, Py_ssize_t rows) noexcept nogil
cdef void sum_columns(int dtype, const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void expand_columns(int dtype, const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void expand_rows(int dtype, const void *weight, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void expand_rows_backward(int dtype, const void *g, void *grad_weight, Py_ssize_t rows, Py_ssize_t cols,
                               bint accumulate) noexcept nogil
