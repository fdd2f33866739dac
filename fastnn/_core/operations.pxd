"""The operations of a program as C structs, and their interpreter."""

from libc.stdint cimport int64_t, uint64_t

from fastnn._core.dispatch cimport real
from fastnn._core.linear cimport Epilogue
from fastnn._core.normalization cimport Norm
from fastnn._core.optimizers cimport Update

cdef enum:
    LINEAR, LINEAR_BACKWARD, ACTIVATION, ACTIVATION_BACKWARD, ROWS, ROWS_BACKWARD, NOISE, NOISE_BACKWARD, COPY
    COLUMNS, LABELS_OF, HEADS_BEGIN, HEADS_HEAD, HEADS_END, NORM, NORM_BACKWARD, RUNNING, LOSS, ROW_LOSS, CORRECT
    COUNT_CLASSES, COUNT_TOP, COUNT_ERRORS, UPDATE, AVERAGE, PYTHON
    PRELU, PRELU_BACKWARD, TEMPERATURE, TEMPERATURE_BACKWARD, EMBEDDING, EMBEDDING_BACKWARD, GATHER, GATHER_BACKWARD

# What an operation reads and writes. An array that is known only at the run (a Slot) is filled in when it begins.
cdef enum:
    X, Y, PRE, WEIGHT, BIAS, SAVED, GRAD_Y, GRAD_X, GRAD_WEIGHT, GRAD_BIAS, TARGET, SAMPLE_WEIGHT, EXPANDED
    EXTRA, GRAD_EXTRA, S0, S1, S2, HYPER, STEP, SPANS, CLIPPING, STATISTICS, RUNNING_MEAN, RUNNING_VAR, INDEX, ROLES

# Bits of Op.flag: the loss is a mean; targets are class indices; gradients are added to those there (those of a loss
# are of a sum then, and the update divides by the weights of all its batches); the mean is of rows, not of elements;
# weights of classes count in the mean.
cpdef enum:
    MEAN = 1
    LABELS = 2
    ACCUMULATE = 4
    BY_ROWS = 8
    SHARED = 16

ctypedef struct Op:
    int kind
    int kernel
    int flag             # of the bits below
    int root             # rmse: the loss is the root of the mean
    int targets          # their kind, of a loss
    Py_ssize_t n_in
    Py_ssize_t n_out
    double cost
    double[3] params
    Epilogue epilogue
    Norm norm
    double eps           # of a normalization
    Update update
    uint64_t seed
    uint64_t stream
    Py_ssize_t place     # where in the sums a metric counts
    void *p[ROLES]

ctypedef struct Totals:
    double loss          # of the last batch
    double loss_sum      # weighted sum of losses so far
    double weight_sum    # and what to divide it by
    double mean_weight   # of the samples of all batches, if gradients are divided by it; 0: by the weights of the batch
    double divisor       # what the gradients of a group of batches are divided by
    double correct       # right predictions so far
    double samples
    double heads         # the weighted sum of the losses of several heads of the network
    double kept_loss     # loss_sum and weight_sum before them
    double kept_weight
    double kept_divisor
    double *sums         # all of them, with what metrics count behind the numbers above; or NULL
    Py_ssize_t bad_row   # the row of the batch whose label, code or target in a column of an operation is out of range
    int64_t bad_value    # the label
    double bad_number    # the code or the target
    Py_ssize_t bad_column
    int bad_op

cdef enum:
    DONE, BAD_LABEL, BAD_TARGET, BAD_CODE, NON_FINITE, BAD_NORM, RAISED

cdef double divisor_of(const Totals *totals, double rows, double weight_sum) noexcept nogil
cdef int run_op(Op *op, Totals *totals, Py_ssize_t rows, uint64_t tick, real dtype) noexcept nogil
