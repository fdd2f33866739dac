"""Operations of a program that count: losses, metrics, and the losses of heads, which are added up."""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

from fastnn._core cimport arrays
from fastnn._core.dispatch cimport fnn_loss
from fastnn._core.losses cimport run_loss, run_root, run_row_loss
from fastnn._core.metrics cimport Reading, count_classes, count_correct, count_errors, count_top
from fastnn._core.operations cimport *
from fastnn._core.targets cimport bad_label, first_bad
from fastnn._core.weights cimport count_elements, count_rows, run_sum, spread, weigh_columns


cdef void add_loss(Op *op, Totals *totals, double loss_sum, double weight_sum) noexcept nogil:
    totals.loss = loss_sum / weight_sum if op.flag & MEAN else loss_sum
    if op.flag & ROOT:
        totals.loss = sqrt(totals.loss)
    totals.loss_sum += loss_sum
    totals.weight_sum += weight_sum


cdef double inverse(double weight_sum) noexcept nogil:
    """1 / weight_sum; a batch whose weights are all 0 has no gradient."""
    return 1.0 / weight_sum if weight_sum != 0 else 0.0


cdef double divisor_of(const Totals *totals, double rows, double weight_sum) noexcept nogil:
    """What the gradients of a batch are divided by: its weights, or its rows times the mean weight of all samples."""
    return rows * totals.mean_weight if totals.mean_weight > 0 else weight_sum


cdef double note_divisor(const Op *op, Totals *totals, double divisor) noexcept nogil:
    """What the gradients of single losses are divided by; for a group of batches, the update does it."""
    totals.divisor += divisor
    return divisor if op.flag & MEAN and not op.flag & ACCUMULATE else 1.0


cdef double expand_weights(int dtype, const void *weight, void *expanded, Py_ssize_t rows,
                           Py_ssize_t cols) noexcept nogil:
    """One weight a row becomes one an element; returns their sum."""
    spread(dtype, weight, expanded, rows, cols)
    return run_sum(dtype, expanded, rows * cols)


cdef void describe_loss(Op *op, fnn_loss *of) noexcept nogil:
    """Set the operands of a loss, but for weights and scale; the losses of single elements are not requested."""
    cdef int i
    of.x, of.target, of.weight, of.labels, of.extra = op.p[X], op.p[TARGET], NULL, NULL, op.p[EXTRA]
    of.loss, of.grad, of.grad_extra, of.cols = NULL, op.p[GRAD_INPUT], op.p[GRAD_EXTRA], op.n_in
    of.grad_target = NULL
    for i in range(3):
        of.params[i] = op.params[i]


