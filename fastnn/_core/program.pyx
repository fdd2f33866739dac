"""The native backend of a program: its operations as C structs, run without the GIL, without an allocation.

fastnn/compiler/compile.py makes programs; reference/program.py runs the same ones with NumPy.
"""

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.accumulation cimport OWN_SUMS, keep_running, read_totals, write_totals
from fastnn._core.batches cimport Batches, check_batches, read_batches
from fastnn._core.lanes cimport INPUT, OUTPUT, SLOTS, TARGET_SLOT, WEIGHT_SLOT, Fixup, Lanes
from fastnn._core.loops cimport Code, Epochs, Loop, clear, run_all, run_batch, run_epochs, run_loop
from fastnn._core.loss_operations cimport divisor_of
from fastnn._core.operations cimport (
    BAD_INDEX, BAD_LABEL, BAD_NORM, BAD_TARGET, DONE, ELEMENTS, LABELS, NON_FINITE, RAISED, TOO_LARGE, UPDATE,
    Op, Totals,
)
from fastnn._core.resolve cimport resolve
from fastnn._core.schedule cimport read_schedule
from fastnn._core.turns cimport Turns, close_turns, end_turn, open_turns, take_turn, try_turn

from threading import current_thread, main_thread

from fastnn._core.errors import BadIndex, BadLabel, BadTarget, Beyond, NonFinite
from fastnn._core.operations import number_of
from fastnn._core.optimizers import NOT_FINITE

cnp.import_array()

ARGUMENTS = ("input", "target", "sample_weight", "output", "grad_output", "grad_input")

assert len(ARGUMENTS) == SLOTS

cdef double AT_ONCE = 50e6  # nanoseconds of work on one thread in one call of `predict_rows`


