"""What each operation of a program does: one function a kind, on pointers, without the GIL."""

from libc.math cimport sqrt
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.activations cimport run_map1, run_map2
from fastnn._core.columns cimport (
    copy_columns, expand_columns, expand_rows, expand_rows_backward, read_labels, run_gather, run_scatter, sum_columns,
)
from fastnn._core.dispatch cimport FNN_BAG_SUM, FNN_FLOAT64, fnn_bags, fnn_loss, fnn_sparse
from fastnn._core.dropout cimport run_noise, run_noise2
from fastnn._core.embedding cimport run_embedding, run_embedding_backward
from fastnn._core.embedding_bag cimport describe_rows, run_embedding_bag, run_embedding_bag_backward
from fastnn._core.linear cimport run_linear, run_linear_grad_weight, run_linear_grad_x
from fastnn._core.losses cimport (
    bad_label, first_bad, label_sum, present, run_loss, run_root, run_row_loss, run_sum, spread, weigh_columns,
)
from fastnn._core.metrics cimport Reading, count_classes, count_correct, count_errors, count_top
from fastnn._core.normalization cimport (
    expand_affine, forget_batch, run_group_gradients, run_norm, run_norm_backward, run_norm_gradients, run_statistics,
)
from fastnn._core.optimizers cimport run_update
from fastnn._core.parameters cimport run_average
from fastnn._core.parametric cimport (
    run_prelu, run_prelu_backward, run_temperature_scale, run_temperature_scale_backward,
)
from fastnn._core.softmax cimport run_rows1, run_rows2
from fastnn._core.sparse cimport run_sparse_linear, run_sparse_linear_backward

cdef Options NO_OPTIONS
memset(&NO_OPTIONS, 0, sizeof(NO_OPTIONS))
OPTION_NAMES = tuple(NO_OPTIONS)


def number_of(str name):
    """The number of a kind or an operand, by its name in the table."""
    return globals()[name.upper()]


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
        count = run_sum(dtype, of.weight, n)
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
    cdef double count = rows
    cdef double plain = rows
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
        count = label_sum(dtype, of.labels, weight, by_class, op.options.ignored, rows, op.n_in)
        if totals.mean_weight > 0:
            plain = label_sum(dtype, of.labels, NULL, by_class, op.options.ignored, rows, op.n_in)
    elif not are_targets(op, totals, rows, dtype):
        return BAD_TARGET
    elif weight != NULL:
        count = run_sum(dtype, weight, rows)
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


