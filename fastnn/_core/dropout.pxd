from libc.stdint cimport uint64_t

cdef void run_noise(int kernel, int dtype, const void *x, void *y, Py_ssize_t n, uint64_t seed, uint64_t stream,
                    uint64_t start, const double *params) noexcept nogil
cdef void run_noise2(int kernel, int dtype, const void *g, const void *x, void *y, Py_ssize_t n, uint64_t seed,
                     uint64_t stream, uint64_t start, const double *params) noexcept nogil
