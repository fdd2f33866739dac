from fastnn._core.operations cimport Op, Totals

cdef double inverse(double weight_sum) noexcept nogil
cdef double divisor_of(const Totals *totals, double rows, double weight_sum) noexcept nogil
cdef double batch_divisor(Op *op, const Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil
cdef int run_elementwise_loss(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil
cdef int run_rows_loss(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil
cdef void run_metric(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil
cdef void combine_heads(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil
cdef void count_loss(Op *op, Totals *totals) noexcept nogil
