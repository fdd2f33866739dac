"""The rows of batches: read in place, gathered in an order, or mixed with each other (src_c/batches.c)."""

cimport numpy as cnp
from libc.stdint cimport int64_t

from fastnn._core cimport arrays
from fastnn._core.dispatch cimport FNN_FLOAT32, FNN_FLOAT64, real
from fastnn._core.rows cimport NO_CONVERSION, convert_rows, source_of
from fastnn._core.sparse cimport read_sparse

cdef extern from "elements.h" nogil:
    bint fnn_are_rows(const int64_t *order, Py_ssize_t n, Py_ssize_t rows)
    void fnn_gather_rows(const char *source, char *out, const int64_t *order, Py_ssize_t rows, Py_ssize_t row_bytes)
    void fnn_mix_rows_f32(const float *source, float *out, const int64_t *order, const int64_t *partner,
                          Py_ssize_t rows, Py_ssize_t cols, float share)
    void fnn_mix_rows_f64(const double *source, double *out, const int64_t *order, const int64_t *partner,
                          Py_ssize_t rows, Py_ssize_t cols, double share)
    Py_ssize_t fnn_mix_labels_f32(const int64_t *labels, float *out, const int64_t *order, const int64_t *partner,
                                  Py_ssize_t rows, Py_ssize_t classes, float share)
    Py_ssize_t fnn_mix_labels_f64(const int64_t *labels, double *out, const int64_t *order, const int64_t *partner,
                                  Py_ssize_t rows, Py_ssize_t classes, double share)
    ctypedef void (*fnn_mix)(void *a, const void *b, Py_ssize_t n, double share) noexcept nogil
    const fnn_mix[2] fnn_mix_pairs

cnp.import_array()


cdef int check_batches(arrays3, const int64_t[::1] order, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t batch_size,
                       staging, mix, Py_ssize_t n_in) except -1:
    """Raise ValueError if a row would be read, or written, that is none of the arrays'.

    Only package code calls this, with data that training/data.py has checked.
    """
    cdef Py_ssize_t there = min([len(array) for array in arrays3 if array is not None])
    cdef Py_ssize_t rows = there if order is None else order.shape[0]
    if start < 0 or (stop > start and stop > rows):
        raise ValueError("start and stop must be rows of the data")
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    if arrays3[0].ndim != 2 or arrays3[0].shape[1] != n_in:
        raise ValueError("x must have the columns that the program reads")
    if order is not None and staging is None:
        raise ValueError("there must be staging for an order")
    if staging is not None and min([len(s) for s in staging if s is not None]) < min(batch_size, stop - start):
        raise ValueError("staging must have the rows of a batch")
    check_rows(order, start, stop, there)
    if mix is not None:
        if order is None or len(mix[0]) < stop or len(mix[1]) < (stop + batch_size - 1) // batch_size:
            raise ValueError("mix must have a partner for each row, and a share for each batch")
        check_rows(mix[0], start, stop, there)
        for j in range(CONVERTED):  # a half for each of a pair
            if converts(arrays3[j], staging[j], mix) and len(staging[j]) < 2 * min(batch_size, stop - start):
                raise ValueError("staging must have the rows of a batch and their partners")
    return 0


cdef bint converts(array, staged, mix):
    """Whether an array is converted to the dtype of its staging: inputs, and targets that are no class indices."""
    if staged is None or not (staged.dtype == "float32" or staged.dtype == "float64"):
        return False
    if mix is not None and array.dtype == "int64" and array.ndim == 1:  # class indices become probabilities
        return False
    return array.dtype != staged.dtype or not arrays.is_readable(array)


cdef int check_rows(const int64_t[::1] order, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t rows) except -1:
    """Raise ValueError if one of order[start:stop] is no row of so many."""
    if order is not None and stop > start and not fnn_are_rows(&order[start], stop - start, rows):
        raise ValueError("an order must be of rows of the data")
    return 0


