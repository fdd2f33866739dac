from fastnn._core.dispatch cimport real

cdef void run_map1(int kernel, double cost, const real *x, real *y, Py_ssize_t n, const double *params) noexcept nogil
cdef void run_map2(int kernel, double cost, const real *g, const real *x, real *y, Py_ssize_t n,
                   const double *params) noexcept nogil
