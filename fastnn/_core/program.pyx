"""The native backend of a program: its operations as C structs, run without the GIL, without an allocation.

fastnn/compiler/plan.py plans a program; reference/program.py runs the same plan with NumPy.
"""

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from cpython.pythread cimport (
    NOWAIT_LOCK, WAIT_LOCK, PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock,
    PyThread_get_thread_ident, PyThread_release_lock, PyThread_type_lock,
)
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.accumulation cimport Group, begin_group, end_group, keep_running
from fastnn._core.batches cimport Batches, check_batches, next_batch, read_batches
from fastnn._core.operations cimport (
    ACTIVATION, ACTIVATION_BACKWARD, ADD, AVERAGE, BAD_INDEX, BAD_LABEL, BAD_NORM, BAD_TARGET, BATCH_NORM,
    BATCH_NORM_BACKWARD, DONE, LABELS, LAYER_NORM, LAYER_NORM_BACKWARD, LINEAR, LINEAR_BACKWARD, LOSS, NOISE,
    NOISE_BACKWARD, NON_FINITE, PYTHON, RAISED, RMS_NORM, RMS_NORM_BACKWARD, ROW_LOSS, ROWS, ROWS_BACKWARD, UPDATE, Op,
    Totals, divisor_of, run_op,
)
from fastnn._core.normalization cimport find_norm
from fastnn._core.optimizers cimport make_update
from fastnn._core.rows cimport NO_WIDENING
from fastnn._core.schedule cimport Schedule, read_schedule, set_rates
from fastnn._core.threads cimport fork_count

from fastnn._core.activations import cost_of
from fastnn._core.errors import BadIndex, BadLabel, BadTarget, NonFinite
from fastnn._core.losses import ANY, TARGET_KINDS
from fastnn._core.operations import OPTION_NAMES, number_of
from fastnn._core.optimizers import NOT_FINITE
from fastnn._core.parameters import check_average

cnp.import_array()

ARGUMENTS = ("input", "target", "sample_weight", "output", "grad_output", "grad_input")

cdef enum:
    INPUT, TARGET_SLOT, WEIGHT_SLOT, OUTPUT, OUTPUT_GRADIENT, INPUT_GRADIENT, SLOTS

cdef enum:
    OWN_SUMS = 5  # numbers of the totals; what metrics count comes behind

assert len(ARGUMENTS) == SLOTS
NO_OPTIONS = dict.fromkeys(OPTION_NAMES, 0)

ctypedef struct Fixup:
    int op
    int role
    int slot

