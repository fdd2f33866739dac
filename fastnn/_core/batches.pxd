"""Where the rows of batches come from."""

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport fnn_sparse
from fastnn._core.rows cimport Source

# Inputs, targets and sample weights, in this order.
cdef enum:
    STREAMS = 3
    CONVERTED = 2  # of these the first may have other dtypes and layouts than a program reads

# What `next_batch` returns besides the row of a bad class index: all is well, or a number of a stream is too large for
# the dtype of the network (BEYOND - stream).
cdef enum:
    GOOD = -1
    BEYOND = -2

ctypedef struct Batches:
    char *source[STREAMS]           # NULL: there is none
    char *staged[STREAMS]           # where rows are gathered
    Py_ssize_t row_bytes[STREAMS]   # of rows as they are gathered
    Py_ssize_t cols[STREAMS]
    Source converted[CONVERTED]
    bint is_sparse                  # inputs are `sparse`
    fnn_sparse sparse
    const int64_t *order            # row i of a batch is row order[i]; NULL: it is row i, read in place
    const int64_t *partner          # mixed with row partner[i]; NULL: rows are not mixed
    const double *shares            # of the first, one a batch
    bint labels                     # targets are class indices, to be mixed as probabilities
    bint double_
    double scale                    # of inputs that are integers or float16

cdef int check_batches(arrays3, const int64_t[::1] order, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t batch_size,
                       staging, mix, Py_ssize_t n_in) except -1
cdef read_batches(Batches *batches, arrays3, const int64_t[::1] order, staging, mix, bint double_, Py_ssize_t classes,
                  double scale)
cdef Py_ssize_t next_batch(Batches *batches, Py_ssize_t i, Py_ssize_t rows, Py_ssize_t batch_size,
                           void **slots) noexcept nogil
