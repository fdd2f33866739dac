"""The C floor's table of kernels. The inline wrappers here are the only place that chooses by dtype."""

from libc.stdint cimport int64_t, uint64_t

ctypedef fused real:
    float
    double

cdef extern from "fastnn.h" nogil:
    int64_t fnn_read_index(const int64_t *index)
    enum:
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
        Py_ssize_t cols
        double scale
        double[3] params
    struct fnn_adjustment:
        double scale, max_value, l1, l2
    struct fnn_coefficients:
        double grad_sign  # the others are C's alone: src_c/rules.h
    struct fnn_kernels_f32:
        void (*matmul)(const fnn_product *product) noexcept nogil
        void (*column_sums)(const float *g, Py_ssize_t g_row, const float *init, float *out,
                            Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        double (*sum)(const float *x, Py_ssize_t n) noexcept nogil
        void (*adjust_grad)(const float *param, const float *grad, float *out, Py_ssize_t n,
                            const fnn_adjustment *by) noexcept nogil
        double (*sum_of_squares)(const float *x, Py_ssize_t n) noexcept nogil
        void (*max_norm)(float *weight, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t cols,
                         double max_norm) noexcept nogil
        void (*batch_statistics)(const float *x, float *statistics, Py_ssize_t stride, Py_ssize_t rows,
                                 Py_ssize_t cols, double eps) noexcept nogil
        void (*running_statistics)(const float *mean, const float *variance, float *statistics, Py_ssize_t cols,
                                   double eps) noexcept nogil
        void (*update_running)(const float *statistics, float *mean, float *variance, Py_ssize_t rows,
                               Py_ssize_t cols, double momentum) noexcept nogil
        void (*prelu)(const float *x, const float *weight, float *y, Py_ssize_t rows,
                      Py_ssize_t cols) noexcept nogil
        void (*prelu_backward)(const float *g, const float *x, const float *weight, float *y, Py_ssize_t rows,
                               Py_ssize_t cols) noexcept nogil
        void (*prelu_slopes)(const float *x, const float *g, Py_ssize_t stride, const float *init, float *out,
                             Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        void (*embedding)(const float *codes, const float *weight, float *y, Py_ssize_t n,
                          Py_ssize_t cols) noexcept nogil
        void (*embedding_backward)(const float *g, const float *codes, float *grad_weight, Py_ssize_t n,
                                   Py_ssize_t cols, Py_ssize_t width, Py_ssize_t padding) noexcept nogil
        Py_ssize_t (*bad_code)(const float *codes, Py_ssize_t n, Py_ssize_t num_embeddings) noexcept nogil
        double (*multiply_adds)(Py_ssize_t rounds) noexcept nogil
    struct fnn_kernels_f64:
        void (*matmul)(const fnn_product *product) noexcept nogil
        void (*column_sums)(const double *g, Py_ssize_t g_row, const double *init, double *out,
                            Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        double (*sum)(const double *x, Py_ssize_t n) noexcept nogil
        void (*adjust_grad)(const double *param, const double *grad, double *out, Py_ssize_t n,
                            const fnn_adjustment *by) noexcept nogil
        double (*sum_of_squares)(const double *x, Py_ssize_t n) noexcept nogil
        void (*max_norm)(double *weight, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t cols,
                         double max_norm) noexcept nogil
        void (*batch_statistics)(const double *x, double *statistics, Py_ssize_t stride, Py_ssize_t rows,
                                 Py_ssize_t cols, double eps) noexcept nogil
        void (*running_statistics)(const double *mean, const double *variance, double *statistics, Py_ssize_t cols,
                                   double eps) noexcept nogil
        void (*update_running)(const double *statistics, double *mean, double *variance, Py_ssize_t rows,
                               Py_ssize_t cols, double momentum) noexcept nogil
        void (*prelu)(const double *x, const double *weight, double *y, Py_ssize_t rows,
                      Py_ssize_t cols) noexcept nogil
        void (*prelu_backward)(const double *g, const double *x, const double *weight, double *y, Py_ssize_t rows,
                               Py_ssize_t cols) noexcept nogil
        void (*prelu_slopes)(const double *x, const double *g, Py_ssize_t stride, const double *init, double *out,
                             Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
        void (*embedding)(const double *codes, const double *weight, double *y, Py_ssize_t n,
                          Py_ssize_t cols) noexcept nogil
        void (*embedding_backward)(const double *g, const double *codes, double *grad_weight, Py_ssize_t n,
                                   Py_ssize_t cols, Py_ssize_t width, Py_ssize_t padding) noexcept nogil
        Py_ssize_t (*bad_code)(const double *codes, Py_ssize_t n, Py_ssize_t num_embeddings) noexcept nogil
        double (*multiply_adds)(Py_ssize_t rounds) noexcept nogil
    struct fnn_isa:
        const char *name
        int lanes
        fnn_kernels_f32 f32
        fnn_kernels_f64 f64

# Signatures shared by whole groups of kernels, which are reached by their place in the table.
ctypedef void (*map1_f32)(const float *, float *, Py_ssize_t, const double *) noexcept nogil
ctypedef void (*map1_f64)(const double *, double *, Py_ssize_t, const double *) noexcept nogil
ctypedef void (*map2_f32)(const float *, const float *, float *, Py_ssize_t, const double *) noexcept nogil
ctypedef void (*map2_f64)(const double *, const double *, double *, Py_ssize_t, const double *) noexcept nogil
ctypedef void (*rows1_f32)(const float *, float *, Py_ssize_t, Py_ssize_t, const double *) noexcept nogil
ctypedef void (*rows1_f64)(const double *, double *, Py_ssize_t, Py_ssize_t, const double *) noexcept nogil
ctypedef void (*rows2_f32)(const float *, const float *, float *, Py_ssize_t, Py_ssize_t,
                           const double *) noexcept nogil
ctypedef void (*rows2_f64)(const double *, const double *, double *, Py_ssize_t, Py_ssize_t,
                           const double *) noexcept nogil
ctypedef double (*reduce2_f32)(const float *, const float *, Py_ssize_t) noexcept nogil
ctypedef double (*reduce2_f64)(const double *, const double *, Py_ssize_t) noexcept nogil
ctypedef void (*noise_f32)(const float *, float *, Py_ssize_t, uint64_t, uint64_t, uint64_t,
                           const double *) noexcept nogil
ctypedef void (*noise_f64)(const double *, double *, Py_ssize_t, uint64_t, uint64_t, uint64_t,
                           const double *) noexcept nogil
ctypedef void (*norm_f32)(const float *, const float *, const float *, float *, float *, Py_ssize_t,
                          Py_ssize_t, double) noexcept nogil
ctypedef void (*norm_f64)(const double *, const double *, const double *, double *, double *, Py_ssize_t,
                          Py_ssize_t, double) noexcept nogil
ctypedef void (*norm_backward_f32)(const float *, const float *, const float *, const float *, float *,
                                   Py_ssize_t, Py_ssize_t) noexcept nogil
ctypedef void (*norm_backward_f64)(const double *, const double *, const double *, const double *, double *,
                                   Py_ssize_t, Py_ssize_t) noexcept nogil
ctypedef void (*gradients_f32)(const float *, const float *, float *, float *, float *, Py_ssize_t,
                               Py_ssize_t, Py_ssize_t, bint) noexcept nogil
ctypedef void (*gradients_f64)(const double *, const double *, double *, double *, double *, Py_ssize_t,
                               Py_ssize_t, Py_ssize_t, bint) noexcept nogil
ctypedef double (*loss_fn)(const fnn_loss *, Py_ssize_t, Py_ssize_t) noexcept nogil
ctypedef void (*update_f32)(float *, const float *, float *, float *, float *, Py_ssize_t,
                            const fnn_coefficients *) noexcept nogil
ctypedef void (*update_f64)(double *, const double *, double *, double *, double *, Py_ssize_t,
                            const fnn_coefficients *) noexcept nogil

cdef const fnn_isa *active

# Not 0 while fastnn.use_backend("reference") is in force in some context: then every call goes up to Python, which asks
# whether it is its own.
cdef int reference

cpdef int kernel_index(str name, str group) except -1


cdef inline void matmul(const fnn_product *product, real dtype) noexcept nogil:
    if real is float:
        active.f32.matmul(product)
    else:
        active.f64.matmul(product)


cdef inline void column_sums(const real *g, Py_ssize_t g_row, const real *init, real *out,
                             Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    if real is float:
        active.f32.column_sums(g, g_row, init, out, rows, cols)
    else:
        active.f64.column_sums(g, g_row, init, out, rows, cols)


cdef inline double array_sum(const real *x, Py_ssize_t n) noexcept nogil:
    if real is float:
        return active.f32.sum(x, n)
    else:
        return active.f64.sum(x, n)


cdef inline void adjust_grad(const real *param, const real *grad, real *out, Py_ssize_t n,
                             const fnn_adjustment *by) noexcept nogil:
    if real is float:
        active.f32.adjust_grad(param, grad, out, n, by)
    else:
        active.f64.adjust_grad(param, grad, out, n, by)


cdef inline double sum_of_squares(const real *x, Py_ssize_t n) noexcept nogil:
    if real is float:
        return active.f32.sum_of_squares(x, n)
    else:
        return active.f64.sum_of_squares(x, n)


cdef inline void max_norm(real *weight, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t cols, double limit) noexcept nogil:
    if real is float:
        active.f32.max_norm(weight, row, rows, cols, limit)
    else:
        active.f64.max_norm(weight, row, rows, cols, limit)


cdef inline void prelu(const real *x, const real *weight, real *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    if real is float:
        active.f32.prelu(x, weight, y, rows, cols)
    else:
        active.f64.prelu(x, weight, y, rows, cols)


cdef inline void prelu_backward(const real *g, const real *x, const real *weight, real *y, Py_ssize_t rows,
                                Py_ssize_t cols) noexcept nogil:
    if real is float:
        active.f32.prelu_backward(g, x, weight, y, rows, cols)
    else:
        active.f64.prelu_backward(g, x, weight, y, rows, cols)


cdef inline void prelu_slopes(const real *x, const real *g, Py_ssize_t stride, const real *init, real *out,
                              Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    if real is float:
        active.f32.prelu_slopes(x, g, stride, init, out, rows, cols)
    else:
        active.f64.prelu_slopes(x, g, stride, init, out, rows, cols)


cdef inline void embedding(const real *codes, const real *weight, real *y, Py_ssize_t n,
                           Py_ssize_t cols) noexcept nogil:
    if real is float:
        active.f32.embedding(codes, weight, y, n, cols)
    else:
        active.f64.embedding(codes, weight, y, n, cols)


cdef inline void embedding_backward(const real *g, const real *codes, real *grad_weight, Py_ssize_t n, Py_ssize_t cols,
                                    Py_ssize_t width, Py_ssize_t padding) noexcept nogil:
    if real is float:
        active.f32.embedding_backward(g, codes, grad_weight, n, cols, width, padding)
    else:
        active.f64.embedding_backward(g, codes, grad_weight, n, cols, width, padding)


cdef inline Py_ssize_t bad_code(const real *codes, Py_ssize_t n, Py_ssize_t num_embeddings) noexcept nogil:
    if real is float:
        return active.f32.bad_code(codes, n, num_embeddings)
    else:
        return active.f64.bad_code(codes, n, num_embeddings)


cdef inline double reduce2(int kernel, const real *x, const real *g, Py_ssize_t n) noexcept nogil:
    if real is float:
        return (<reduce2_f32 *> &active.f32)[kernel](x, g, n)
    else:
        return (<reduce2_f64 *> &active.f64)[kernel](x, g, n)


cdef inline void noise(int kernel, const real *x, real *y, Py_ssize_t n, uint64_t seed, uint64_t stream, uint64_t start,
                       const double *params) noexcept nogil:
    if real is float:
        (<noise_f32 *> &active.f32)[kernel](x, y, n, seed, stream, start, params)
    else:
        (<noise_f64 *> &active.f64)[kernel](x, y, n, seed, stream, start, params)


cdef inline void map1(int kernel, const real *x, real *y, Py_ssize_t n, const double *params) noexcept nogil:
    if real is float:
        (<map1_f32 *> &active.f32)[kernel](x, y, n, params)
    else:
        (<map1_f64 *> &active.f64)[kernel](x, y, n, params)


cdef inline void map2(int kernel, const real *g, const real *x, real *y, Py_ssize_t n,
                      const double *params) noexcept nogil:
    if real is float:
        (<map2_f32 *> &active.f32)[kernel](g, x, y, n, params)
    else:
        (<map2_f64 *> &active.f64)[kernel](g, x, y, n, params)


cdef inline void rows1(int kernel, const real *x, real *y, Py_ssize_t rows, Py_ssize_t cols,
                       const double *params) noexcept nogil:
    if real is float:
        (<rows1_f32 *> &active.f32)[kernel](x, y, rows, cols, params)
    else:
        (<rows1_f64 *> &active.f64)[kernel](x, y, rows, cols, params)


cdef inline void rows2(int kernel, const real *g, const real *x, real *y, Py_ssize_t rows, Py_ssize_t cols,
                       const double *params) noexcept nogil:
    if real is float:
        (<rows2_f32 *> &active.f32)[kernel](g, x, y, rows, cols, params)
    else:
        (<rows2_f64 *> &active.f64)[kernel](g, x, y, rows, cols, params)


cdef inline double loss(int kernel, const fnn_loss *of, Py_ssize_t first, Py_ssize_t n, real dtype) noexcept nogil:
    """Of elements or, if the kernel is a row loss, of rows first .. first + n - 1."""
    if real is float:
        return (<loss_fn *> &active.f32)[kernel](of, first, n)
    else:
        return (<loss_fn *> &active.f64)[kernel](of, first, n)


cdef inline void update(int kernel, real *param, const real *grad, real *state0, real *state1, real *state2,
                        Py_ssize_t n, const fnn_coefficients *coefficients) noexcept nogil:
    if real is float:
        (<update_f32 *> &active.f32)[kernel](param, grad, state0, state1, state2, n, coefficients)
    else:
        (<update_f64 *> &active.f64)[kernel](param, grad, state0, state1, state2, n, coefficients)


cdef inline void norm(int kernel, const real *x, const real *weight, const real *bias, real *y, real *statistics,
                      Py_ssize_t rows, Py_ssize_t cols, double eps) noexcept nogil:
    if real is float:
        (<norm_f32 *> &active.f32)[kernel](x, weight, bias, y, statistics, rows, cols, eps)
    else:
        (<norm_f64 *> &active.f64)[kernel](x, weight, bias, y, statistics, rows, cols, eps)


cdef inline void norm_backward(int kernel, const real *g, const real *x, const real *weight, const real *statistics,
                               real *out, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    if real is float:
        (<norm_backward_f32 *> &active.f32)[kernel](g, x, weight, statistics, out, rows, cols)
    else:
        (<norm_backward_f64 *> &active.f64)[kernel](g, x, weight, statistics, out, rows, cols)


cdef inline void gradients(int kernel, const real *g, const real *x, real *statistics, real *grad_weight,
                           real *grad_bias, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t cols,
                           bint accumulate) noexcept nogil:
    if real is float:
        (<gradients_f32 *> &active.f32)[kernel](g, x, statistics, grad_weight, grad_bias, stride, rows, cols,
                                                accumulate)
    else:
        (<gradients_f64 *> &active.f64)[kernel](g, x, statistics, grad_weight, grad_bias, stride, rows, cols,
                                                accumulate)


cdef inline void batch_statistics(const real *x, real *statistics, Py_ssize_t stride, Py_ssize_t rows,
                                  Py_ssize_t cols, double eps) noexcept nogil:
    if real is float:
        active.f32.batch_statistics(x, statistics, stride, rows, cols, eps)
    else:
        active.f64.batch_statistics(x, statistics, stride, rows, cols, eps)


cdef inline void running_statistics(const real *mean, const real *variance, real *statistics, Py_ssize_t cols,
                                    double eps) noexcept nogil:
    if real is float:
        active.f32.running_statistics(mean, variance, statistics, cols, eps)
    else:
        active.f64.running_statistics(mean, variance, statistics, cols, eps)


cdef inline void update_running(const real *statistics, real *mean, real *variance, Py_ssize_t rows, Py_ssize_t cols,
                                double momentum) noexcept nogil:
    if real is float:
        active.f32.update_running(statistics, mean, variance, rows, cols, momentum)
    else:
        active.f64.update_running(statistics, mean, variance, rows, cols, momentum)
