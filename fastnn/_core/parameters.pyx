"""What is done to parameters and gradients beside the updates: their norm, limits, penalties and averages."""

cimport numpy as cnp
from libc.math cimport HUGE_VAL, frexp, ldexp, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnn._core cimport arrays, dispatch
from fastnn._core.activations cimport run_map2
from fastnn._core.dispatch cimport fnn_adjustment, real
from fastnn._core.threads cimport Task, parallel_for

cnp.import_array()

cdef extern from "elements.h" nogil:
    double fnn_largest_magnitude_f32(const float *x, Py_ssize_t n)
    double fnn_largest_magnitude_f64(const double *x, Py_ssize_t n)
    double fnn_scaled_squares_f32(const float *x, Py_ssize_t n, double scale)
    double fnn_scaled_squares_f64(const double *x, Py_ssize_t n, double scale)

cdef enum:
    UNIT = 64       # elements or columns: parts begin on a cache line
    CHUNK = 4096    # elements that are added at once
    SEGMENTS = 64   # of a sum at most, each the work of one thread

# Nanoseconds an element: benchmarks/bench_parameters.py
cdef double SQUARE_COST = 0.08
cdef double ADJUST_COST = 0.1
cdef double COLUMN_COST = 0.12
cdef double LERP_COST = 0.08

cdef int LERP = dispatch.kernel_index("lerp", "map2")


cdef double segment_squares(const real *x, Py_ssize_t n) noexcept nogil:
    cdef double total = 0
    cdef Py_ssize_t i = 0
    while i < n:
        total += dispatch.sum_of_squares(x + i, min(n - i, CHUNK))
        i += CHUNK
    return total


ctypedef struct SquaresWork:
    const void *x
    Py_ssize_t n, length  # elements: of the whole, of a segment
    double *sums


cdef void squares_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    cdef const SquaresWork *w = <const SquaresWork *> work
    cdef Py_ssize_t i
    for i in range(start, stop):
        w.sums[i] = segment_squares(<const real *> w.x + i * w.length, min(w.n - i * w.length, w.length))


cdef double run_squares(const real *x, Py_ssize_t n) noexcept nogil:
    """Sum of x^2 in double. How it is cut into segments depends on n alone, and they are added in order."""
    cdef double[SEGMENTS] sums
    cdef double total = 0
    cdef Py_ssize_t length = (n + SEGMENTS * CHUNK - 1) // (SEGMENTS * CHUNK) * CHUNK
    cdef Py_ssize_t i, segments
    cdef SquaresWork work = SquaresWork(x=x, n=n, length=length, sums=&sums[0])
    if length == 0:
        return 0.0
    segments = (n + length - 1) // length
    parallel_for(<Task> squares_task[real], &work, segments, 1, n * SQUARE_COST)
    for i in range(segments):
        total += sums[i]
    return total


cdef bint in_range(double squares) noexcept nogil:
    """Whether a sum of squares of doubles is a number like others: else it is taken again, of numbers scaled."""
    return 1e-280 < squares < HUGE_VAL


cdef double unit_scale(double largest) noexcept nogil:
    """A power of two that brings `largest` near 1, so that its square is in range; 0 if there is none."""
    cdef int exponent
    if not 0 < largest < HUGE_VAL:
        return 0.0
    frexp(largest, &exponent)
    return ldexp(1.0, min(1000, -exponent))


cdef double largest_magnitude(const real *x, Py_ssize_t n) noexcept nogil:
    """The largest |x|, NaN aside."""
    if real is float:
        return fnn_largest_magnitude_f32(x, n)
    else:
        return fnn_largest_magnitude_f64(x, n)


cdef double scaled_squares(const real *x, Py_ssize_t n, double scale) noexcept nogil:
    """Sum of (scale x)^2, for the rare case that those of x are out of range."""
    if real is float:
        return fnn_scaled_squares_f32(x, n, scale)
    else:
        return fnn_scaled_squares_f64(x, n, scale)


cdef double run_norm(const real *x, Py_ssize_t n) noexcept nogil:
    """The 2-norm."""
    cdef double scale, total = run_squares(x, n)
    if not in_range(total):
        scale = unit_scale(largest_magnitude(x, n))
        if scale != 0:
            return sqrt(scaled_squares(x, n, scale)) / scale
    return sqrt(total)


ctypedef struct AdjustWork:
    const void *param
    const void *grad
    void *out
    const fnn_adjustment *by


cdef void adjust_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    cdef const AdjustWork *w = <const AdjustWork *> work
    dispatch.adjust_grad(<const real *> w.param + start, <const real *> w.grad + start, <real *> w.out + start,
                         stop - start, w.by)


cdef void run_adjust(const real *param, const real *grad, real *out, Py_ssize_t n,
                     const fnn_adjustment *by) noexcept nogil:
    """out = clamp(scale grad, -max_value, max_value) + l1 sign(param) + l2 param; out may be grad."""
    cdef AdjustWork work = AdjustWork(param=param, grad=grad, out=out, by=by)
    parallel_for(<Task> adjust_task[real], &work, n, UNIT, n * ADJUST_COST)


