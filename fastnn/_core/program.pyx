"""The native backend of a program: its operations as C structs, run without the GIL, without an allocation.

fastnn/program.py plans a program; reference/program.py runs the same plan with NumPy.
"""

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastnn._core cimport arrays, dispatch
from fastnn._core.activations cimport run_map1, run_map2
from fastnn._core.dispatch cimport real
from fastnn._core.dropout cimport run_dropout
from fastnn._core.linear cimport Epilogue, run_linear, run_linear_grad_weight, run_linear_grad_x
from fastnn._core.losses cimport bad_label, run_loss, run_row_loss
from fastnn._core.optimizers cimport Update, find_update, run_update
from fastnn._core.softmax cimport run_rows1, run_rows2

from fastnn._core.activations import cost_of

cnp.import_array()

cdef enum:
    LINEAR, LINEAR_BACKWARD, ACTIVATION, ACTIVATION_BACKWARD, ROWS, ROWS_BACKWARD, DROPOUT, DROPOUT_BACKWARD, COPY
    LOSS, ROW_LOSS, CORRECT, UPDATE, PYTHON

KINDS = {
    "linear": LINEAR, "linear_backward": LINEAR_BACKWARD, "activation": ACTIVATION,
    "activation_backward": ACTIVATION_BACKWARD, "rows": ROWS, "rows_backward": ROWS_BACKWARD, "dropout": DROPOUT,
    "dropout_backward": DROPOUT_BACKWARD, "copy": COPY, "loss": LOSS, "row_loss": ROW_LOSS, "correct": CORRECT,
    "update": UPDATE, "python": PYTHON,
}

# What an operation reads and writes. An array that is known only at the run (a Slot) is filled in when it begins.
cdef enum:
    X, Y, PRE, WEIGHT, BIAS, WEIGHT_T, SAVED, GRAD_Y, GRAD_X, GRAD_WEIGHT, GRAD_BIAS, TARGET, SAMPLE_WEIGHT, EXPANDED
    S0, S1, S2, HYPER, STEP, ROLES

ROLE_NAMES = ("x", "y", "pre", "weight", "bias", "weight_t", "saved", "grad_y", "grad_x", "grad_weight", "grad_bias",
              "target", "sample_weight", "expanded", "s0", "s1", "s2", "hyper", "step")
SLOT_NAMES = ("input", "target", "sample_weight", "output", "grad_output", "grad_input")

cdef enum:
    SLOTS = 6
    FIXUPS = 64

ctypedef struct Op:
    int kind
    int kernel
    int flag             # linear_backward: accumulate; losses: mean; row loss, correct: targets are labels
    int root             # rmse: the loss is the root of the mean
    Py_ssize_t n_in
    Py_ssize_t n_out
    double cost
    double[3] params
    Epilogue epilogue
    Update update
    uint64_t seed
    uint64_t stream
    void *p[19]

ctypedef struct Fixup:
    int op
    int role
    int slot

ctypedef struct Totals:
    double loss          # of the last batch
    double loss_sum      # weighted sum of losses so far
    double weight_sum    # and what to divide it by
    double correct       # right predictions so far
    double samples
    Py_ssize_t bad_row   # the row of the batch whose label is out of range
    int64_t bad_value

cdef enum:
    DONE, BAD_LABEL, RAISED


cdef void add_loss(Op *op, Totals *totals, double loss_sum, double weight_sum) noexcept nogil:
    totals.loss = loss_sum / weight_sum if op.flag & 1 else loss_sum
    if op.root:
        totals.loss = sqrt(totals.loss)
    totals.loss_sum += loss_sum
    totals.weight_sum += weight_sum