cdef bint are_targets(const Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """Whether all targets are such as the loss takes; if not, the first one that is none is noted."""
    cdef Py_ssize_t bad = first_bad(dtype, op.p[TARGET], rows * op.n_in, op.targets)
    if bad >= 0:
        totals.bad_row, totals.bad_column = bad // op.n_in, bad % op.n_in
        totals.bad_number = arrays.get(op.p[TARGET], bad, dtype)
    return bad < 0


cdef int run_elementwise_loss(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    cdef fnn_loss of
    cdef Py_ssize_t n = rows * op.n_in
    cdef double plain = rows if op.flag & BY_ROWS else n
    cdef double divisor, count = plain
    if not are_targets(op, totals, rows, dtype):
        return BAD_TARGET
    describe_loss(op, &of)
    if op.p[SAMPLE_WEIGHT] != NULL and op.flag & ELEMENTS:
        of.weight = op.p[SAMPLE_WEIGHT]
        count = count_elements(dtype, of.weight, n)
    elif op.p[SAMPLE_WEIGHT] != NULL:
        of.weight = op.p[EXPANDED]
        count = expand_weights(dtype, op.p[SAMPLE_WEIGHT], op.p[EXPANDED], rows, op.n_in)
        if op.flag & BY_ROWS:
            count /= op.n_in
    if op.p[COLUMN_WEIGHT] != NULL:
        weigh_columns(dtype, op.p[COLUMN_WEIGHT], op.p[EXPANDED], rows, op.n_in, of.weight != NULL)
        of.weight = op.p[EXPANDED]
    divisor = note_divisor(op, totals, divisor_of(totals, plain, count))
    of.scale = inverse(divisor)
    if op.flag & ROOT:
        run_root_loss(op, &of, totals, n, count, divisor, dtype)
    else:
        add_loss(op, totals, run_loss(op.kernel, dtype, &of, n), count)
    return DONE


cdef void run_root_loss(Op *op, fnn_loss *of, Totals *totals, Py_ssize_t n, double count, double divisor,
                        int dtype) noexcept nogil:
    """The root of a loss. Its derivative needs its value: one pass for the loss, one for the gradient."""
    cdef double total, root, shared = count if op.flag & MEAN else 1.0
    of.grad = NULL
    root = run_root(op.kernel, dtype, of, n, shared)
    total = root * root * shared if shared != 0 else 0.0
    add_loss(op, totals, total, count)
    totals.loss = root
    of.scale = 1.0 / (2.0 * root) / divisor if root != 0 and shared != 0 and divisor != 0 else 0.0
    if op.p[GRAD_INPUT] != NULL:
        of.grad = op.p[GRAD_INPUT]
        run_loss(op.kernel, dtype, of, n)


cdef int run_rows_loss(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    cdef fnn_loss of
    cdef const void *weight = op.p[SAMPLE_WEIGHT]
    cdef const void *by_class = NULL
    cdef double count, plain = rows
    describe_loss(op, &of)
    of.weight = weight
    if op.flag & LABELS:
        of.labels, of.target = <int64_t *> op.p[TARGET], NULL
        totals.bad_row = bad_label(of.labels, rows, op.n_in, op.options.ignored)
        if totals.bad_row >= 0:
            totals.bad_value = of.labels[totals.bad_row]
            return BAD_LABEL
        if op.flag & CLASS_WEIGHTS:
            by_class = op.p[EXTRA]
        count = count_rows(dtype, of.labels, weight, by_class, op.options.ignored, rows, op.n_in)
        if totals.mean_weight > 0:
            plain = count_rows(dtype, of.labels, NULL, by_class, op.options.ignored, rows, op.n_in)
    elif not are_targets(op, totals, rows, dtype):
        return BAD_TARGET
    else:
        count = count_elements(dtype, weight, rows)
    of.scale = inverse(note_divisor(op, totals, divisor_of(totals, plain, count)))
    add_loss(op, totals, run_row_loss(op.kernel, dtype, &of, rows), count)
    return DONE


cdef Reading reading(Op *op) noexcept nogil:
    """How a metric reads outputs and targets."""
    cdef Reading how
    how.labels = <const int64_t *> op.p[TARGET] if op.flag & LABELS else NULL
    how.columns = op.flag & EACH_OUTPUT or (op.n_in == 1 and how.labels == NULL)
    how.elements = (op.flag & ELEMENTS) != 0
    how.threshold = op.options.threshold
    how.ignored = op.options.ignored
    return how


cdef void run_metric(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """Count for a metric."""
    cdef const void *x = op.p[X]
    cdef const void *target = op.p[TARGET]
    cdef const void *weight = op.p[SAMPLE_WEIGHT]
    cdef double[2] correct = [totals.correct, totals.samples]
    if op.kind == COUNT_CORRECT:
        count_correct(dtype, reading(op), x, target, weight, correct, rows, op.n_in)
        totals.correct, totals.samples = correct[0], correct[1]
    elif totals.sums == NULL:  # a single step: metrics are not requested
        return
    elif op.kind == COUNT_CLASSES:
        count_classes(dtype, reading(op), x, target, weight, totals.sums + op.options.place, rows, op.n_in)
    elif op.kind == COUNT_TOP:
        count_top(dtype, reading(op), x, target, weight, totals.sums + op.options.place, rows, op.n_in, op.options.k)
    else:
        count_errors(dtype, reading(op), x, target, weight, totals.sums + op.options.place, rows, op.n_in)


cdef double batch_weight(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    """What a batch counts for: its rows, or their weights."""
    return count_elements(dtype, op.p[SAMPLE_WEIGHT], rows)


cdef double batch_divisor(Op *op, const Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """What the gradients of a batch are divided by, where it counts by its rows."""
    return divisor_of(totals, rows, 0 if totals.mean_weight > 0 else batch_weight(op, rows, dtype))


cdef void combine_heads(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """Before, after each and at the end of the losses of several heads: add up their weighted sum."""
    cdef double weight = batch_weight(op, rows, dtype)
    if op.kind == HEADS_BEGIN:
        totals.heads, totals.kept_loss, totals.kept_weight = 0, totals.loss_sum, totals.weight_sum
        totals.kept_divisor = totals.divisor
    elif op.kind == HEADS_ADD:
        if totals.weight_sum != totals.kept_weight:  # something counted
            totals.heads += op.options.head_weight * totals.loss
            if totals.sums != NULL:
                totals.sums[op.options.place] += weight * totals.loss
        totals.loss_sum, totals.weight_sum = totals.kept_loss, totals.kept_weight
    else:
        totals.loss = totals.heads
        totals.loss_sum += weight * totals.heads
        totals.weight_sum += weight
        totals.divisor = totals.kept_divisor + batch_divisor(op, totals, rows, dtype)


cdef void count_loss(Op *op, Totals *totals) noexcept nogil:
    """Before and after another loss, as a metric: what it added goes to the sums of metrics."""
    if op.kind == KEEP_LOSS:
        totals.kept_last, totals.kept_loss, totals.kept_weight = totals.loss, totals.loss_sum, totals.weight_sum
        totals.kept_divisor = totals.divisor
        totals.loss_sum = totals.weight_sum = 0
        return
    if totals.sums != NULL and totals.weight_sum != 0:
        totals.sums[op.options.place] += totals.loss_sum
        totals.sums[op.options.place + 1] += totals.weight_sum
    totals.loss, totals.loss_sum, totals.weight_sum = totals.kept_last, totals.kept_loss, totals.kept_weight
    totals.divisor = totals.kept_divisor