cdef class NativeProgram:
    """A plan (fastnn.compiler.program.Program) resolved into C structs.

    `run(first, last, rows, slots, sums)` runs operations first .. last - 1 on `rows` rows. `sums` is a float64 array of
    five: the loss of this batch; then, added up, losses and their weights, weights of right predictions and of all;
    behind these, what is counted for metrics (fastnn/compiler/meters.py).
    """
    cdef Op *ops
    cdef int count
    cdef Fixup *fixups      # operands that are known only at the run
    cdef int n_fixups
    cdef bint double_
    cdef bint labels        # targets are class indices
    cdef Py_ssize_t batch_size, n_in, n_out, n_target
    cdef Py_ssize_t sums_size  # of sums that have more than OWN_SUMS numbers
    cdef Py_ssize_t target_bytes  # of a row of targets, 0 if nobody reads them
    cdef bint by_batch      # something is normalized by the statistics of a batch: a single row has none
    cdef int forward_stop   # the operations before this one are the forward section
    cdef int loss_stop      # and those before this one have computed the loss
    cdef int update_start, update_stop  # those in between update parameters
    cdef int64_t *tick
    cdef PyThread_type_lock lock  # one run at a time: they share the workspace
    cdef unsigned long owner      # the thread that runs it, 0 if none does
    cdef int generation           # forks when the lock was made: a child's copy may be held by nobody who is left
    cdef object error             # raised in Python code, on its way out of the run
    cdef uint64_t now             # the tick that dropout draws by in this run
    cdef object staged            # (targets, weights, mean weight), for losses in Python; None if they are not gathered
    cdef list keep  # the arrays behind the pointers, and the callables of Python operations

    def __cinit__(self, plan):
        self.count = len(plan.operations)
        self.ops = <Op *> calloc(max(1, self.count), sizeof(Op))
        self.lock = PyThread_allocate_lock()
        if self.ops == NULL or self.lock == NULL:
            raise MemoryError("no memory for the operations of a program")

    def __init__(self, plan):
        self.double_ = plan.dtype == "float64"
        self.keep = [plan.tick]
        self.tick = <int64_t *> arrays.data(plan.tick)
        self.batch_size, self.n_in, self.n_out = plan.batch_size, plan.n_in, plan.n_out
        self.by_batch = bool(plan.by_batch)
        self.sums_size = plan.sums_size
        self.n_target = next((o.n_in for o in plan.operations if o.kind in ("loss", "row_loss")), self.n_out)
        self.forward_stop = plan.span("forward")[1]
        self.loss_stop = plan.sections.get("loss", (0, self.forward_stop))[1]
        self.update_start, self.update_stop = plan.sections.get("update", (0, 0))
        self.labels = any(o.kind == "row_loss" and o.flag & LABELS for o in plan.operations)
        for i, operation in enumerate(plan.operations):
            self.resolve(i, operation)
            if any(getattr(array, "argument", None) == "target" for array in operation.arrays.values()):
                self.target_bytes = sizeof(int64_t) if operation.flag & LABELS else operation.n_in * self.itemsize()

    def __dealloc__(self):
        free(self.ops)
        free(self.fixups)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    cdef resolve(self, int i, operation):
        cdef Op *op = &self.ops[i]
        cdef int role
        op.kind = number_of(operation.kind)
        op.n_in, op.n_out = operation.n_in, operation.n_out
        op.flag, op.options = operation.flag, NO_OPTIONS | operation.options
        op.kernel = op.epilogue.kernel = -1
        if len(operation.params) > 3:
            raise ValueError(f"{operation.label} has {len(operation.params)} parameters, there is room for 3")
        for j, value in enumerate(operation.params):
            op.params[j] = value
        for name, array in operation.arrays.items():
            role = number_of(name)
            if hasattr(array, "argument"):
                self.add_fixup(i, role, ARGUMENTS.index(array.argument))
            elif array is not None:
                op.p[role] = arrays.data(array)
                self.keep.append(array)
        self.resolve_kernel(op, operation)

    cdef int add_fixup(self, int op, int role, int slot) except -1:
        fixups = <Fixup *> realloc(self.fixups, (self.n_fixups + 1) * sizeof(Fixup))
        if fixups == NULL:
            raise MemoryError("no memory for the operands of a program")
        self.fixups = fixups
        self.fixups[self.n_fixups] = Fixup(op, role, slot)
        self.n_fixups += 1
        return 0

    cdef resolve_kernel(self, Op *op, operation):
        groups = {ACTIVATION: "map1", ACTIVATION_BACKWARD: "map2", ADD: "map2", ROWS: "rows1", ROWS_BACKWARD: "rows2",
                  LOSS: "loss", ROW_LOSS: "row_loss", NOISE: "noise", NOISE_BACKWARD: "noise"}
        fused = {LINEAR: "map1", LAYER_NORM: "map1", RMS_NORM: "map1", BATCH_NORM: "map1", LINEAR_BACKWARD: "map2",
                 LAYER_NORM_BACKWARD: "map2", RMS_NORM_BACKWARD: "map2", BATCH_NORM_BACKWARD: "map2"}
        if op.kind == PYTHON:
            self.keep.append(operation.call)
            op.call = len(self.keep) - 1
        elif op.kind == AVERAGE:
            check_average(operation.arrays["s0"], operation.arrays["weight"], operation.arrays["hyper"],
                          operation.arrays["step"])
        elif op.kind == UPDATE:
            op.update = make_update(operation.kernel, operation.arrays)
        elif op.kind in fused:
            if op.kind not in (LINEAR, LINEAR_BACKWARD):
                op.norm = find_norm(operation.kind.removesuffix("_backward"))
            if operation.kernel is not None:
                op.epilogue.kernel = dispatch.kernel_index(operation.kernel, fused[op.kind])
                op.epilogue.params = op.params
        elif op.kind in groups:
            op.kernel = dispatch.kernel_index(operation.kernel, groups[op.kind])
            op.cost = cost_of(operation.kernel)
            op.targets = TARGET_KINDS.get(operation.kernel, ANY)
            op.seed, op.stream = operation.seed, operation.stream

    cdef int acquire(self) except -1:
        """Wait until no other thread runs this program. The GIL is given up meanwhile: that thread may need it."""
        cdef unsigned long me = PyThread_get_thread_ident()
        cdef PyThread_type_lock fresh
        if self.generation != fork_count():
            fresh = PyThread_allocate_lock()
            if fresh == NULL:
                raise MemoryError("no memory for the lock of a program")
            self.lock, self.generation, self.owner = fresh, fork_count(), 0
        if self.owner == me:
            raise RuntimeError("this network is running already: Python code in it must not run it again")
        if not PyThread_acquire_lock(self.lock, NOWAIT_LOCK):
            with nogil:
                PyThread_acquire_lock(self.lock, WAIT_LOCK)
        self.owner = me
        return 0

    cdef release(self, int status, Totals *totals, Py_ssize_t offset):
        """End a run; raise what went wrong in it. `offset` is the place of the batch's first row in the data."""
        error, self.error, self.staged = self.error, None, None
        self.owner = 0
        PyThread_release_lock(self.lock)
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
        if data.cols[INPUT] != self.n_in or (data.widening == NO_WIDENING
                                             and data.row_bytes[INPUT] != self.n_in * self.itemsize()):
            raise ValueError(f"x must have {self.n_in} features of the program's dtype, got {data.cols[INPUT]}")
        if self.target_bytes and target != self.target_bytes:
            raise ValueError(f"targets must have {self.target_bytes} bytes a row, got {target}")
        if data.source[WEIGHT_SLOT] != NULL and data.row_bytes[WEIGHT_SLOT] != self.itemsize():
            raise ValueError("sample_weight must have one number a row, of the program's dtype")
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
        clear(slots)
        slots[INPUT], slots[OUTPUT] = arrays.data(x), arrays.data(out)
        self.acquire()
        with nogil:
            status = self.run_all(0, self.forward_stop, shape[0], slots, &totals)
        self.release(DONE if status == BAD_INDEX else status, &totals, 0)
        return None if status == BAD_INDEX else out

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
        clear(slots)
        memset(&totals, 0, sizeof(totals))
        slots[INPUT], slots[TARGET_SLOT] = arrays.data(x), arrays.data(y)
        self.acquire()
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
        for i in range(SLOTS):
            array = slots.get(ARGUMENTS[i])
            pointers[i] = arrays.data(array)
        self.check_span(first, last, rows)
        self.check_sums(sums)
        read_totals(&totals, sums)
        self.acquire()
        self.now = <uint64_t> (self.tick[0] if tick is None else tick)
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

    def run_batches(self, int first, int last, x, target, sample_weight, const int64_t[::1] order, Py_ssize_t start,
                    Py_ssize_t stop, Py_ssize_t batch_size, staging, double[::1] sums, bint train,
                    bint halt=False, schedule=None, double[::1] losses=None, mix=None, double scale=1.0,
                    int accumulate=1, double mean_weight=0.0):
        """Run the operations on rows start .. stop - 1 of the data, a batch at a time; signals are seen in between.

        With `order`, row i is row order[i] of the data, gathered into the arrays of `staging`; without, batches are
        read in place. While training, the tick that dropout draws by advances with each batch. With `halt`, a batch
        whose loss is not finite raises NonFinite, and is as if it had not been tried.

        `schedule`, (hyper, places, table), sets hyper[places[j]] = table[i, j] before update i, counted from 0 here,
        and `losses`, one a batch, is given the loss of each. With `mix`, (partner, shares), row i is mixed with the row
        that is at partner[i] in the data, by the share of its batch; class indices become probabilities. x of uint8 or
        float16 is widened into its array of `staging`, times `scale`. Parameters are updated after every `accumulate`
        batches, for which the program must have been planned, and after the last one; such a group is all done or, like
        a batch that failed, none. Where `mean_weight` is above 0, the gradients of a mean over a batch are divided by
        its rows times that, instead of by its own weights.
        """
        cdef void *slots[SLOTS]
        cdef Batches data
        cdef Totals totals
        cdef Schedule rates
        cdef Py_ssize_t i, rows, batch = 0
        cdef int status = DONE
        cdef bint closes, recorded = losses is not None
        cdef Group group
        self.check_span(first, last, min(batch_size, stop - start) if stop > start else 0)
        check_batches((x, target, sample_weight), order, start, stop, batch_size, staging, mix, self.n_in)
        self.check_sums(sums)
        if accumulate < 1:
            raise ValueError(f"accumulate must be at least 1, got {accumulate}")
        clear(slots)
        cdef Py_ssize_t batches = (stop - start + batch_size - 1) // batch_size if stop > start else 0
        read_schedule(&rates, schedule, (batches + accumulate - 1) // accumulate)
        if recorded and losses.shape[0] < batches:
            raise ValueError(f"losses must have room for {batches} batches, got {losses.shape[0]}")
        read_batches(&data, (x, target, sample_weight), order, staging, mix, self.double_, self.n_out, scale)
        if stop > start:
            self.check_row_sizes(&data)
        read_totals(&totals, sums)
        totals.mean_weight = mean_weight
        memset(&group, 0, sizeof(group))
        if accumulate > 1:
            group.ops, group.count, group.update, group.double_ = self.ops, self.count, self.update_start, self.double_
            group.sums = sums.shape[0] if totals.sums != NULL else 0
            kept = bytearray(keep_running(&group, False) + sums.nbytes)
            group.kept = kept
        i = start
        self.acquire()
        self.staged = None if staging is None else (*staging[1:], mean_weight)
        with nogil:
            while i < stop and status == DONE:
                rows = min(batch_size, stop - i)
                closes = (batch + 1) % accumulate == 0 or i + rows == stop
                if accumulate > 1 and batch % accumulate == 0:
                    begin_group(&group, &totals, self.tick)
                totals.bad_row = next_batch(&data, i, rows, batch_size, slots)
                if totals.bad_row >= 0:
                    totals.bad_value = (<int64_t *> data.source[TARGET_SLOT])[order[i + totals.bad_row]]
                    status = BAD_LABEL
                else:
                    self.now = <uint64_t> self.tick[0] + 1
                    set_rates(&rates, batch // accumulate)
                    status = self.run_batch(first, last, rows, slots, &totals, halt, closes)
                closes = closes and status == DONE
                if status == DONE:  # a batch that failed was none
                    if recorded:
                        losses[batch] = totals.loss
                    batch += 1
                    self.tick[0] += train
                    i += rows
                    status = self.check_signals()
                if accumulate > 1 and (closes or status != DONE):
                    end_group(&group, &totals, self.tick, closes)
        write_totals(&totals, sums)
        self.release(status, &totals, i)
        return i


cdef void clear(void **slots) noexcept nogil:
    cdef int i
    for i in range(SLOTS):
        slots[i] = NULL


cdef void read_totals(Totals *totals, double[::1] sums) noexcept:
    totals.loss, totals.loss_sum, totals.weight_sum = sums[0], sums[1], sums[2]
    totals.correct, totals.samples = sums[3], sums[4]
    totals.mean_weight = totals.divisor = 0
    totals.sums = NULL
    if sums.shape[0] > OWN_SUMS:  # five are enough where nothing else is counted
        totals.sums = &sums[0]


cdef void write_totals(Totals *totals, double[::1] sums) noexcept:
    sums[0], sums[1], sums[2] = totals.loss, totals.loss_sum, totals.weight_sum
    sums[3], sums[4] = totals.correct, totals.samples