cdef read_batches(Batches *batches, arrays3, const int64_t[::1] order, staging, mix, bint double_, Py_ssize_t classes,
                  double scale):
    """Take pointers to data; with `mix`, (partner, shares), there is an order and staging of the network's dtype."""
    cdef int j, dtype = FNN_FLOAT64 if double_ else FNN_FLOAT32
    cdef const int64_t[::1] partner
    cdef const double[::1] shares
    batches.scale, batches.double_ = scale, double_
    batches.order = &order[0] if order is not None and order.shape[0] else NULL
    batches.partner, batches.shares, batches.labels = NULL, NULL, False
    batches.is_sparse = hasattr(arrays3[0], "ends")  # SparseRows
    if batches.is_sparse:
        read_sparse(&batches.sparse, arrays3[0], double_)
        batches.cols[0], batches.row_bytes[0] = arrays3[0].shape[1], arrays3[0].shape[1] * arrays.itemsize(dtype)
    for j, array in enumerate(arrays3):
        if j == 0 and batches.is_sparse:
            array = None
        batches.source[j] = <char *> arrays.data(array)
        batches.staged[j] = <char *> arrays.data(staging[j]) if staging is not None and array is not None else NULL
        if j < CONVERTED:
            batches.converted[j].kind = NO_CONVERSION
        if array is None:
            continue
        if array.dtype.hasobject:  # references, which must not be copied as bytes
            raise TypeError("arrays must be of numbers")
        batches.row_bytes[j] = array.nbytes // max(1, len(array))
        batches.cols[j] = batches.row_bytes[j] // max(1, array.itemsize)
        if j < CONVERTED and staging is not None and converts(array, staging[j], mix):
            source_of(&batches.converted[j], array, dtype)
            batches.row_bytes[j] = batches.cols[j] * arrays.itemsize(dtype)
        elif not arrays.is_readable(array):
            raise ValueError("arrays that are not converted must be contiguous")
    if mix is not None and order.shape[0]:
        partner, shares = mix
        batches.partner, batches.shares = &partner[0], &shares[0]
        batches.labels = arrays3[1].dtype == "int64" and arrays3[1].ndim == 1
        if batches.labels:
            batches.cols[1] = classes


cdef Py_ssize_t next_batch(Batches *batches, Py_ssize_t i, Py_ssize_t rows, Py_ssize_t batch_size,
                           void **slots) noexcept nogil:
    """Point `slots` to rows i .. i + rows - 1. Returns GOOD, the first bad class index's row, or BEYOND - stream."""
    cdef Py_ssize_t bad = GOOD
    cdef int j
    if batches.is_sparse:
        batches.sparse.start = i
        batches.sparse.order = <const int64_t *> NULL if batches.order == NULL else batches.order + i
        slots[0] = &batches.sparse
    for j in range(STREAMS):
        if batches.source[j] == NULL:
            continue
        if j < CONVERTED and batches.converted[j].kind != NO_CONVERSION:
            slots[j] = batches.staged[j]
            if convert(batches, j, i, rows, batch_size):
                return BEYOND - j
            continue
        if batches.order == NULL:
            slots[j] = <void *> (batches.source[j] + i * batches.row_bytes[j])
            continue
        slots[j] = batches.staged[j]
        if batches.partner == NULL:
            fnn_gather_rows(batches.source[j], batches.staged[j], batches.order + i, rows, batches.row_bytes[j])
        elif batches.double_:
            bad = max(bad, mix(batches, j, i, rows, <double> batches.shares[i // batch_size]))
        else:
            bad = max(bad, mix(batches, j, i, rows, <float> batches.shares[i // batch_size]))
    return bad


cdef bint convert(const Batches *batches, int j, Py_ssize_t i, Py_ssize_t rows, Py_ssize_t batch_size) noexcept nogil:
    """Gather rows of stream j, converted, mixed with their partners if there are some; whether one is too large."""
    cdef int dtype = FNN_FLOAT64 if batches.double_ else FNN_FLOAT32
    cdef double scale = batches.scale if j == 0 else 1.0
    cdef Py_ssize_t n = rows * batches.cols[j]
    cdef char *out = batches.staged[j]
    cdef char *other
    if convert_rows(&batches.converted[j], out, batches.order, i, rows, batches.cols[j], scale, dtype):
        return True
    if batches.partner == NULL:
        return False
    other = out + n * arrays.itemsize(dtype)
    if convert_rows(&batches.converted[j], other, batches.partner, i, rows, batches.cols[j], scale, dtype):
        return True
    fnn_mix_pairs[dtype](out, other, n, batches.shares[i // batch_size])
    return False


cdef Py_ssize_t mix(const Batches *batches, int j, Py_ssize_t i, Py_ssize_t rows, real share) noexcept nogil:
    """Gather rows of stream j, mixed. Returns the first class index out of range, or -1."""
    cdef const int64_t *order = batches.order + i
    cdef const int64_t *partner = batches.partner + i
    cdef const char *source = batches.source[j]
    cdef char *out = batches.staged[j]
    cdef Py_ssize_t cols = batches.cols[j]
    if j == 1 and batches.labels:
        if real is float:
            return fnn_mix_labels_f32(<const int64_t *> source, <float *> out, order, partner, rows, cols, share)
        else:
            return fnn_mix_labels_f64(<const int64_t *> source, <double *> out, order, partner, rows, cols, share)
    if real is float:
        fnn_mix_rows_f32(<const float *> source, <float *> out, order, partner, rows, cols, share)
    else:
        fnn_mix_rows_f64(<const double *> source, <double *> out, order, partner, rows, cols, share)
    return -1
