"""What metrics are made of, added up batch by batch: plain loops over rows in order, in double.

Formulas and layouts of counts: reference/metrics.py. A weight of NULL is 1 for every row.
"""

from libc.math cimport INFINITY, fabs
from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport fnn_read_index, real


cdef Py_ssize_t argmax(const real *x, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j, best = 0
    for j in range(1, n):
        if x[j] > x[best] or (x[j] != x[j] and x[best] == x[best]):  # the first NaN wins, as in NumPy
            best = j
    return best


cdef Py_ssize_t class_of(Reading how, const real *target, Py_ssize_t r, Py_ssize_t n) noexcept nogil:
    """The class of row r, -1 if it is none or ignored."""
    cdef int64_t label
    if how.labels == NULL:
        return argmax(target + r * n, n)
    label = fnn_read_index(how.labels + r)
    return label if 0 <= label < n and label != how.ignored else -1


cdef void count_correct(Reading how, const real *x, const real *target, const real *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t r, j, t, right
    cdef double w
    for r in range(rows):
        w = 1.0 if weight == NULL else weight[r]
        if how.columns:
            right = 0
            for j in range(r * n, r * n + n):
                right += (x[j] > how.threshold) == (target[j] > 0.5)
            counts[0] += w * right
            counts[1] += w * n
        else:
            t = class_of(how, target, r, n)
            if t >= 0:
                counts[1] += w
                counts[0] += w * (argmax(x + r * n, n) == t)


cdef void count_classes(Reading how, const real *x, const real *target, const real *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    cdef bint single = how.columns and n == 1
    cdef Py_ssize_t classes = 2 if n == 1 else n
    cdef double *right = counts
    cdef double *called = counts + classes
    cdef double *true = counts + 2 * classes
    cdef Py_ssize_t r, j, c, t
    cdef double w
    for r in range(rows):
        w = 1.0 if weight == NULL else weight[r]
        if how.columns and not single:
            for j in range(n):
                c, t = x[r * n + j] > how.threshold, target[r * n + j] > 0.5
                called[j] += w * c
                true[j] += w * t
                right[j] += w * (c and t)
            continue
        c = x[r] > how.threshold if single else argmax(x + r * n, n)
        t = target[r] > 0.5 if single else class_of(how, target, r, n)
        if t < 0:
            continue
        called[c] += w
        true[t] += w
        if c == t:
            right[c] += w


cdef double sort_key(real x) noexcept nogil:
    return x if x == x else INFINITY  # a sort puts NaN there


cdef void count_top(Reading how, const real *x, const real *target, const real *weight, double *counts,
                    Py_ssize_t rows, Py_ssize_t n, double k) noexcept nogil:
    cdef Py_ssize_t r, j, t, rank
    cdef const real *row
    cdef double w, own
    for r in range(rows):
        t = class_of(how, target, r, n)
        if t < 0:
            continue
        row = x + r * n
        own = sort_key(row[t])
        rank = 0
        for j in range(n):
            rank += sort_key(row[j]) > own or (sort_key(row[j]) == own and j > t)
        w = 1.0 if weight == NULL else weight[r]
        counts[0] += w * (rank < k)
        counts[1] += w


cdef void count_errors(const real *x, const real *target, const real *weight, double *counts,
                       Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    cdef double *absolute = counts + 2
    cdef double *squared = absolute + n
    cdef double *mean = squared + n
    cdef double *spread = mean + n
    cdef Py_ssize_t r, j
    cdef double w, error, distance
    for r in range(rows):
        w = 1.0 if weight == NULL else weight[r]
        counts[0] += w
        counts[1] += 1
        if w == 0:
            continue
        for j in range(n):
            error = <double> x[r * n + j] - target[r * n + j]
            absolute[j] += w * fabs(error)
            squared[j] += w * error * error
            distance = target[r * n + j] - mean[j]
            mean[j] += distance * (w / counts[0])
            spread[j] += w * distance * (target[r * n + j] - mean[j])