cdef void run_linear_backward(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    if op.p[GRAD_INPUT] != NULL:
        run_linear_grad_x(dtype, op.p[GRAD_OUTPUT], op.p[WEIGHT], op.p[GRAD_INPUT], op.p[SAVED], rows, op.n_in,
                          op.n_out, op.flag & TRANSPOSED, &op.epilogue)
    if op.p[GRAD_WEIGHT] != NULL and op.flag & SPARSE:
        run_sparse_linear_backward(dtype, <const fnn_sparse *> op.p[X], op.p[GRAD_OUTPUT], op.p[GRAD_WEIGHT],
                                   op.p[GRAD_BIAS], op.flag & ACCUMULATE, rows, op.n_in, op.n_out)
    elif op.p[GRAD_WEIGHT] != NULL:
        run_linear_grad_weight(dtype, op.p[GRAD_OUTPUT], op.p[X], op.p[GRAD_WEIGHT], op.p[GRAD_BIAS],
                               op.flag & ACCUMULATE, rows, op.n_in, op.n_out, op.flag & TRANSPOSED)


cdef void run_normalization(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    if op.norm.step == 0:
        run_statistics(dtype, op.p[X], op.p[RUNNING_MEAN], op.p[RUNNING_VAR], op.p[STATISTICS], rows, op.n_in,
                       op.options.eps)
    run_norm(&op.norm, dtype, op.p[X], op.p[WEIGHT], op.p[BIAS], op.p[PRE], op.p[Y], op.p[STATISTICS], rows, op.n_in,
             op.options.eps, &op.epilogue)


cdef void run_normalization_backward(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    run_norm_gradients(&op.norm, dtype, op.p[GRAD_OUTPUT], op.p[X], op.p[STATISTICS], op.p[GRAD_WEIGHT],
                       op.p[GRAD_BIAS], rows, op.n_in, op.flag & ACCUMULATE)
    if op.p[RUNNING_MEAN] != NULL:
        forget_batch(dtype, op.p[STATISTICS], op.n_in)
    if op.p[GRAD_INPUT] != NULL:
        run_norm_backward(&op.norm, dtype, op.p[GRAD_OUTPUT], op.p[X], op.p[WEIGHT], op.p[STATISTICS],
                          op.p[GRAD_INPUT], op.p[SAVED], rows, op.n_in, &op.epilogue)


cdef void run_group_norm(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    cdef const void *weight = op.p[WEIGHT]
    cdef const void *bias = op.p[BIAS]
    expand_affine(&op.norm, dtype, &weight, &bias, op.p[EXPANDED], op.n_in)
    run_norm(&op.norm, dtype, op.p[X], weight, bias, op.p[PRE], op.p[Y], op.p[STATISTICS], rows, op.n_in,
             op.options.eps, &op.epilogue)


cdef void run_group_norm_backward(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    cdef const void *weight = op.p[WEIGHT]
    cdef const void *none = NULL
    if op.p[GRAD_WEIGHT] != NULL or op.p[GRAD_BIAS] != NULL:
        run_group_gradients(&op.norm, dtype, op.p[GRAD_OUTPUT], op.p[X], op.p[STATISTICS], op.p[GRAD_WEIGHT],
                            op.p[GRAD_BIAS], arrays.at(op.p[EXPANDED], 2 * op.n_in, dtype), rows, op.n_in,
                            op.flag & ACCUMULATE)
    if op.p[GRAD_INPUT] != NULL:
        expand_affine(&op.norm, dtype, &weight, &none, op.p[EXPANDED], op.n_in)
        run_norm_backward(&op.norm, dtype, op.p[GRAD_OUTPUT], op.p[X], weight, op.p[STATISTICS], op.p[GRAD_INPUT],
                          op.p[SAVED], rows, op.n_in, &op.epilogue)


cdef void run_running(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    """Move running statistics towards those of the batch by the momentum, or to the average over all batches."""
    cdef int64_t *batches = <int64_t *> op.p[STEP]
    if rows < 2:
        return
    batches[0] += 1
    dispatch.kernels_of(dtype).update_running(
        op.p[STATISTICS], op.p[RUNNING_MEAN], op.p[RUNNING_VAR], rows, op.n_in,
        op.options.momentum if op.options.momentum >= 0 else 1.0 / batches[0])


cdef double batch_weight(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    """What a batch counts for: its rows, or their weights."""
    if op.p[SAMPLE_WEIGHT] == NULL:
        return rows
    return run_sum(dtype, op.p[SAMPLE_WEIGHT], rows)


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


cdef bint bad_index(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """Whether an index of a table is out of range; the first one is noted."""
    cdef Py_ssize_t bad = dispatch.kernels_of(dtype).bad_code(op.p[X], rows * op.n_in, op.options.num_embeddings)
    if bad >= 0:
        totals.bad_row, totals.bad_column = bad // op.n_in, bad % op.n_in
        totals.bad_number = arrays.get(op.p[X], bad, dtype)
    return bad >= 0


cdef int run_embedding_op(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """Rows of a table by their index; the first index that is out of range is reported."""
    if bad_index(op, totals, rows, dtype):
        return BAD_INDEX
    run_embedding(dtype, op.p[X], op.p[WEIGHT], op.p[Y], rows * op.n_in, op.n_out // op.n_in)
    return DONE


cdef void run_embedding_op_backward(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    """The gradient of the table; that of the indices is 0."""
    run_embedding_backward(dtype, op.p[GRAD_OUTPUT], op.p[X], op.p[GRAD_WEIGHT], rows * op.n_in,
                           op.options.num_embeddings, op.n_out // op.n_in, op.options.padding, op.flag & ACCUMULATE)
    if op.p[GRAD_INPUT] != NULL:
        memset(op.p[GRAD_INPUT], 0, rows * op.n_in * arrays.itemsize(dtype))


cdef Py_ssize_t describe_bags(Op *op, fnn_bags *of, Py_ssize_t rows, bint backward, int dtype) noexcept nogil:
    """Set the operands of bags, and return how many there are; the rows of the table are described before."""
    cdef Py_ssize_t num = op.options.num_embeddings
    cdef bint single = op.options.mode == 3
    cdef void *scales = op.p[PER_ROW] if op.options.max_norm >= 0 else NULL
    cdef void *counts = arrays.at(op.p[PER_ROW], num, dtype) if op.options.by_freq and backward else NULL
    of.codes, of.weight, of.sample, of.scales, of.counts = op.p[X], op.p[WEIGHT], NULL, scales, counts
    of.offsets, of.size, of.cols = NULL, op.options.bag_size, op.n_out // (op.n_in // op.options.bag_size)
    of.padding = -1 if single and not backward else op.options.padding
    of.mode = FNN_BAG_SUM if single else <int> op.options.mode
    describe_rows(dtype, op.p[X], op.p[WEIGHT], scales, counts, rows * op.n_in, num, of.cols, op.options.max_norm,
                  op.options.norm_type)
    return rows * op.n_in // of.size


cdef int run_bag_op(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """Bags of rows of a table; the first index that is out of range is reported."""
    cdef fnn_bags of
    if bad_index(op, totals, rows, dtype):
        return BAD_INDEX
    run_embedding_bag(dtype, &of, op.p[Y], describe_bags(op, &of, rows, False, dtype), rows * op.n_in)
    return DONE


cdef void run_bag_op_backward(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    """The gradient of the table, whose rows of limited norm are written back; that of the indices is 0."""
    cdef fnn_bags of
    cdef Py_ssize_t bags = describe_bags(op, &of, rows, True, dtype)
    run_embedding_bag_backward(dtype, &of, op.p[GRAD_OUTPUT], op.p[GRAD_WEIGHT], bags, rows * op.n_in,
                               op.options.num_embeddings, op.flag & ACCUMULATE)
    if of.scales != NULL and op.options.renorm:
        dispatch.kernels_of(dtype).scale_rows(op.p[WEIGHT], of.scales, op.options.num_embeddings, of.cols)
    if op.p[GRAD_INPUT] != NULL:
        memset(op.p[GRAD_INPUT], 0, rows * op.n_in * arrays.itemsize(dtype))


cdef int run_parametric(Op *op, Totals *totals, Py_ssize_t rows, int dtype) noexcept nogil:
    """Layers with one parameter that is no product's, and columns."""
    cdef Py_ssize_t n = rows * op.n_in
    cdef const void *x = op.p[X]
    cdef const void *weight = op.p[WEIGHT]
    cdef const void *g = op.p[GRAD_OUTPUT]
    cdef void *grad_x = op.p[GRAD_INPUT]
    cdef void *grad_weight = op.p[GRAD_WEIGHT]
    if op.kind == PRELU:
        run_prelu(dtype, x, weight, op.p[Y], rows, op.n_in, op.options.shared != 0)
    elif op.kind == PRELU_BACKWARD:
        run_prelu_backward(dtype, g, x, weight, grad_x, grad_weight, rows, op.n_in, op.options.shared != 0,
                           op.flag & ACCUMULATE)
    elif op.kind == TEMPERATURE_SCALE:
        run_temperature_scale(dtype, x, weight, op.p[Y], n)
    elif op.kind == TEMPERATURE_SCALE_BACKWARD:
        run_temperature_scale_backward(dtype, g, x, weight, grad_x, grad_weight, n, op.flag & ACCUMULATE)
    elif op.kind == EMBEDDING:
        return run_embedding_op(op, totals, rows, dtype)
    elif op.kind == EMBEDDING_BACKWARD:
        run_embedding_op_backward(op, rows, dtype)
    elif op.kind == EMBEDDING_BAG:
        return run_bag_op(op, totals, rows, dtype)
    elif op.kind == EMBEDDING_BAG_BACKWARD:
        run_bag_op_backward(op, rows, dtype)
    elif op.kind == GATHER:
        run_gather(dtype, x, <const int64_t *> op.p[INDEX], op.p[Y], rows, op.n_in, op.n_out)
    elif op.kind == GATHER_BACKWARD:
        run_scatter(dtype, g, <const int64_t *> op.p[INDEX], grad_x, rows, op.n_in, op.n_out)
    elif op.kind == SUM_COLUMNS:
        sum_columns(dtype, x, op.p[Y], rows, op.n_in)
    elif op.kind == EXPAND_COLUMNS:
        expand_columns(dtype, x, op.p[Y], rows, op.n_out)
    elif op.kind == EXPAND_ROWS:
        expand_rows(dtype, weight, op.p[Y], rows, op.n_in)
    elif op.kind == EXPAND_ROWS_BACKWARD:
        expand_rows_backward(dtype, g, grad_weight, rows, op.n_in, op.flag & ACCUMULATE)
    return DONE


cdef bint update(Op *op, const Totals *totals, int dtype) noexcept nogil:
    """Update the parameters; False if the norm of the gradients is not finite, which is an error."""
    cdef double scale = inverse(totals.divisor) if op.flag & MEAN else 1.0
    if dtype == FNN_FLOAT64:
        return run_update(&op.update, scale, <double> 0)
    return run_update(&op.update, scale, <float> 0)


cdef void average(Op *op, int dtype) noexcept nogil:
    """Take the parameters after one more update into their average."""
    cdef const double *settings = <const double *> op.p[HYPER]
    cdef int64_t *seen = <int64_t *> op.p[STEP]
    if dtype == FNN_FLOAT64:
        run_average(<double *> op.p[S0], <const double *> op.p[WEIGHT], op.n_in, settings, seen)
    else:
        run_average(<float *> op.p[S0], <const float *> op.p[WEIGHT], op.n_in, settings, seen)


cdef int run_op(Op *op, Totals *totals, Py_ssize_t rows, uint64_t tick, int dtype) noexcept nogil:
    cdef Py_ssize_t n = rows * op.n_in
    if op.kind == LINEAR and op.flag & SPARSE:
        run_sparse_linear(dtype, <const fnn_sparse *> op.p[X], op.p[WEIGHT], op.p[BIAS], op.p[PRE], op.p[Y], rows,
                          op.n_out, &op.epilogue)
    elif op.kind == LINEAR:
        run_linear(dtype, op.p[X], op.p[WEIGHT], op.p[BIAS], op.p[PRE], op.p[Y], rows, op.n_in, op.n_out,
                   op.flag & TRANSPOSED, &op.epilogue)
    elif op.kind == LINEAR_BACKWARD:
        run_linear_backward(op, rows, dtype)
    elif op.kind == ACTIVATION:
        run_map1(op.kernel, dtype, op.cost, op.p[X], op.p[Y], n, op.params)
    elif op.kind == ACTIVATION_BACKWARD:
        run_map2(op.kernel, dtype, op.cost, op.p[GRAD_OUTPUT], op.p[SAVED], op.p[GRAD_INPUT], n, op.params)
    elif op.kind == ARITHMETIC:
        run_map2(op.kernel, dtype, op.cost, op.p[X], op.p[OTHER], op.p[Y], n, op.params)
    elif op.kind == ROWS:
        run_rows1(op.kernel, dtype, op.p[X], op.p[Y], rows, op.n_in, op.n_out if op.n_out else op.n_in, op.params)
    elif op.kind == ROWS_BACKWARD:
        run_rows2(op.kernel, dtype, op.p[GRAD_OUTPUT], op.p[SAVED], op.p[GRAD_INPUT], rows, op.n_in,
                  op.n_out if op.n_out else op.n_in, op.params)
    elif op.kind == NOISE:
        run_noise(op.kernel, dtype, op.p[X], op.p[Y], n, op.seed, op.stream + tick, 0, op.params)
    elif op.kind == NOISE_BACKWARD and op.p[SAVED] != NULL:
        run_noise2(op.kernel, dtype, op.p[GRAD_OUTPUT], op.p[SAVED], op.p[GRAD_INPUT], n, op.seed, op.stream + tick, 0,
                   op.params)
    elif op.kind == NOISE_BACKWARD:
        run_noise(op.kernel, dtype, op.p[GRAD_OUTPUT], op.p[GRAD_INPUT], n, op.seed, op.stream + tick, 0, op.params)
    elif op.kind == COPY:
        memcpy(op.p[Y], op.p[X], n * arrays.itemsize(dtype))
    elif op.kind == COPY_COLUMNS:
        copy_columns(dtype, op.p[X], op.options.x_stride, op.p[Y], op.options.y_stride,
                     op.options.factor * (batch_divisor(op, totals, rows, dtype) if op.flag & ACCUMULATE else 1.0),
                     rows, op.n_in)
    elif op.kind == READ_LABELS:
        read_labels(dtype, op.p[X], op.options.x_stride, <int64_t *> op.p[Y], rows)
    elif op.kind in (HEADS_BEGIN, HEADS_ADD, HEADS_END):
        combine_heads(op, totals, rows, dtype)
    elif op.kind in (KEEP_LOSS, COUNT_LOSS):
        count_loss(op, totals)
    elif op.kind in (LAYER_NORM, RMS_NORM, BATCH_NORM):
        run_normalization(op, rows, dtype)
    elif op.kind in (LAYER_NORM_BACKWARD, RMS_NORM_BACKWARD, BATCH_NORM_BACKWARD):
        run_normalization_backward(op, rows, dtype)
    elif op.kind == GROUP_NORM:
        run_group_norm(op, rows, dtype)
    elif op.kind == GROUP_NORM_BACKWARD:
        run_group_norm_backward(op, rows, dtype)
    elif op.kind == RUNNING:
        run_running(op, rows, dtype)
    elif op.kind == PRESENT:
        present(dtype, op.p[TARGET], op.p[SAMPLE_WEIGHT], op.flag & ELEMENTS, op.p[Y], op.p[EXPANDED], rows, op.n_in)
    elif op.kind == LOSS:
        return run_elementwise_loss(op, totals, rows, dtype)
    elif op.kind == ROW_LOSS:
        return run_rows_loss(op, totals, rows, dtype)
    elif op.kind in (COUNT_CORRECT, COUNT_CLASSES, COUNT_TOP, COUNT_ERRORS):
        run_metric(op, totals, rows, dtype)
    elif op.kind == UPDATE:
        return DONE if update(op, totals, dtype) else BAD_NORM
    elif op.kind == AVERAGE:
        average(op, dtype)
    else:
        return run_parametric(op, totals, rows, dtype)
    return DONE
