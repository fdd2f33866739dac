"""Runs of a program over batches: its operations as C structs, and where a run is."""

from libc.stdint cimport int64_t, uint64_t

from fastnn._core.accumulation cimport Group
from fastnn._core.batches cimport Batches
from fastnn._core.lanes cimport Fixup
from fastnn._core.operations cimport Op, Totals
from fastnn._core.schedule cimport Schedule

# The operations of a program.
ctypedef struct Code:
    Op *ops
    int count
    Fixup *fixups      # operands that are known only at the run
    int n_fixups
    bint double_
    int forward_stop   # the operations before this one are the forward section
    int loss_stop      # and those before this one have computed the loss
    int update_start, update_stop  # those in between update parameters
    int64_t *tick
    uint64_t now       # the tick that dropout draws by in this run
    void *owner        # the program; it has the callables of Python operations
    int (*python)(void *owner, Py_ssize_t index, Py_ssize_t rows, Totals *totals) noexcept nogil
    int (*signals)(void *owner) noexcept nogil  # runs the handlers of signals that arrived
    bint interrupted   # by another thread: the run ends between two batches

# A run over batches: where it is, and what it adds up.
ctypedef struct Loop:
    int first, last        # operations, from first to last - 1
    bint train             # the tick that dropout draws by advances with each batch
    bint halt              # a batch whose loss is not finite ends the run
    int accumulate         # batches of an update
    Py_ssize_t row, stop   # the next row, and the one after the last
    Py_ssize_t batch_size
    Py_ssize_t batch, batches    # the number of the next batch, and of all
    Py_ssize_t update            # the number of the next update
    double *losses         # of each batch, or NULL
    double *penalties      # on the parameters before each batch, or NULL
    double looked          # nanoseconds: when signals were last looked at
    Batches data
    Totals totals
    Schedule rates
    Group group

# Epochs over the same rows, each in an order of its own.
ctypedef struct Epochs:
    Py_ssize_t epoch, count  # that is next, and how many there are
    Py_ssize_t rows          # that are permuted
    int64_t *order           # is filled with a permutation of the rows; NULL: they are taken as they come
    uint64_t seed, stream    # of the permutation of the first epoch; streams go up by 1
    double *sums             # of each epoch; NULL as long as there are none
    Py_ssize_t n_sums
    double *seconds          # of each epoch

cdef void clear(void **slots) noexcept nogil
cdef int run_all(Code *code, int first, int last, Py_ssize_t rows, void **slots, Totals *totals) noexcept nogil
cdef int run_batch(Code *code, int first, int last, Py_ssize_t rows, void **slots, Totals *totals, bint halt,
                   bint closes) noexcept nogil
cdef int run_loop(Code *code, Loop *loop) noexcept nogil
cdef int run_epochs(Code *code, Loop *loop, Epochs *epochs) noexcept nogil
