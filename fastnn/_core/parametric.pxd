cdef double run_reduce2(int kernel, int dtype, const void *x, const void *g, Py_ssize_t n) noexcept nogil
cdef void run_prelu(int dtype, const void *x, const void *weight, void *y, Py_ssize_t rows, Py_ssize_t cols,
                    bint shared) noexcept nogil
cdef void run_prelu_backward(int dtype, const void *g, const void *x, const void *weight, void *grad_x,
                             void *grad_weight, Py_ssize_t rows, Py_ssize_t cols, bint shared,
                             bint accumulate) noexcept nogil
cdef void run_temperature_scale(int dtype, const void *x, const void *temperature, void *y, Py_ssize_t n) noexcept nogil
cdef void run_temperature_scale_backward(int dtype, const void *g, const void *x, const void *temperature, void *grad_x,
                                         void *grad_temperature, Py_ssize_t n, bint accumulate) noexcept nogil
