"""The native backend of a program: its operations as C structs, run without the GIL, without an allocation.

fastnn/compiler/compile.py makes programs; reference/program.py runs the same ones with NumPy.
"""

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.accumulation cimport (
    OWN_SUMS, Group, begin_group, end_group, keep_running, read_totals, write_totals,
)
from fastnn._core.batches cimport BEYOND, GOOD, Batches, check_batches, next_batch, read_batches
from fastnn._core.lanes cimport INPUT, OUTPUT, SLOTS, TARGET_SLOT, WEIGHT_SLOT, Fixup, Lanes
from fastnn._core.operations cimport (
    BAD_INDEX, BAD_LABEL, BAD_NORM, BAD_TARGET, DONE, ELEMENTS, LABELS, NON_FINITE, PYTHON, RAISED, TOO_LARGE, UPDATE,
    Op, Totals,
    divisor_of, run_op,
)
from fastnn._core.optimizers cimport penalty
from fastnn._core.resolve cimport resolve
from fastnn._core.schedule cimport Schedule, read_schedule, set_rates
from fastnn._core.turns cimport Turns, close_turns, end_turn, open_turns, take_turn, try_turn

from fastnn._core.errors import BadIndex, BadLabel, BadTarget, Beyond, NonFinite
from fastnn._core.operations import number_of
from fastnn._core.optimizers import NOT_FINITE

cnp.import_array()

ARGUMENTS = ("input", "target", "sample_weight", "output", "grad_output", "grad_input")

assert len(ARGUMENTS) == SLOTS

cdef double AT_ONCE = 50e6  # nanoseconds of work on one thread in one call of `predict_rows`

# A run over batches: where it is, and what it adds up.
ctypedef struct Loop:
    int first, last        # operations, from first to last - 1
    bint train             # the tick that dropout draws by advances with each batch
    bint halt              # a batch whose loss is not finite ends the run
    int accumulate         # batches of an update
    Py_ssize_t row, stop   # the next row, and the one after the last
    Py_ssize_t batch_size
    Py_ssize_t batch, batches  # the number of the next batch, and of all
    double *losses         # of each batch, or NULL
    double *penalties      # on the parameters before each batch, or NULL
    Batches data
    Totals totals
    Schedule rates
    Group group