ctypedef struct MaxNormWork:
    void *weight
    Py_ssize_t rows, cols
    double limit


cdef void max_norm_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Some columns."""
    cdef const MaxNormWork *w = <const MaxNormWork *> work
    dispatch.max_norm(<real *> w.weight + start, w.cols, w.rows, stop - start, w.limit)


cdef void run_max_norm(real *weight, Py_ssize_t rows, Py_ssize_t cols, double limit) noexcept nogil:
    """Scale the columns of a matrix whose norm is above the limit to it."""
    cdef MaxNormWork work = MaxNormWork(weight=weight, rows=rows, cols=cols, limit=limit)
    parallel_for(<Task> max_norm_task[real], &work, cols, UNIT, rows * cols * COLUMN_COST)


cdef void run_lerp(real *average, const real *x, Py_ssize_t n, double weight) noexcept nogil:
    """average += weight (x - average); a weight of 1 copies, so that what was there counts for nothing, NaN or not."""
    cdef double[3] params = [weight, 1.0 - weight, 0.0]
    if weight == 1:
        memcpy(average, x, n * sizeof(real))
    else:
        run_map2(LERP, dispatch.dtype_of(x), LERP_COST, average, x, average, n, params)


cdef double average_weight(const double *settings, int64_t seen) noexcept nogil:
    """The weight of the parameters after update number `seen` in their average; 0 if this one does not count."""
    cdef int64_t since = seen - <int64_t> settings[START] - 1
    cdef int64_t every = <int64_t> settings[EVERY]
    if since < 0 or since % every != 0:
        return 0.0
    if since == 0:
        return 1.0
    return 1.0 - settings[DECAY] if settings[DECAY] == settings[DECAY] else 1.0 / (since // every + 1)


cdef void run_average(real *average, const real *param, Py_ssize_t n, const double *settings,
                      int64_t *seen) noexcept nogil:
    """Take the parameters after one more update into their average; a decay of NaN weighs all equally."""
    cdef double weight
    seen[0] += 1
    weight = average_weight(settings, seen[0])
    if weight != 0:
        run_lerp(average, param, n, weight)


# For Python, all arrays plain and of one dtype.


def total_norm(x):
    """The 2-norm, in double."""
    cdef void *p = arrays.data(x)
    cdef Py_ssize_t n = arrays.size(x)
    cdef double total
    if arrays.is_double(x):
        with nogil:
            total = run_norm(<double *> p, n)
    else:
        with nogil:
            total = run_norm(<float *> p, n)
    return total


def adjust_grad(grad, param, double scale, double clip_value, double l1, double l2):
    """Make of a gradient what an update takes for it, in place."""
    cdef fnn_adjustment by = fnn_adjustment(scale=scale, max_value=clip_value, l1=l1, l2=l2)
    cdef void *g = arrays.data(grad)
    cdef void *p = arrays.data(param)
    cdef Py_ssize_t n = arrays.size(grad)
    if arrays.is_double(grad):
        with nogil:
            run_adjust(<double *> p, <double *> g, <double *> g, n, &by)
    else:
        with nogil:
            run_adjust(<float *> p, <float *> g, <float *> g, n, &by)


def max_norm(weight, Py_ssize_t rows, Py_ssize_t cols, double limit):
    """Scale columns in place."""
    cdef void *w = arrays.data(weight)
    if arrays.is_double(weight):
        with nogil:
            run_max_norm(<double *> w, rows, cols, limit)
    else:
        with nogil:
            run_max_norm(<float *> w, rows, cols, limit)


def lerp(average, x, double weight):
    """Move an average in place."""
    cdef void *a = arrays.data(average)
    cdef void *p = arrays.data(x)
    cdef Py_ssize_t n = arrays.size(x)
    if arrays.is_double(x):
        with nogil:
            run_lerp(<double *> a, <double *> p, n, weight)
    else:
        with nogil:
            run_lerp(<float *> a, <float *> p, n, weight)


cpdef int check_average(average, param, const double[::1] settings, const int64_t[::1] seen) except -1:
    """Raise ValueError unless the arrays of an average fit the parameters."""
    if not (arrays.is_plain(param) and arrays.is_plain_like(average, param) and arrays.is_writable(average)
            and settings.shape[0] == 3 and seen.shape[0] == 1):
        raise ValueError("average: arrays must fit the parameters")
    return 0


def average(average, param, const double[::1] settings, int64_t[::1] seen):
    """Take the parameters after one more update into their average."""
    check_average(average, param, settings, seen)
    cdef void *a = arrays.data(average)
    cdef void *p = arrays.data(param)
    cdef Py_ssize_t n = arrays.size(param)
    if arrays.is_double(param):
        with nogil:
            run_average(<double *> a, <double *> p, n, &settings[0], &seen[0])
    else:
        with nogil:
            run_average(<float *> a, <float *> p, n, &settings[0], &seen[0])
