"""Runs of a program over batches and epochs, without the GIL, without an allocation."""

from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint64_t

from fastnn._core cimport dispatch
from fastnn._core.accumulation cimport OWN_SUMS, begin_group, end_group
from fastnn._core.batches cimport BEYOND, GOOD, next_batch
from fastnn._core.lanes cimport SLOTS, TARGET_SLOT
from fastnn._core.interpreter cimport run_op
from fastnn._core.operations cimport BAD_LABEL, DONE, NON_FINITE, PYTHON, RAISED, TOO_LARGE
from fastnn._core.optimizers cimport penalty
from fastnn._core.random cimport fill_permutation
from fastnn._core.schedule cimport set_rates
from fastnn._core.threads cimport nanoseconds_now

cdef double LOOK_NS = 100e3  # how often signals are looked at, for which the GIL is taken


cdef void clear(void **slots) noexcept nogil:
    cdef int i
    for i in range(SLOTS):
        slots[i] = NULL


cdef int run_all(Code *code, int first, int last, Py_ssize_t rows, void **slots, Totals *totals) noexcept nogil:
    """Run operations first .. last - 1 on so many rows."""
    cdef int i
    for i in range(code.n_fixups):
        code.ops[code.fixups[i].op].p[code.fixups[i].role] = slots[code.fixups[i].slot]
    return run_bound(code, first, last, rows, totals)


cdef int run_bound(Code *code, int first, int last, Py_ssize_t rows, Totals *totals) noexcept nogil:
    """Run operations whose slots are filled in."""
    cdef int i, status
    cdef int dtype = dispatch.FNN_FLOAT64 if code.double_ else dispatch.FNN_FLOAT32
    for i in range(first, last):
        if code.ops[i].kind == PYTHON:
            status = code.python(code.owner, code.ops[i].call, rows, totals)
        else:
            status = run_op(&code.ops[i], totals, rows, code.now, dtype)
        if status != DONE:
            totals.bad_op = i
            return status
    return DONE


cdef int run_batch(Code *code, int first, int last, Py_ssize_t rows, void **slots, Totals *totals, bint halt,
                   bint closes) noexcept nogil:
    """A batch from `first` to `last`, without the update unless it closes a group.

    With `halt`, one whose loss is not finite ends there and counts nowhere.
    """
    cdef int status, between = code.loss_stop if halt else first
    cdef Totals before = totals[0]
    status = run_all(code, first, between, rows, slots, totals)
    if status != DONE:
        return status
    if halt and not isfinite(totals.loss_sum):  # the loss itself is 0 / 0 where all weights are 0
        totals[0] = before
        return NON_FINITE
    if closes:
        return run_bound(code, between, last, rows, totals)
    status = run_bound(code, between, code.update_start, rows, totals)
    return run_bound(code, code.update_stop, last, rows, totals) if status == DONE else status


cdef int run_loop(Code *code, Loop *loop) noexcept nogil:
    """Run batches until the last one, an error or a signal; `loop.row` is then the first row that was not done."""
    cdef void *slots[SLOTS]
    cdef bint closes
    cdef int status = DONE
    cdef Py_ssize_t rows
    clear(slots)
    while loop.row < loop.stop and status == DONE:
        rows = min(loop.batch_size, loop.stop - loop.row)
        closes = (loop.batch + 1) % loop.accumulate == 0 or loop.row + rows == loop.stop
        if loop.accumulate > 1 and loop.batch % loop.accumulate == 0:
            begin_group(&loop.group, &loop.totals, code.tick)
        status = run_next(code, loop, rows, slots, closes)
        closes = closes and status == DONE
        if status == DONE:  # a batch that failed was none
            if loop.losses != NULL:
                loop.losses[loop.batch] = loop.totals.loss
            loop.batch += 1
            loop.update += closes
            if loop.train:  # others do not write it: threads may evaluate one network at a time
                code.tick[0] += 1
            loop.row += rows
            status = look_for_signals(code, loop)
        if loop.accumulate > 1 and (closes or status != DONE):
            end_group(&loop.group, &loop.totals, code.tick, closes)
    return status


cdef int look_for_signals(Code *code, Loop *loop) noexcept nogil:
    """Run the handlers of signals that arrived, now and then; Ctrl-C's raises."""
    cdef double now
    if code.interrupted:
        return RAISED
    if code.signals == NULL:  # another thread than Python's main thread, which has the signals
        return DONE
    now = nanoseconds_now()
    if now - loop.looked < LOOK_NS:
        return DONE
    loop.looked = now
    return code.signals(code.owner)


cdef double penalty_now(Code *code) noexcept nogil:
    """The value of the penalties that the update has gradients of; 0 without an update."""
    if code.update_start == code.update_stop:
        return 0.0
    if code.double_:
        return penalty(&code.ops[code.update_start].update, <double> 0)
    return penalty(&code.ops[code.update_start].update, <float> 0)


cdef int run_next(Code *code, Loop *loop, Py_ssize_t rows, void **slots, bint closes) noexcept nogil:
    """Gather the rows of the next batch, and run it."""
    cdef Py_ssize_t bad = next_batch(&loop.data, loop.row, rows, loop.batch_size, slots)
    if bad <= BEYOND:
        loop.totals.bad_row, loop.totals.bad_column, loop.totals.bad_value = 0, BEYOND - bad, rows
        return TOO_LARGE
    if bad != GOOD:
        loop.totals.bad_row = bad
        loop.totals.bad_value = (<int64_t *> loop.data.source[TARGET_SLOT])[loop.data.order[loop.row + bad]]
        return BAD_LABEL
    code.now = <uint64_t> code.tick[0] + 1
    set_rates(&loop.rates, loop.update)
    if loop.penalties != NULL:
        loop.penalties[loop.batch] = penalty_now(code)
    return run_batch(code, loop.first, loop.last, rows, slots, &loop.totals, loop.halt, closes)


cdef int run_epochs(Code *code, Loop *loop, Epochs *epochs) noexcept nogil:
    """Run epochs until the last one, an error or a signal; `epochs.epoch` is then the first that was not done."""
    cdef int status = DONE
    cdef double began
    while epochs.epoch < epochs.count and status == DONE:
        began = nanoseconds_now()
        if epochs.order != NULL:
            fill_permutation(epochs.seed, epochs.stream + <uint64_t> epochs.epoch, epochs.order, epochs.rows)
        loop.row, loop.batch = 0, 0
        begin_sums(loop, epochs)
        status = run_loop(code, loop)
        end_sums(loop, epochs)
        epochs.seconds[epochs.epoch] = 1e-9 * (nanoseconds_now() - began)
        if loop.row == loop.stop:  # the signal that ended it came after its last batch
            epochs.epoch += 1
    return status


cdef void begin_sums(Loop *loop, Epochs *epochs) noexcept nogil:
    """Have the loop add up for the next epoch, whose sums are 0."""
    cdef double *sums = epochs.sums + epochs.epoch * epochs.n_sums
    loop.totals.loss = loop.totals.loss_sum = loop.totals.weight_sum = 0
    loop.totals.correct = loop.totals.samples = loop.totals.divisor = 0
    loop.totals.sums = sums if epochs.n_sums > OWN_SUMS else NULL


cdef void end_sums(const Loop *loop, Epochs *epochs) noexcept nogil:
    cdef double *sums = epochs.sums + epochs.epoch * epochs.n_sums
    sums[0], sums[1], sums[2] = loop.totals.loss, loop.totals.loss_sum, loop.totals.weight_sum
    sums[3], sums[4] = loop.totals.correct, loop.totals.samples