cdef class NativeProgram:
    """A program (fastnn.compiler.program.Program) resolved into C structs.

    `run(first, last, rows, slots, sums)` runs operations first .. last - 1 on `rows` rows. `sums` is a float64 array of
    five: the loss of this batch; then, added up, losses and their weights, weights of right predictions and of all;
    behind these, what is counted for metrics (fastnn/compiler/counters.py).
    """
    cdef Code code
    cdef bint labels        # targets are class indices
    cdef Py_ssize_t batch_size, n_in, n_out, n_target
    cdef Py_ssize_t sums_size  # of sums that have more than OWN_SUMS numbers
    cdef Py_ssize_t target_bytes  # of a row of targets, 0 if no operation reads them
    cdef Py_ssize_t weight_bytes  # of a row of sample weights: one number, or one for each target
    cdef bint by_batch      # something is normalized by the statistics of a batch: a single row has none
    cdef Turns turns              # one run at a time: they share the workspace
    cdef Lanes lanes              # workspaces for threads that predict meanwhile
    cdef object error             # raised in Python code, on its way out of the run
    cdef object staged            # (targets, weights, mean weight), for losses in Python; None if they are not gathered
    cdef list keep  # the arrays behind the pointers, and the callables of Python operations

    def __cinit__(self, program):
        self.code.count = len(program.operations)
        self.code.ops = <Op *> calloc(max(1, self.code.count), sizeof(Op))
        if self.code.ops == NULL:
            raise MemoryError("no memory for the operations of a program")
        self.code.owner, self.code.python = <void *> self, call_python
        open_turns(&self.turns)

    def __init__(self, program):
        self.code.double_ = program.dtype == "float64"
        self.keep = [program.tick]
        self.code.tick = <int64_t *> arrays.data(program.tick)
        self.batch_size, self.n_in, self.n_out = program.batch_size, program.n_in, program.n_out
        self.by_batch = bool(program.by_batch)
        self.sums_size = program.sums_size
        self.n_target = next((o.n_in for o in program.operations if o.kind in ("loss", "row_loss")), self.n_out)
        self.code.forward_stop = program.span("forward")[1]
        self.code.loss_stop = program.sections.get("loss", (0, self.code.forward_stop))[1]
        self.code.update_start, self.code.update_stop = program.sections.get("update", (0, 0))
        self.labels = any(o.kind == "row_loss" and o.flag & LABELS for o in program.operations)
        self.weight_bytes = self.itemsize()
        for i, operation in enumerate(program.operations):
            if operation.flag & ELEMENTS and hasattr(operation.arrays.get("sample_weight"), "argument"):
                self.weight_bytes = operation.n_in * self.itemsize()
            resolve(&self.code.ops[i], operation, self.keep)
            for name, array in operation.arrays.items():
                if hasattr(array, "argument"):
                    self.add_fixup(i, number_of(name), ARGUMENTS.index(array.argument))
            if any(getattr(array, "argument", None) == "target" for array in operation.arrays.values()):
                self.target_bytes = sizeof(int64_t) if operation.flag & LABELS else operation.n_in * self.itemsize()
        dtype = dispatch.FNN_FLOAT64 if self.code.double_ else dispatch.FNN_FLOAT32
        self.lanes = Lanes(program.forward_memory(), dtype, self.n_in * self.itemsize(), self.n_out * self.itemsize())
        self.lanes.setup(self.code.ops, self.code.forward_stop, self.code.fixups, self.code.n_fixups)

    def __dealloc__(self):
        free(self.code.ops)
        free(self.code.fixups)
        close_turns(&self.turns)

    cdef int add_fixup(self, int op, int role, int slot) except -1:
        fixups = <Fixup *> realloc(self.code.fixups, (self.code.n_fixups + 1) * sizeof(Fixup))
        if fixups == NULL:
            raise MemoryError("no memory for the operands of a program")
        self.code.fixups = fixups
        self.code.fixups[self.code.n_fixups] = Fixup(op, role, slot)
        self.code.n_fixups += 1
        return 0

    cdef release(self, int status, Totals *totals, Py_ssize_t offset):
        """End a run; raise what went wrong in it. `offset` is the place of the batch's first row in the data."""
        error, self.error, self.staged = self.error, None, None
        end_turn(&self.turns)
        if status == RAISED:
            raise KeyboardInterrupt if error is None else error
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

    cdef bint takes(self, x):
        """Whether x is a matrix of inputs that needs neither repair nor explanation."""
        return (not dispatch.reference and arrays.is_plain(x) and arrays.is_double(x) == self.code.double_
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
        return sizeof(double) if self.code.double_ else sizeof(float)

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
            status = run_all(&self.code, 0, self.code.forward_stop, shape[0], slots, &totals)
        self.release(DONE if status == BAD_INDEX else status, &totals, 0)
        return None if status == BAD_INDEX else out

    cdef bint is_evaluating(self) noexcept:
        """Whether the parameters are those that a schedule-free optimizer evaluates: they cannot be trained."""
        cdef Op *op = &self.code.ops[self.code.update_start]
        return self.code.update_start < self.code.update_stop and op.kind == UPDATE and op.update.hyper.evaluating != 0

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
        self.code.tick[0] += 1
        self.code.now = <uint64_t> self.code.tick[0]
        with nogil:
            status = run_batch(&self.code, 0, self.code.count, rows, slots, &totals, True, True)
        if status != DONE:
            self.code.tick[0] -= 1
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
        self.code.now = <uint64_t> (self.code.tick[0] if own else given)
        with nogil:
            status = run_all(&self.code, first, last, rows, pointers, &totals)
        write_totals(&totals, sums)
        self.release(status, &totals, 0)

    cdef int check_span(self, int first, int last, Py_ssize_t rows) except -1:
        """Raise ValueError unless these are operations of the program, on no more rows than it is for."""
        if not (0 <= first <= last <= self.code.count and 0 <= rows <= self.batch_size):
            raise ValueError(f"operations {first} to {last} of {self.code.count}, {rows} rows of {self.batch_size}")
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
        cdef double[::1] sums = run.sums
        cdef double[::1] divisor = run.divisor
        self.check_sums(sums)
        if divisor is not None and divisor.shape[0] != 1:
            raise ValueError(f"divisor must be one number, got {divisor.shape[0]}")
        held = self.read_loop(&loop, first, last, run, sums.shape[0])
        read_totals(&loop.totals, sums, run.mean_weight)
        self.begin(held)
        with nogil:
            status = run_loop(&self.code, &loop)
        write_totals(&loop.totals, sums)
        if divisor is not None:
            divisor[0] = loop.totals.divisor
        self.release(status, &loop.totals, loop.row)
        return loop.row

    def run_epochs(self, int first, int last, run, uint64_t seed, uint64_t stream, double[::1] seconds):
        """The same for several epochs over all rows, of which `run.sums`, of shape (epochs, numbers), has a row each.

        `run.order`, if there is one, is filled with the permutation (seed, stream + epoch) of its rows before each
        epoch; `seconds` is given what each took. Losses and penalties of batches are not recorded. Returns the number
        of epochs that were done.
        """
        cdef Loop loop
        cdef Epochs epochs
        cdef int status
        cdef double[:, ::1] sums = run.sums
        cdef int64_t[::1] order = run.order
        epochs = Epochs(epoch=0, count=sums.shape[0], rows=0, order=NULL, seed=seed, stream=stream,
                        sums=&sums[0, 0], n_sums=sums.shape[1], seconds=&seconds[0])
        self.check_sums(sums[0])
        if run.start or seconds.shape[0] < epochs.count or run.losses is not None or run.penalties is not None:
            raise ValueError("epochs begin at row 0, and need seconds for each")
        held = self.read_loop(&loop, first, last, run, sums.shape[1], epochs.count)
        if order is not None and order.shape[0]:
            epochs.order, epochs.rows = &order[0], order.shape[0]
        self.begin(held)
        with nogil:
            status = run_epochs(&self.code, &loop, &epochs)
        self.release(status, &loop.totals, loop.row)
        return epochs.epoch

    def interrupt(self):
        """Have a run in another thread end between two batches, with KeyboardInterrupt there."""
        self.code.interrupted = True

    cdef begin(self, tuple held):
        """Take the turn for a run. `held` is (what losses in Python read, the memory of groups)."""
        cdef bint has_signals = current_thread() is main_thread()  # before the turn is taken: a signal may raise here
        take_turn(&self.turns)
        self.staged = held[0]
        self.code.signals, self.code.interrupted = NULL, False
        if has_signals:
            self.code.signals = look_for_signals

    cdef tuple read_loop(self, Loop *loop, int first, int last, run, Py_ssize_t n_sums, Py_ssize_t epochs=1):
        """Set all of a loop but what it adds up; returns what must be kept until the end of the run."""
        # What is read of `run` once: it could be given other arrays meanwhile.
        x, target, sample_weight, staging, schedule = run.x, run.target, run.sample_weight, run.staging, run.schedule
        cdef const int64_t[::1] order = run.order
        cdef double[::1] losses = run.losses
        cdef double[::1] penalties = run.penalties
        memset(loop, 0, sizeof(Loop))
        loop.first, loop.last, loop.train, loop.halt = first, last, run.train, run.halt
        loop.row, loop.stop, loop.batch_size, loop.accumulate = run.start, run.stop, run.batch_size, run.accumulate
        if loop.batch_size > 0 and loop.stop > loop.row:
            loop.batches = (loop.stop - loop.row + loop.batch_size - 1) // loop.batch_size
        self.check_loop(loop, losses, penalties)
        rows, mix = (x, target, sample_weight), run.mix
        check_batches(rows, order, loop.row, loop.stop, loop.batch_size, staging, mix, self.n_in)
        read_batches(&loop.data, rows, order, staging, mix, self.code.double_, self.n_out, run.scale)
        read_schedule(&loop.rates, schedule, (loop.batches + loop.accumulate - 1) // loop.accumulate * epochs)
        if loop.batches:
            self.check_row_sizes(&loop.data)
        loop.group.ops, loop.group.count, loop.group.update = self.code.ops, self.code.count, self.code.update_start
        loop.group.double_ = self.code.double_
        loop.group.sums = n_sums if n_sums > OWN_SUMS else 0
        kept = bytearray(keep_running(&loop.group, False) + n_sums * sizeof(double) if loop.accumulate > 1 else 0)
        loop.group.kept = kept
        loop.totals.mean_weight = run.mean_weight
        return None if staging is None else (*staging[1:], loop.totals.mean_weight), kept, rows, staging, schedule

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


cdef int call_python(void *owner, Py_ssize_t index, Py_ssize_t rows, Totals *totals) noexcept with gil:
    """Run a Python operation of a NativeProgram."""
    cdef NativeProgram self = <NativeProgram> owner
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


cdef int look_for_signals(void *owner) noexcept with gil:
    """Run the handlers of signals that arrived; Ctrl-C's raises."""
    try:
        PyErr_CheckSignals()
        return DONE
    except BaseException as error:
        (<NativeProgram> owner).error = error
        return RAISED
