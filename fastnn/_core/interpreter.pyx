"""What each operation of a program does: one function a kind, on pointers, without the GIL.

Losses, metrics and heads, which count in the sums of a run, are in loss_operations.pyx.
"""

from libc.stdint cimport int8_t, int64_t, uint64_t
from libc.string cimport memcpy, memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.activations cimport run_map1, run_map2
from fastnn._core.columns cimport (
    copy_columns, expand_columns, expand_rows, expand_rows_backward, read_labels, run_gather, run_scatter, sum_columns,
)
from fastnn._core.dispatch cimport FNN_BAG_SUM, FNN_FLOAT64, fnn_bags, fnn_int8, fnn_sparse
from fastnn._core.dropout cimport run_noise, run_noise2
from fastnn._core.embedding cimport run_embedding, run_embedding_backward
from fastnn._core.embedding_bag cimport describe_rows, run_embedding_bag, run_embedding_bag_backward
from fastnn._core.group_norm cimport expand_affine, run_group_gradients
from fastnn._core.int8 cimport run_linear_int8
from fastnn._core.linear cimport run_linear, run_linear_grad_weight, run_linear_grad_x
from fastnn._core.loss_operations cimport (
    batch_divisor, combine_heads, count_loss, inverse, run_elementwise_loss, run_metric, run_rows_loss,
)
from fastnn._core.normalization cimport (
    forget_batch, run_norm, run_norm_backward, run_norm_gradients, run_statistics,
)
from fastnn._core.operations cimport *
from fastnn._core.optimizers cimport run_update
from fastnn._core.parameters cimport run_average
from fastnn._core.parametric cimport (
    run_prelu, run_prelu_backward, run_temperature_scale, run_temperature_scale_backward,
)
from fastnn._core.softmax cimport run_rows1, run_rows2
from fastnn._core.sparse cimport run_sparse_linear, run_sparse_linear_backward
from fastnn._core.weights cimport present


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


cdef void run_int8(Op *op, Py_ssize_t rows, int dtype) noexcept nogil:
    """A product with integers."""
    cdef fnn_int8 of = fnn_int8(
        x=op.p[X], weight=<const int8_t *> op.p[WEIGHT], scale=<const double *> op.p[SCALE], bias=op.p[BIAS],
        y=op.p[Y], rows=rows, n_in=op.n_in, n_out=op.n_out)
    run_linear_int8(dtype, &of)


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
    elif op.kind == LINEAR_INT8:
        run_int8(op, rows, dtype)
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
