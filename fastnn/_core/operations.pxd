"""The operations of a program as C structs, which interpreter.pyx carries out.

`fastnn/compiler/operations.py` says of each kind what it reads, writes and takes.
"""

from libc.stdint cimport int64_t, uint64_t

from fastnn._core.linear cimport Epilogue
from fastnn._core.normalization cimport Norm
from fastnn._core.optimizers cimport Update

# The kinds, by the names of the table in lower case.
cpdef enum:
    LINEAR, LINEAR_BACKWARD, ACTIVATION, ACTIVATION_BACKWARD, ARITHMETIC, ROWS, ROWS_BACKWARD, NOISE, NOISE_BACKWARD
    LAYER_NORM, LAYER_NORM_BACKWARD, RMS_NORM, RMS_NORM_BACKWARD, BATCH_NORM, BATCH_NORM_BACKWARD, RUNNING
    GROUP_NORM, GROUP_NORM_BACKWARD, EMBEDDING_BAG, EMBEDDING_BAG_BACKWARD
    PRELU, PRELU_BACKWARD, TEMPERATURE_SCALE, TEMPERATURE_SCALE_BACKWARD, EMBEDDING, EMBEDDING_BACKWARD
    GATHER, GATHER_BACKWARD, SUM_COLUMNS, EXPAND_COLUMNS, EXPAND_ROWS, EXPAND_ROWS_BACKWARD
    LINEAR_INT8, COPY, COPY_COLUMNS, READ_LABELS, HEADS_BEGIN, HEADS_ADD, HEADS_END
    PRESENT, LOSS, ROW_LOSS, COUNT_CORRECT, COUNT_CLASSES, COUNT_TOP, COUNT_ERRORS, KEEP_LOSS, COUNT_LOSS
    UPDATE, AVERAGE, PYTHON

# The operands, by the names of the table in lower case. Arguments of the run are filled in when it begins.
cpdef enum:
    X, OTHER, Y, PRE, WEIGHT, BIAS, SAVED, GRAD_OUTPUT, GRAD_INPUT, GRAD_WEIGHT, GRAD_BIAS, TARGET, SAMPLE_WEIGHT
    EXPANDED, COLUMN_WEIGHT, EXTRA, GRAD_EXTRA, S0, S1, S2, HYPER, STEP, SPANS, CLIPPING, SCRATCH, STATISTICS
    RUNNING_MEAN, RUNNING_VAR, INDEX, PER_ROW, SCALE
    ROLES  # their number

# Bits of Op.flag.
cpdef enum:
    MEAN = 1           # the loss is a mean
    LABELS = 2         # targets are class indices
    ACCUMULATE = 4     # gradients are added to those there; a loss leaves its division to the update
    BY_ROWS = 8        # the mean is over rows, not over elements
    CLASS_WEIGHTS = 16  # weights of classes count in the mean
    ROOT = 32          # the loss is the square root of the mean
    EACH_OUTPUT = 64   # targets have a label of 0 or 1 for each output
    ELEMENTS = 128     # sample weights are one an element, not one a row
    TRANSPOSED = 256   # the weight of a product is stored as (out, in)
    SPARSE = 512       # the x of a product is sparse rows

# Parameters of a kind, by name; those that it has not got are 0.
ctypedef struct Options:
    double eps             # of a normalization
    double momentum        # of running statistics; below 0: their average over all batches
    double factor          # of copied columns
    double head_weight     # of the loss of a head
    double threshold       # above which an output says yes
    int64_t ignored        # the class index of rows that count nothing
    int64_t k              # of the top k classes
    int64_t x_stride       # numbers from one row of x to the next
    int64_t y_stride
    int64_t num_embeddings
    int64_t padding        # the row of the table without a gradient; -1: none
    int64_t groups         # of columns, each normalized on its own
    int64_t length         # columns that share one number of its weight
    int64_t bag_size       # codes of a bag
    int64_t mode           # of bags: sum, mean, max, or 3: single rows, which `padding` does not leave out
    int64_t by_freq        # whether the gradient of a row is divided by how often it occurs
    int64_t renorm         # whether the gradient writes rows of limited norm back
    double max_norm        # the largest norm of a row of the table; below 0: any
    double norm_type       # which norm
    int64_t shared         # whether all columns share one slope
    int64_t place          # where in the sums a metric or a head counts

ctypedef struct Op:
    int kind
    int kernel
    int flag
    int targets          # their kind, of a loss
    int call             # of a Python operation: which one
    Py_ssize_t n_in
    Py_ssize_t n_out
    double cost
    double[3] params     # of the kernel
    Options options
    Epilogue epilogue
    Norm norm
    Update update
    uint64_t seed
    uint64_t stream
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
    double kept_loss     # loss_sum and weight_sum before them, or before another loss as a metric
    double kept_weight
    double kept_divisor
    double kept_last     # the last loss
    double *sums         # all of them, with what metrics count behind the numbers above; or NULL
    Py_ssize_t bad_row   # the row of the batch whose label, index or target in a column of an operation is out of range
    int64_t bad_value    # the label
    double bad_number    # the index or the target
    Py_ssize_t bad_column
    int bad_op

cdef enum:
    DONE, BAD_LABEL, BAD_TARGET, BAD_INDEX, NON_FINITE, BAD_NORM, TOO_LARGE, RAISED