cdef double expand_weights(const real *weight, real *expanded, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """One weight a row becomes one an element; returns the sum of the latter."""
    cdef Py_ssize_t r, j
    for r in range(rows):
        for j in range(cols):
            expanded[r * cols + j] = weight[r]
    return dispatch.array_sum(weight, rows) * cols


cdef void run_elementwise_loss(Op *op, Totals *totals, Py_ssize_t rows, real dtype) noexcept nogil:
    cdef const real *x = <real *> op.p[X]
    cdef const real *t = <real *> op.p[TARGET]
    cdef real *weight = NULL
    cdef real *grad = <real *> op.p[GRAD_X]
    cdef Py_ssize_t n = rows * op.n_in
    cdef double weight_sum = n
    cdef double total, scale
    if op.p[SAMPLE_WEIGHT] != NULL:
        weight = <real *> op.p[EXPANDED]
        weight_sum = expand_weights(<real *> op.p[SAMPLE_WEIGHT], weight, rows, op.n_in)
    scale = 1.0 / weight_sum if op.flag & 1 else 1.0
    if op.root:
        # The root's derivative needs its value: one pass for the loss, one for the gradient.
        total = run_loss(op.kernel, x, t, weight, <real *> NULL, <real *> NULL, n, scale, op.params)
        scale = scale / (2.0 * sqrt(total * scale)) if total != 0 else 0.0
        if grad != NULL:
            run_loss(op.kernel, x, t, weight, <real *> NULL, grad, n, scale, op.params)
    else:
        total = run_loss(op.kernel, x, t, weight, <real *> NULL, grad, n, scale, op.params)
    add_loss(op, totals, total, weight_sum)


cdef int run_rows_loss(Op *op, Totals *totals, Py_ssize_t rows, real dtype) noexcept nogil:
    cdef const int64_t *labels = NULL
    cdef const real *q = NULL
    cdef const real *weight = <real *> op.p[SAMPLE_WEIGHT]
    cdef double weight_sum = rows
    cdef double scale, total
    if op.flag & 2:
        labels = <int64_t *> op.p[TARGET]
        totals.bad_row = bad_label(labels, rows, op.n_in)
        if totals.bad_row >= 0:
            totals.bad_value = labels[totals.bad_row]
            return BAD_LABEL
    else:
        q = <real *> op.p[TARGET]
    if weight != NULL:
        weight_sum = dispatch.array_sum(weight, rows)
    scale = 1.0 / weight_sum if op.flag & 1 else 1.0
    total = run_row_loss(op.kernel, <const real *> op.p[X], labels, q, weight, <real *> NULL, <real *> op.p[GRAD_X],
                         rows, op.n_in, scale, op.params)
    add_loss(op, totals, total, weight_sum)
    return DONE


cdef Py_ssize_t argmax(const real *x, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j, best = 0
    for j in range(1, n):
        if x[j] > x[best]:
            best = j
    return best


cdef void count_correct(Op *op, Totals *totals, Py_ssize_t rows, real dtype) noexcept nogil:
    """Rows whose largest output is their class; with one output, outputs on the right side of params[0]."""
    cdef const real *x = <const real *> op.p[X]
    cdef const real *t = <const real *> op.p[TARGET]
    cdef const int64_t *labels = <const int64_t *> op.p[TARGET]
    cdef Py_ssize_t r, n = op.n_in, correct = 0
    totals.samples += rows
    if op.flag & 2:
        for r in range(rows):
            correct += argmax(x + r * n, n) == labels[r]
    elif n > 1 and not op.root:
        for r in range(rows):
            correct += argmax(x + r * n, n) == argmax(t + r * n, n)
    else:
        for r in range(rows * n):
            correct += (x[r] > op.params[0]) == (t[r] > 0.5)
        totals.correct += <double> correct / n
        return
    totals.correct += correct


cdef void run_linear_backward(Op *op, Py_ssize_t rows, real dtype) noexcept nogil:
    if op.p[GRAD_X] != NULL:
        run_linear_grad_x(<const real *> op.p[GRAD_Y], <const real *> op.p[WEIGHT], <real *> op.p[WEIGHT_T],
                          <real *> op.p[GRAD_X], <const real *> op.p[SAVED], rows, op.n_in, op.n_out, &op.epilogue)
    run_linear_grad_weight(<const real *> op.p[GRAD_Y], <const real *> op.p[X], <real *> op.p[GRAD_WEIGHT],
                           <real *> op.p[GRAD_BIAS], op.flag, rows, op.n_in, op.n_out)


cdef int run_op(Op *op, Totals *totals, Py_ssize_t rows, uint64_t tick, real dtype) noexcept nogil:
    cdef Py_ssize_t n = rows * op.n_in
    cdef int64_t *step
    if op.kind == LINEAR:
        run_linear(<const real *> op.p[X], <const real *> op.p[WEIGHT], <const real *> op.p[BIAS],
                   <real *> op.p[PRE], <real *> op.p[Y], rows, op.n_in, op.n_out, &op.epilogue)
    elif op.kind == LINEAR_BACKWARD:
        run_linear_backward(op, rows, dtype)
    elif op.kind == ACTIVATION:
        run_map1(op.kernel, op.cost, <const real *> op.p[X], <real *> op.p[Y], n, op.params)
    elif op.kind == ACTIVATION_BACKWARD:
        run_map2(op.kernel, op.cost, <const real *> op.p[GRAD_Y], <const real *> op.p[SAVED], <real *> op.p[GRAD_X],
                 n, op.params)
    elif op.kind == ROWS:
        run_rows1(op.kernel, <const real *> op.p[X], <real *> op.p[Y], rows, op.n_in, op.n_in, op.params)
    elif op.kind == ROWS_BACKWARD:
        run_rows2(op.kernel, <const real *> op.p[GRAD_Y], <const real *> op.p[SAVED], <real *> op.p[GRAD_X], rows,
                  op.n_in, op.n_in, op.params)
    elif op.kind == DROPOUT:
        run_dropout(<const real *> op.p[X], <real *> op.p[Y], n, op.params[0], op.seed, op.stream + tick, 0)
    elif op.kind == DROPOUT_BACKWARD:
        run_dropout(<const real *> op.p[GRAD_Y], <real *> op.p[GRAD_X], n, op.params[0], op.seed, op.stream + tick, 0)
    elif op.kind == COPY:
        memcpy(op.p[Y], op.p[X], n * sizeof(real))
    elif op.kind == LOSS:
        run_elementwise_loss(op, totals, rows, dtype)
    elif op.kind == ROW_LOSS:
        return run_rows_loss(op, totals, rows, dtype)
    elif op.kind == CORRECT:
        count_correct(op, totals, rows, dtype)
    elif op.kind == UPDATE:
        step = <int64_t *> op.p[STEP]
        step[0] += 1
        run_update(&op.update, <const double *> op.p[HYPER], step[0], <real *> op.p[WEIGHT],
                   <const real *> op.p[GRAD_WEIGHT], <real *> op.p[S0], <real *> op.p[S1], <real *> op.p[S2], op.n_in)
    return DONE


cdef class NativeProgram:
    """A plan (fastnn.program.Program) resolved into C structs.

    `run(first, last, rows, slots, totals)` runs operations first .. last - 1 on `rows` rows. `totals` is a float64 array
    of five: the loss of this batch; then, added up, losses, weights, right predictions and samples.
    """
    cdef Op *ops
    cdef int count
    cdef Fixup[FIXUPS] fixups
    cdef int n_fixups
    cdef bint double_
    cdef int64_t *tick
    cdef list keep  # the arrays behind the pointers, and the callables of Python operations

    def __cinit__(self, plan):
        self.count = len(plan.operations)
        self.ops = <Op *> calloc(max(1, self.count), sizeof(Op))
        if self.ops == NULL:
            raise MemoryError("no memory for the operations of a program")

    def __init__(self, plan):
        self.double_ = plan.dtype == "float64"
        self.keep = [plan.tick]
        self.tick = <int64_t *> arrays.data(plan.tick)
        for i, operation in enumerate(plan.operations):
            self.resolve(i, operation)

    def __dealloc__(self):
        free(self.ops)

    cdef resolve(self, int i, operation):
        cdef Op *op = &self.ops[i]
        cdef int role
        op.kind = KINDS[operation.kind]
        op.n_in, op.n_out = operation.n_in, operation.n_out
        op.flag, op.root = operation.flag, operation.root
        op.kernel = op.epilogue.kernel = -1
        for j, value in enumerate(operation.params):
            op.params[j] = value
        for name, array in operation.arrays.items():
            role = ROLE_NAMES.index(name)
            if hasattr(array, "slot"):
                if self.n_fixups == FIXUPS:
                    raise ValueError("a program has too many operations on its inputs")
                self.fixups[self.n_fixups] = Fixup(i, role, SLOT_NAMES.index(array.slot))
                self.n_fixups += 1
            elif array is not None:
                op.p[role] = arrays.data(array)
                self.keep.append(array)
        self.resolve_kernel(op, operation)

    cdef resolve_kernel(self, Op *op, operation):
        groups = {ACTIVATION: "map1", ACTIVATION_BACKWARD: "map2", ROWS: "rows1", ROWS_BACKWARD: "rows2", LOSS: "loss",
                  ROW_LOSS: "row_loss"}
        if op.kind == PYTHON:
            self.keep.append(operation.call)
            op.n_in = len(self.keep) - 1
        elif op.kind == UPDATE:
            op.update = find_update(operation.kernel)
        elif op.kind in (DROPOUT, DROPOUT_BACKWARD):
            op.seed, op.stream = operation.seed, operation.stream
        elif op.kind in (LINEAR, LINEAR_BACKWARD):
            if operation.kernel is not None:
                op.epilogue.kernel = dispatch.kernel_index(operation.kernel, "map1" if op.kind == LINEAR else "map2")
                op.epilogue.params = op.params
        elif op.kind in groups:
            op.kernel = dispatch.kernel_index(operation.kernel, groups[op.kind])
            op.cost = cost_of(operation.kernel)

    cdef int run_all(self, int first, int last, Py_ssize_t rows, void **slots, Totals *totals) noexcept nogil:
        cdef int i, status
        cdef uint64_t tick = <uint64_t> self.tick[0]
        for i in range(self.n_fixups):
            self.ops[self.fixups[i].op].p[self.fixups[i].role] = slots[self.fixups[i].slot]
        for i in range(first, last):
            if self.ops[i].kind == PYTHON:
                status = self.run_python(self.ops[i].n_in, rows, totals)
            elif self.double_:
                status = run_op(&self.ops[i], totals, rows, tick, <double> 0)
            else:
                status = run_op(&self.ops[i], totals, rows, tick, <float> 0)
            if status != DONE:
                return status
        return DONE

    cdef int run_python(self, Py_ssize_t index, Py_ssize_t rows, Totals *totals) noexcept with gil:
        try:
            loss = self.keep[index](rows)
            if loss is not None:
                totals.loss = loss
                totals.loss_sum += totals.loss * rows
                totals.weight_sum += rows
            return DONE
        except BaseException as error:
            self.keep.append(error)
            return RAISED

    cdef check(self, int status, Totals *totals, Py_ssize_t offset):
        """Raise what went wrong in a run; `offset` is the place of the batch's first row in the user's array."""
        if status == RAISED:
            raise self.keep.pop()
        if status == BAD_LABEL:
            raise BadLabel(totals.bad_row + offset, totals.bad_value)

    def run(self, int first, int last, Py_ssize_t rows, dict slots, double[::1] sums):
        cdef void *pointers[SLOTS]
        cdef Totals totals
        cdef int i, status
        for i in range(SLOTS):
            array = slots.get(SLOT_NAMES[i])
            pointers[i] = arrays.data(array)
        read_totals(&totals, sums)
        with nogil:
            status = self.run_all(first, last, rows, pointers, &totals)
        self.check(status, &totals, 0)
        write_totals(&totals, sums)

    def run_batches(self, int first, int last, x, target, sample_weight, const int64_t[::1] order, Py_ssize_t start,
                    Py_ssize_t stop, Py_ssize_t batch_size, staging, double[::1] sums):
        """Run the operations on rows start .. stop - 1 of the data, a batch at a time; signals are seen between batches.

        With `order`, row i is row order[i] of the data, gathered into the arrays of `staging`; without, batches are read
        in place. The tick that dropout draws by advances with each batch.
        """
        cdef void *slots[SLOTS]
        cdef char *source[3]
        cdef char *staged[3]
        cdef Py_ssize_t[3] row_bytes = [0, 0, 0]
        cdef Totals totals
        cdef Py_ssize_t i, rows
        cdef int j, status = DONE
        cdef bint gather = order is not None
        for j in range(SLOTS):
            slots[j] = NULL
        for j, array in enumerate((x, target, sample_weight)):
            source[j] = <char *> arrays.data(array)
            if array is not None:
                row_bytes[j] = array.nbytes // max(1, len(array))
                staged[j] = <char *> arrays.data(staging[j]) if gather else NULL
        read_totals(&totals, sums)
        i = start
        with nogil:
            while i < stop and status == DONE:
                rows = min(batch_size, stop - i)
                for j in range(3):
                    if source[j] == NULL:
                        continue
                    if gather:
                        gather_rows(source[j], staged[j], &order[i], rows, row_bytes[j])
                        slots[j] = staged[j]
                    else:
                        slots[j] = source[j] + i * row_bytes[j]
                self.tick[0] += 1
                status = self.run_all(first, last, rows, slots, &totals)
                if status != DONE:
                    self.tick[0] -= 1  # a batch that failed was none
                else:
                    i += rows
                    with gil:
                        if PyErr_CheckSignals() < 0:
                            write_totals(&totals, sums)
                            raise
        self.check(status, &totals, i)
        write_totals(&totals, sums)
        return i


cdef void gather_rows(const char *source, char *out, const int64_t *order, Py_ssize_t rows,
                      Py_ssize_t row_bytes) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(rows):
        memcpy(out + r * row_bytes, source + order[r] * row_bytes, row_bytes)


cdef void read_totals(Totals *totals, double[::1] sums) noexcept:
    totals.loss, totals.loss_sum, totals.weight_sum = sums[0], sums[1], sums[2]
    totals.correct, totals.samples = sums[3], sums[4]


cdef void write_totals(Totals *totals, double[::1] sums) noexcept:
    sums[0], sums[1], sums[2] = totals.loss, totals.loss_sum, totals.weight_sum
    sums[3], sums[4] = totals.correct, totals.samples


class BadLabel(Exception):
    """A class index out of range; args: its row in the data (before shuffling: in the order given), and its value."""
