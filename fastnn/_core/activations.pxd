cdef void run_map1(int kernel, int dtype, double cost, const void *x, void *y, Py_ssize_t n,
                   const double *params) noexcept nogil
cdef void run_map2(int kernel, int dtype, double cost, const void *g, const void *x, void *y, Py_ssize_t n,
                   const double *params) noexcept nogil