cdef class NativeProgram:
    """A program (fastnn.compiler.program.Program) resolved into C structs.

    `run(first, last, rows, slots, sums)` runs operations first .. last - 1 on `rows` rows. `sums` is a float64 array of
    five: the loss of this batch; then, added up, losses and their weights, weights of right predictions and of all;
    behind these, what is counted for metrics (fastnn/compiler/counters.py).
    """
    cdef Op *ops
    cdef int count
    cdef Fixup *fixups      # operands that are known only at the run
    cdef int n_fixups
    cdef bint double_
    cdef bint labels        # targets are class indices
    cdef Py_ssize_t batch_size, n_in, n_out, n_target
    cdef Py_ssize_t sums_size  # of sums that have more than OWN_SUMS numbers
    cdef Py_ssize_t target_bytes  # of a row of targets, 0 if no operation reads them
    cdef Py_ssize_t weight_bytes  # of a row of sample weights: one number, or one for each target
    cdef bint by_batch      # something is normalized by the statistics of a batch: a single row has none
    cdef int forward_stop   # the operations before this one are the forward section
    cdef int loss_stop      # and those before this one have computed the loss
    cdef int update_start, update_stop  # those in between update parameters
    cdef int64_t *tick
    cdef Turns turns              # one run at a time: they share the workspace
    cdef Lanes lanes              # workspaces for threads that predict meanwhile
    cdef object error             # raised in Python code, on its way out of the run
    cdef uint64_t now             # the tick that dropout draws by in this run
    cdef object staged            # (targets, weights, mean weight), for losses in Python; None if they are not gathered
    cdef list keep  # the arrays behind the pointers, and the callables of Python operations

    def __cinit__(self, program):
        self.count = len(program.operations)
        self.ops = <Op *> calloc(max(1, self.count), sizeof(Op))
        if self.ops == NULL:
            raise MemoryError("no memory for the operations of a program")
        open_turns(&self.turns)

    def __init__(self, program):
        self.double_ = program.dtype == "float64"
        self.keep = [program.tick]
        self.tick = <int64_t *> arrays.data(program.tick)
        self.batch_size, self.n_in, self.n_out = program.batch_size, program.n_in, program.n_out
        self.by_batch = bool(program.by_batch)
        self.sums_size = program.sums_size
        self.n_target = next((o.n_in for o in program.operations if o.kind in ("loss", "row_loss")), self.n_out)
        self.forward_stop = program.span("forward")[1]
        self.loss_stop = program.sections.get("loss", (0, self.forward_stop))[1]
        self.update_start, self.update_stop = program.sections.get("update", (0, 0))
        self.labels = any(o.kind == "row_loss" and o.flag & LABELS for o in program.operations)
        self.weight_bytes = self.itemsize()
        for i, operation in enumerate(program.operations):
            if operation.flag & ELEMENTS and hasattr(operation.arrays.get("sample_weight"), "argument"):
                self.weight_bytes = operation.n_in * self.itemsize()
            resolve(&self.ops[i], operation, self.keep)
            for name, array in operation.arrays.items():
                if hasattr(array, "argument"):
                    self.add_fixup(i, number_of(name), ARGUMENTS.index(array.argument))
            if any(getattr(array, "argument", None) == "target" for array in operation.arrays.values()):
                self.target_bytes = sizeof(int64_t) if operation.flag & LABELS else operation.n_in * self.itemsize()
        self.lanes = Lanes(program.forward_memory(), dispatch.FNN_FLOAT64 if self.double_ else dispatch.FNN_FLOAT32,
                           self.n_in * self.itemsize(), self.n_out * self.itemsize())
        self.lanes.setup(self.ops, self.forward_stop, self.fixups, self.n_fixups)

    def __dealloc__(self):
        free(self.ops)
        free(self.fixups)
        close_turns(&self.turns)

    cdef int add_fixup(self, int op, int role, int slot) except -1:
        fixups = <Fixup *> realloc(self.fixups, (self.n_fixups + 1) * sizeof(Fixup))
        if fixups == NULL:
            raise MemoryError("no memory for the operands of a program")
        self.fixups = fixups
        self.fixups[self.n_fixups] = Fixup(op, role, slot)
        self.n_fixups += 1
        return 0

    cdef release(self, int status, Totals *totals, Py_ssize_t offset):
        """End a run; raise what went wrong in it. `offset` is the place of the batch's first row in the data."""
        error, self.error, self.staged = self.error, None, None
        end_turn(&self.turns)
        if status == RAISED:
            raise error
        if status == BAD_LABEL:
            raise BadLabel(totals.bad_row + offset, totals.bad_value)
        if status == NON_FINITE:
            raise NonFinite(offset)
        if status == BAD_INDEX:
            raise BadIndex(totals.bad_row + offset, totals.bad_column, totals.bad_number, totals.bad_op)
        if status == BAD_TARGET:
            raise BadTarget(totals.bad_row + offset, totals.bad_column, totals.bad_number, totals.bad_op)
        if status == TOO_LARGE:
            raise Beyond(offset, totals.bad_value, "xy"[totals.bad_column])
        if status == BAD_NORM:
            raise RuntimeError(NOT_FINITE)

    cdef int run_all(self, int first, int last, Py_ssize_t rows, void **slots, Totals *totals) noexcept nogil:
        cdef int i
        for i in range(self.n_fixups):
            self.ops[self.fixups[i].op].p[self.fixups[i].role] = slots[self.fixups[i].slot]
        return self.run_bound(first, last, rows, totals)

    cdef int run_bound(self, int first, int last, Py_ssize_t rows, Totals *totals) noexcept nogil:
        """Run operations whose slots are filled in."""
        cdef int i, status
        for i in range(first, last):
            if self.ops[i].kind == PYTHON:
                status = self.run_python(self.ops[i].call, rows, totals)
            else:
                status = run_op(&self.ops[i], totals, rows, self.now,
                                dispatch.FNN_FLOAT64 if self.double_ else dispatch.FNN_FLOAT32)
            if status != DONE:
                totals.bad_op = i
                return status
        return DONE

    cdef int run_batch(self, int first, int last, Py_ssize_t rows, void **slots, Totals *totals, bint halt,
                       bint closes) noexcept nogil:
        """A batch from `first` to `last`, without the update unless it closes a group.

        With `halt`, one whose loss is not finite ends there and counts nowhere.
        """
        cdef int status, between = self.loss_stop if halt else first
        cdef Totals before = totals[0]
        status = self.run_all(first, between, rows, slots, totals)
        if status != DONE:
            return status
        if halt and not isfinite(totals.loss_sum):  # the loss itself is 0 / 0 where all weights are 0
            totals[0] = before
            return NON_FINITE
        if closes:
            return self.run_bound(between, last, rows, totals)
        status = self.run_bound(between, self.update_start, rows, totals)
        return self.run_bound(self.update_stop, last, rows, totals) if status == DONE else status

    cdef int run_python(self, Py_ssize_t index, Py_ssize_t rows, Totals *totals) noexcept with gil:
        try:
            result = self.keep[index](rows, self.staged)
            if result is not None:
                loss, count = result
                totals.loss = loss
                totals.divisor += divisor_of(totals, rows, count)
                if count:  # the mean of nothing is NaN, and counts nothing
                    totals.loss_sum += totals.loss * <double> count
                    totals.weight_sum += <double> count
            return DONE
        except BaseException as error:
            self.error = error
            return RAISED

    cdef int check_signals(self) noexcept with gil:
        """Run the handlers of signals that arrived; Ctrl-C's raises."""
        try:
            PyErr_CheckSignals()
            return DONE
        except BaseException as error:
            self.error = error
            return RAISED

    cdef bint takes(self, x):
        """Whether x is a matrix of inputs that needs neither repair nor explanation."""
        return (not dispatch.reference and arrays.is_plain(x) and arrays.is_double(x) == self.double_
                and cnp.PyArray_NDIM(<cnp.ndarray> x) == 2 and cnp.PyArray_DIM(<cnp.ndarray> x, 1) == self.n_in
                and not (self.by_batch and cnp.PyArray_DIM(<cnp.ndarray> x, 0) == 1))

    cdef bint takes_target(self, y, Py_ssize_t rows, int dtype):
        """Whether the contiguous array y is a target as the program reads it: labels, or a row for each sample."""
        cdef int ndim = cnp.PyArray_NDIM(<cnp.ndarray> y)
        if ndim < 1 or cnp.PyArray_DIM(<cnp.ndarray> y, 0) != rows:
            return False
        if self.labels:
            return ndim == 1 and cnp.PyArray_TYPE(<cnp.ndarray> y) == cnp.NPY_INT64
        return (ndim == 2 and cnp.PyArray_TYPE(<cnp.ndarray> y) == dtype
                and cnp.PyArray_DIM(<cnp.ndarray> y, 1) == self.n_target)

    cdef Py_ssize_t itemsize(self) noexcept:
        return sizeof(double) if self.double_ else sizeof(float)

    cdef int check_row_sizes(self, const Batches *data) except -1:
        """Raise ValueError unless rows are as long as the operations read them."""
        cdef Py_ssize_t target = data.row_bytes[TARGET_SLOT]
        if data.labels:  # they become probabilities
            target = data.cols[TARGET_SLOT] * self.itemsize()
        if data.cols[INPUT] != self.n_in or data.row_bytes[INPUT] != self.n_in * self.itemsize():
            raise ValueError(f"x must have {self.n_in} features of the program's dtype, got {data.cols[INPUT]}")
        if self.target_bytes and target != self.target_bytes:
            raise ValueError(f"targets must have {self.target_bytes} bytes a row, got {target}")
        if data.source[WEIGHT_SLOT] != NULL and data.row_bytes[WEIGHT_SLOT] != self.weight_bytes:
            raise ValueError(f"sample_weight must have {self.weight_bytes} bytes a row, of the program's dtype")
        return 0

    def predict(self, x):
        """The outputs for the rows of x, or None if x is for the slow path."""
        cdef void *slots[SLOTS]
        cdef Totals totals
        cdef int status
        if not self.takes(x) or cnp.PyArray_DIM(<cnp.ndarray> x, 0) > self.batch_size:
            return None
        cdef cnp.npy_intp[2] shape = [cnp.PyArray_DIM(<cnp.ndarray> x, 0), self.n_out]
        out = cnp.PyArray_EMPTY(2, shape, cnp.PyArray_TYPE(<cnp.ndarray> x), 0)
        if not try_turn(&self.turns):
            lane = self.lanes.take()
            if lane is not None:
                status = self.lanes.run(lane, arrays.data(x), arrays.data(out), shape[0], &totals)
                self.lanes.give(lane)
                return None if status == BAD_INDEX else out
            take_turn(&self.turns)
        clear(slots)
        slots[INPUT], slots[OUTPUT] = arrays.data(x), arrays.data(out)
        with nogil:
            status = self.run_all(0, self.forward_stop, shape[0], slots, &totals)
        self.release(DONE if status == BAD_INDEX else status, &totals, 0)
        return None if status == BAD_INDEX else out

    cdef bint is_evaluating(self) noexcept:
        """Whether the parameters are those that a schedule-free optimizer evaluates: they cannot be trained."""
        cdef Op *op = &self.ops[self.update_start]
        return self.update_start < self.update_stop and op.kind == UPDATE and op.update.hyper.evaluating != 0

    def rows_at_once(self):
        """How many rows `predict_rows` is to be given in one call, so that Ctrl-C is seen in time."""
        return max(self.batch_size, <Py_ssize_t> (AT_ONCE / max(1.0, self.lanes.cost)) // 512 * 512)

    def predict_rows(self, x, out):
        """Write the outputs for any number of rows of x into `out`; threads divide the rows.

        False if there is no lane, or an array is for the slow path; then nothing has happened.
        """
        cdef Totals bad
        cdef int status
        if (not self.takes(x) or not arrays.is_matrix(out) or not arrays.is_writable(out)
                or not arrays.same_dtype(x, out) or self.by_batch
                or cnp.PyArray_DIM(<cnp.ndarray> out, 0) != cnp.PyArray_DIM(<cnp.ndarray> x, 0)
                or cnp.PyArray_DIM(<cnp.ndarray> out, 1) != self.n_out):
            return False
        lanes = self.lanes.take_for(cnp.PyArray_DIM(<cnp.ndarray> x, 0))
        if not lanes:
            return False
        try:
            status = self.lanes.run_rows(lanes, arrays.data(x), arrays.data(out),
                                         cnp.PyArray_DIM(<cnp.ndarray> x, 0), self.batch_size, &bad)
        finally:
            for lane in lanes:
                self.lanes.give(lane)
        if status == BAD_INDEX:
            raise BadIndex(bad.bad_row, bad.bad_column, bad.bad_number, bad.bad_op)
        return True

    def step(self, x, y):
        """The loss after one training step, or None if x or y is for the slow path (then nothing has happened)."""
        cdef void *slots[SLOTS]
        cdef Totals totals
        cdef int status
        cdef Py_ssize_t rows
        if not self.takes(x) or not cnp.PyArray_CheckExact(y) or not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> y):
            return None
        rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
        if not 1 <= rows <= self.batch_size or not self.takes_target(y, rows, cnp.PyArray_TYPE(<cnp.ndarray> x)):
            return None
        if self.is_evaluating():
            return None
        clear(slots)
        memset(&totals, 0, sizeof(totals))
        slots[INPUT], slots[TARGET_SLOT] = arrays.data(x), arrays.data(y)
        take_turn(&self.turns)
        self.tick[0] += 1
        self.now = <uint64_t> self.tick[0]
        with nogil:
            status = self.run_batch(0, self.count, rows, slots, &totals, True, True)
        if status != DONE:
            self.tick[0] -= 1
        self.release(status if status == RAISED else DONE, &totals, 0)
        return totals.loss if status == DONE else None

    def run(self, int first, int last, Py_ssize_t rows, dict slots, double[::1] sums, tick=None):
        """Run some operations once. Dropout draws by `tick`, by default that of now."""
        cdef void *pointers[SLOTS]
        cdef Totals totals
        cdef int i, status
        cdef bint own = tick is None
        cdef int64_t given = 0 if own else tick  # before the turn is taken: what raises then would keep it
        for i in range(SLOTS):
            array = slots.get(ARGUMENTS[i])
            pointers[i] = arrays.data(array)
        self.check_span(first, last, rows)
        self.check_sums(sums)
        read_totals(&totals, sums)
        take_turn(&self.turns)
        self.now = <uint64_t> (self.tick[0] if own else given)
        with nogil:
            status = self.run_all(first, last, rows, pointers, &totals)
        write_totals(&totals, sums)
        self.release(status, &totals, 0)

    cdef int check_span(self, int first, int last, Py_ssize_t rows) except -1:
        """Raise ValueError unless these are operations of the program, on no more rows than it is for."""
        if not (0 <= first <= last <= self.count and 0 <= rows <= self.batch_size):
            raise ValueError(f"operations {first} to {last} of {self.count}, {rows} rows of {self.batch_size}")
        return 0

    cdef int check_sums(self, double[::1] sums) except -1:
        """Raise ValueError unless there is room for what is added up; five numbers stand for: count nothing."""
        if sums.shape[0] < OWN_SUMS or OWN_SUMS < sums.shape[0] < self.sums_size:
            raise ValueError(f"sums must have {max(OWN_SUMS, self.sums_size)} numbers, got {sums.shape[0]}")
        return 0

    def run_batches(self, int first, int last, run):
        """Run the operations on rows of the data, a batch at a time, as `run` says (fastnn/compiler/batch_run.py).

        Signals are seen between two batches. Returns the row after the last one.
        """
        cdef Loop loop
        cdef int status
        # What is read of `run` once: it could be given other arrays meanwhile.
        x, target, sample_weight, staging, schedule = run.x, run.target, run.sample_weight, run.staging, run.schedule
        cdef const int64_t[::1] order = run.order
        cdef double[::1] sums = run.sums
        cdef double[::1] losses = run.losses
        cdef double[::1] penalties = run.penalties
        self.read_loop(&loop, first, last, run, sums)
        self.check_loop(&loop, losses, penalties)
        rows, mix = (x, target, sample_weight), run.mix
        check_batches(rows, order, loop.row, loop.stop, loop.batch_size, staging, mix, self.n_in)
        read_batches(&loop.data, rows, order, staging, mix, self.double_, self.n_out, run.scale)
        read_schedule(&loop.rates, schedule, (loop.batches + loop.accumulate - 1) // loop.accumulate)
        if loop.batches:
            self.check_row_sizes(&loop.data)
        kept = bytearray(keep_running(&loop.group, False) + sums.nbytes if loop.accumulate > 1 else 0)
        loop.group.kept = kept
        staged = None if staging is None else (*staging[1:], loop.totals.mean_weight)
        take_turn(&self.turns)
        self.staged = staged
        with nogil:
            status = self.run_loop(&loop)
        write_totals(&loop.totals, sums)
        self.release(status, &loop.totals, loop.row)
        return loop.row

    cdef read_loop(self, Loop *loop, int first, int last, run, double[::1] sums):
        """Set all of a loop but the rows that it reads."""
        memset(loop, 0, sizeof(Loop))
        loop.first, loop.last, loop.train, loop.halt = first, last, run.train, run.halt
        loop.row, loop.stop, loop.batch_size, loop.accumulate = run.start, run.stop, run.batch_size, run.accumulate
        if loop.batch_size > 0 and loop.stop > loop.row:
            loop.batches = (loop.stop - loop.row + loop.batch_size - 1) // loop.batch_size
        self.check_sums(sums)
        read_totals(&loop.totals, sums)
        loop.totals.mean_weight = run.mean_weight
        loop.group.ops, loop.group.count, loop.group.update = self.ops, self.count, self.update_start
        loop.group.double_ = self.double_
        loop.group.sums = sums.shape[0] if loop.totals.sums != NULL else 0

    cdef int check_loop(self, Loop *loop, double[::1] losses, double[::1] penalties) except -1:
        """Raise ValueError unless operations, batches and the room for their losses fit together."""
        self.check_span(loop.first, loop.last, min(loop.batch_size, loop.stop - loop.row) if loop.batches else 0)
        if loop.accumulate < 1:
            raise ValueError(f"accumulate must be at least 1, got {loop.accumulate}")
        if losses is not None:
            if losses.shape[0] < loop.batches:
                raise ValueError(f"losses must have room for {loop.batches} batches, got {losses.shape[0]}")
            loop.losses = &losses[0] if losses.shape[0] else NULL
        if penalties is not None:
            if penalties.shape[0] < loop.batches:
                raise ValueError(f"penalties must have room for {loop.batches} batches, got {penalties.shape[0]}")
            loop.penalties = &penalties[0] if penalties.shape[0] else NULL
        return 0

    cdef int run_loop(self, Loop *loop) noexcept nogil:
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
                begin_group(&loop.group, &loop.totals, self.tick)
            status = self.run_next(loop, rows, slots, closes)
            closes = closes and status == DONE
            if status == DONE:  # a batch that failed was none
                if loop.losses != NULL:
                    loop.losses[loop.batch] = loop.totals.loss
                loop.batch += 1
                if loop.train:  # others do not write it: threads may evaluate one network at a time
                    self.tick[0] += 1
                loop.row += rows
                status = self.check_signals()
            if loop.accumulate > 1 and (closes or status != DONE):
                end_group(&loop.group, &loop.totals, self.tick, closes)
        return status

    cdef double penalty_now(self) noexcept nogil:
        """The value of the penalties that the update has gradients of; 0 without an update."""
        if self.update_start == self.update_stop:
            return 0.0
        if self.double_:
            return penalty(&self.ops[self.update_start].update, <double> 0)
        return penalty(&self.ops[self.update_start].update, <float> 0)

    cdef int run_next(self, Loop *loop, Py_ssize_t rows, void **slots, bint closes) noexcept nogil:
        """Gather the rows of the next batch, and run it."""
        cdef Py_ssize_t bad = next_batch(&loop.data, loop.row, rows, loop.batch_size, slots)
        if bad <= BEYOND:
            loop.totals.bad_row, loop.totals.bad_column, loop.totals.bad_value = 0, BEYOND - bad, rows
            return TOO_LARGE
        if bad != GOOD:
            loop.totals.bad_row = bad
            loop.totals.bad_value = (<int64_t *> loop.data.source[TARGET_SLOT])[loop.data.order[loop.row + bad]]
            return BAD_LABEL
        self.now = <uint64_t> self.tick[0] + 1
        set_rates(&loop.rates, loop.batch // loop.accumulate)
        if loop.penalties != NULL:
            loop.penalties[loop.batch] = self.penalty_now()
        return self.run_batch(loop.first, loop.last, rows, slots, &loop.totals, loop.halt, closes)


cdef void clear(void **slots) noexcept nogil:
    cdef int i
    for i in range(SLOTS):
        slots[i] = NULL
