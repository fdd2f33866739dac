"""The C floor's tables of kernels, one for each dtype: the index of a table is the number of a dtype.

A pointer to numbers of some dtype is a void pointer; `arrays.at` moves it.
"""

from libc.stdint cimport int8_t, int64_t, uint64_t

ctypedef fused real:  # for optimizers and parameters, whose functions have pointers to numbers of a dtype
    float
    double

cdef extern from "fastnn.h" nogil:
    int64_t fnn_read_index(const int64_t *index)
    enum:
        FNN_FLOAT32
        FNN_FLOAT64
        FNN_ROW_BLOCK
        FNN_ROW_STATISTICS
        FNN_GRAD_MEAN
        FNN_COLUMN_STATISTICS
    struct fnn_product:
        const void *a
        const void *b
        const void *init
        void *c
        Py_ssize_t a_row, a_col, b_row, b_col, init_row, c_row, rows, cols, depth
    struct fnn_loss:
        const void *x
        const void *target
        const void *weight
        const int64_t *labels
        const void *extra
        void *loss
        void *grad
        void *grad_extra
        void *grad_target
        Py_ssize_t cols
        double scale
        double[3] params
    enum:
        FNN_BAG_SUM
        FNN_BAG_MEAN
        FNN_BAG_MAX
    struct fnn_bags:
        const void *codes
        const void *weight
        const void *sample
        const void *scales
        const void *counts
        const int64_t *offsets
        Py_ssize_t size, cols, padding
        int mode
    struct fnn_sparse:
        const void *values
        const int64_t *columns
        const int64_t *ends
        const int64_t *order
        Py_ssize_t start
    enum:
        FNN_INT8_COLUMNS
        FNN_INT8_MOST_IN
    struct fnn_int8:
        const void *x
        const int8_t *weight
        const double *scale
        const void *bias
        void *y
        Py_ssize_t rows, n_in, n_out
    struct fnn_adjustment:
        double scale, max_value, l1, l2
    struct fnn_coefficients:
        double grad_sign, lr  # the others are C's alone: src_c/rules.h
    struct fnn_kernels:
        void (*matmul)(const fnn_product *product) noexcept nogil
        void (*column_sums)(const void *g, Py_ssize_t g_row, const void *init, void *out,
                            Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        double (*sum)(const void *x, Py_ssize_t n) noexcept nogil
        void (*adjust_grad)(const void *param, const void *grad, void *out, Py_ssize_t n,
                            const fnn_adjustment *by) noexcept nogil
        double (*sum_of_squares)(const void *x, Py_ssize_t n) noexcept nogil
        void (*column_squares)(const void *x, Py_ssize_t row, void *out, Py_ssize_t rows,
                               Py_ssize_t cols) noexcept nogil
        void (*max_norm)(void *weight, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t cols,
                         double max_norm) noexcept nogil
        void (*batch_statistics)(const void *x, void *statistics, Py_ssize_t stride, Py_ssize_t rows,
                                 Py_ssize_t cols, double eps) noexcept nogil
        void (*running_statistics)(const void *mean, const void *variance, void *statistics, Py_ssize_t cols,
                                   double eps) noexcept nogil
        void (*update_running)(const void *statistics, void *mean, void *variance, Py_ssize_t rows,
                               Py_ssize_t cols, double momentum) noexcept nogil
        void (*prelu)(const void *x, const void *weight, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        void (*prelu_backward)(const void *g, const void *x, const void *weight, void *y, Py_ssize_t rows,
                               Py_ssize_t cols) noexcept nogil
        void (*sparse_linear)(const fnn_sparse *x, const void *w, const void *bias, void *y, Py_ssize_t first,
                              Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        void (*sparse_linear_backward)(const fnn_sparse *x, const void *g, void *grad, Py_ssize_t col,
                                       Py_ssize_t width, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        void (*linear_int8)(const fnn_int8 *of, Py_ssize_t panel, Py_ssize_t panels) noexcept nogil
        void (*prelu_slopes)(const void *x, const void *g, Py_ssize_t stride, const void *init, void *out,
                             Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        void (*embedding)(const void *codes, const void *weight, void *y, Py_ssize_t n, Py_ssize_t cols) noexcept nogil
        void (*embedding_backward)(const void *g, const void *codes, void *grad_weight, Py_ssize_t n,
                                   Py_ssize_t cols, Py_ssize_t width, Py_ssize_t padding) noexcept nogil
        void (*embedding_bag)(const fnn_bags *of, void *y, Py_ssize_t first, Py_ssize_t bags) noexcept nogil
        void (*embedding_bag_backward)(const fnn_bags *of, const void *g, void *grad_weight, Py_ssize_t first,
                                       Py_ssize_t width, Py_ssize_t bags) noexcept nogil
        void (*count_codes)(const void *codes, void *counts, Py_ssize_t n, Py_ssize_t num) noexcept nogil
        void (*row_scales)(const void *codes, const void *weight, void *scales, Py_ssize_t n, Py_ssize_t num,
                           Py_ssize_t cols, double max_norm, double p) noexcept nogil
        void (*scale_rows)(void *weight, const void *scales, Py_ssize_t num, Py_ssize_t cols) noexcept nogil
        void (*bilinear)(const void *z, const void *x2, const void *bias, void *y, Py_ssize_t rows, Py_ssize_t outs,
                         Py_ssize_t cols) noexcept nogil
        void (*bilinear_backward)(const void *g, void *z, const void *x2, void *grad_x2, Py_ssize_t rows,
                                  Py_ssize_t outs, Py_ssize_t cols) noexcept nogil
        Py_ssize_t (*bad_code)(const void *codes, Py_ssize_t n, Py_ssize_t num_embeddings) noexcept nogil
        double (*multiply_adds)(Py_ssize_t rounds) noexcept nogil
    struct fnn_isa:
        const char *name
        int lanes
        fnn_kernels[2] kernels

# Signatures shared by whole groups of kernels, which are reached by their place in a table.
ctypedef void (*Map1)(const void *x, void *y, Py_ssize_t n, const double *params) noexcept nogil
ctypedef void (*Map2)(const void *g, const void *x, void *y, Py_ssize_t n, const double *params) noexcept nogil
ctypedef void (*Rows1)(const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols, const double *params) noexcept nogil
ctypedef void (*Rows2)(const void *g, const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols,
                       const double *params) noexcept nogil
ctypedef void (*Pairs)(const void *a, const void *b, void *y, Py_ssize_t rows, Py_ssize_t cols,
                       const double *params) noexcept nogil
ctypedef void (*PairsBackward)(const void *g, const void *a, const void *b, void *out, Py_ssize_t rows,
                               Py_ssize_t cols, const double *params) noexcept nogil
ctypedef double (*Reduce2)(const void *x, const void *g, Py_ssize_t n) noexcept nogil
ctypedef void (*Noise)(const void *x, void *y, Py_ssize_t n, uint64_t seed, uint64_t stream, uint64_t start,
                       const double *params) noexcept nogil
ctypedef void (*Noise2)(const void *g, const void *x, void *y, Py_ssize_t n, uint64_t seed, uint64_t stream,
                        uint64_t start, const double *params) noexcept nogil
ctypedef double (*Loss)(const fnn_loss *of, Py_ssize_t first, Py_ssize_t n) noexcept nogil  # n elements, or n rows
ctypedef void (*Update)(void *param, const void *grad, void *state0, void *state1, void *state2, Py_ssize_t n,
                        const fnn_coefficients *c) noexcept nogil
ctypedef void (*Norm)(const void *x, const void *weight, const void *bias, void *y, void *statistics, Py_ssize_t rows,
                      Py_ssize_t cols, double eps) noexcept nogil
ctypedef void (*NormBackward)(const void *g, const void *x, const void *weight, const void *statistics, void *out,
                              Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
ctypedef void (*Gradients)(const void *g, const void *x, void *statistics, void *grad_weight, void *grad_bias,
                           Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t cols, bint accumulate) noexcept nogil

cdef const fnn_isa *active

# Not 0 while fastnn.use_backend("reference") is in force in some context: then every call goes up to Python, which asks
# whether it is its own.
cdef int reference

cpdef int kernel_index(str name, str group) except -1


cdef inline const fnn_kernels *kernels_of(int dtype) noexcept nogil:
    if dtype == FNN_FLOAT64:  # a branch, as in arrays.at
        return &active.kernels[FNN_FLOAT64]
    return &active.kernels[FNN_FLOAT32]


cdef inline Map1 map1(int kernel, int dtype) noexcept nogil:
    return (<Map1 *> kernels_of(dtype))[kernel]


cdef inline Map2 map2(int kernel, int dtype) noexcept nogil:
    return (<Map2 *> kernels_of(dtype))[kernel]


cdef inline Rows1 rows1(int kernel, int dtype) noexcept nogil:
    return (<Rows1 *> kernels_of(dtype))[kernel]


cdef inline Rows2 rows2(int kernel, int dtype) noexcept nogil:
    return (<Rows2 *> kernels_of(dtype))[kernel]


cdef inline Pairs pairs(int kernel, int dtype) noexcept nogil:
    return (<Pairs *> kernels_of(dtype))[kernel]


cdef inline PairsBackward pairs_backward(int kernel, int dtype) noexcept nogil:
    return (<PairsBackward *> kernels_of(dtype))[kernel]


cdef inline Reduce2 reduce2(int kernel, int dtype) noexcept nogil:
    return (<Reduce2 *> kernels_of(dtype))[kernel]


cdef inline Noise noise(int kernel, int dtype) noexcept nogil:
    return (<Noise *> kernels_of(dtype))[kernel]


cdef inline Noise2 noise2(int kernel, int dtype) noexcept nogil:
    return (<Noise2 *> kernels_of(dtype))[kernel]


cdef inline Loss loss(int kernel, int dtype) noexcept nogil:
    return (<Loss *> kernels_of(dtype))[kernel]


cdef inline Norm norm(int kernel, int dtype) noexcept nogil:
    return (<Norm *> kernels_of(dtype))[kernel]


cdef inline NormBackward norm_backward(int kernel, int dtype) noexcept nogil:
    return (<NormBackward *> kernels_of(dtype))[kernel]


cdef inline Gradients gradients(int kernel, int dtype) noexcept nogil:
    return (<Gradients *> kernels_of(dtype))[kernel]


# For optimizers and parameters, by the type of their pointers.


cdef inline int dtype_of(const real *x) noexcept nogil:
    return FNN_FLOAT32 if sizeof(real) == sizeof(float) else FNN_FLOAT64


cdef inline void update(int kernel, real *param, const real *grad, real *state0, real *state1, real *state2,
                        Py_ssize_t n, const fnn_coefficients *c) noexcept nogil:
    (<Update *> kernels_of(dtype_of(grad)))[kernel](param, grad, state0, state1, state2, n, c)


cdef inline void adjust_grad(const real *param, const real *grad, real *out, Py_ssize_t n,
                             const fnn_adjustment *by) noexcept nogil:
    kernels_of(dtype_of(grad)).adjust_grad(param, grad, out, n, by)


cdef inline double sum_of_squares(const real *x, Py_ssize_t n) noexcept nogil:
    return kernels_of(dtype_of(x)).sum_of_squares(x, n)


cdef inline void max_norm(real *weight, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t cols, double limit) noexcept nogil:
    kernels_of(dtype_of(weight)).max_norm(weight, row, rows, cols, limit)
