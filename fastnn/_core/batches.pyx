"""The rows of batches: read in place, gathered in an order, or mixed with each other (reference/mixing.py)."""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnn._core cimport arrays
from fastnn._core.dispatch cimport fnn_read_index, real
from fastnn._core.rows cimport NO_WIDENING, narrow, widen_rows


cdef int check_batches(arrays3, const int64_t[::1] order, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t batch_size,
                       staging, mix, Py_ssize_t n_in) except -1:
    """Raise ValueError if a row would be read, or written, that is none of the arrays'."""
    cdef Py_ssize_t there = min([len(array) for array in arrays3 if array is not None])
    cdef Py_ssize_t rows = there if order is None else order.shape[0]
    if start < 0 or (stop > start and stop > rows):
        raise ValueError(f"start and stop must be rows of {rows}, got {start} and {stop}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if arrays3[0].ndim != 2 or arrays3[0].shape[1] != n_in:
        raise ValueError(f"x must have {n_in} columns, got shape {arrays3[0].shape}")
    if order is not None and staging is None:
        raise ValueError("an order needs arrays to gather rows in")
    if staging is not None and min([len(s) for s in staging if s is not None]) < min(batch_size, stop - start):
        raise ValueError(f"staging must have {batch_size} rows")
    check_rows(order, start, stop, there)
    if mix is not None:
        if order is None or len(mix[0]) < stop or len(mix[1]) < (stop + batch_size - 1) // batch_size:
            raise ValueError(f"mix must have a partner for each of {stop} rows, and a share for each batch")
        check_rows(mix[0], start, stop, there)
    return 0


cdef int check_rows(const int64_t[::1] order, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t rows) except -1:
    """Raise ValueError if one of order[start:stop] is no row of so many."""
    cdef Py_ssize_t i
    cdef bint bad = False
    if order is not None:
        for i in range(start, stop):
            bad |= not 0 <= order[i] < rows
    if bad:
        raise ValueError(f"an order of rows must be of 0 to {rows - 1}")
    return 0


cdef read_batches(Batches *batches, arrays3, const int64_t[::1] order, staging, mix, bint double_, Py_ssize_t classes,
                  double scale):
    """Take pointers to data; with `mix`, (partner, shares), there is an order and staging of the network's dtype."""
    cdef int j
    cdef const int64_t[::1] partner
    cdef const double[::1] shares
    batches.widening, batches.scale = narrow(arrays3[0]), scale
    batches.order = &order[0] if order is not None and order.shape[0] else NULL
    batches.partner, batches.shares, batches.labels, batches.double_ = NULL, NULL, False, double_
    for j, array in enumerate(arrays3):
        batches.source[j] = <char *> arrays.data(array)
        batches.staged[j] = NULL
        if array is not None:
            if array.dtype.hasobject:  # references, which must not be copied as bytes
                raise TypeError(f"arrays must be of numbers, got {array.dtype}")
            batches.row_bytes[j] = array.nbytes // max(1, len(array))
            batches.cols[j] = batches.row_bytes[j] // max(1, array.itemsize)
            batches.staged[j] = <char *> arrays.data(staging[j]) if staging is not None else NULL
    if mix is not None and order.shape[0]:
        partner, shares = mix
        batches.partner, batches.shares = &partner[0], &shares[0]
        batches.labels = arrays3[1].dtype == "int64"
        if batches.labels:
            batches.cols[1] = classes


cdef Py_ssize_t next_batch(const Batches *batches, Py_ssize_t i, Py_ssize_t rows, Py_ssize_t batch_size,
                           void **slots) noexcept nogil:
    """Point `slots` to rows i .. i + rows - 1. Returns the first whose class index is out of range, or -1."""
    cdef Py_ssize_t bad = -1
    cdef int j
    for j in range(STREAMS):
        if batches.source[j] == NULL:
            continue
        if j == 0 and batches.widening != NO_WIDENING:
            widen_rows(batches.widening, batches.source[0], batches.staged[0], batches.order, i, rows, batches.cols[0],
                       batches.scale, batches.double_)
            slots[0] = batches.staged[0]
            continue
        if batches.order == NULL:
            slots[j] = <void *> (batches.source[j] + i * batches.row_bytes[j])
            continue
        slots[j] = batches.staged[j]
        if batches.partner == NULL:
            gather_rows(batches.source[j], batches.staged[j], batches.order + i, rows, batches.row_bytes[j])
        elif batches.double_:
            bad = max(bad, mix(batches, j, i, rows, <double> batches.shares[i // batch_size]))
        else:
            bad = max(bad, mix(batches, j, i, rows, <float> batches.shares[i // batch_size]))
    return bad


cdef void gather_rows(const char *source, char *out, const int64_t *order, Py_ssize_t rows,
                      Py_ssize_t row_bytes) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(rows):
        memcpy(out + r * row_bytes, source + order[r] * row_bytes, row_bytes)


cdef Py_ssize_t mix(const Batches *batches, int j, Py_ssize_t i, Py_ssize_t rows, real share) noexcept nogil:
    """Gather rows of stream j, mixed. Returns the first class index out of range, or -1."""
    cdef const int64_t *order = batches.order + i
    cdef const int64_t *partner = batches.partner + i
    if j == 1 and batches.labels:
        return mix_labels(<const int64_t *> batches.source[j], <real *> batches.staged[j], order, partner, rows,
                          batches.cols[j], share)
    mix_rows(<const real *> batches.source[j], <real *> batches.staged[j], order, partner, rows, batches.cols[j], share)
    return -1


cdef void mix_rows(const real *source, real *out, const int64_t *order, const int64_t *partner, Py_ssize_t rows,
                   Py_ssize_t cols, real share) noexcept nogil:
    cdef Py_ssize_t r, j
    cdef const real *a
    cdef const real *b
    cdef real rest = 1 - share
    for r in range(rows):
        a, b = source + order[r] * cols, source + partner[r] * cols
        for j in range(cols):
            out[r * cols + j] = share * a[j] + rest * b[j]


cdef Py_ssize_t mix_labels(const int64_t *labels, real *out, const int64_t *order, const int64_t *partner,
                           Py_ssize_t rows, Py_ssize_t classes, real share) noexcept nogil:
    """Probabilities of classes. Partners are rows of the same batch: checking the first of each pair is enough."""
    cdef Py_ssize_t r, j
    cdef int64_t label, other
    for r in range(rows):
        label, other = fnn_read_index(labels + order[r]), fnn_read_index(labels + partner[r])
        if not 0 <= label < classes:
            return r
        for j in range(classes):
            out[r * classes + j] = 0
        out[r * classes + label] += share
        if 0 <= other < classes:  # else it is the first of another pair of this batch
            out[r * classes + other] += 1 - share
    return -1
