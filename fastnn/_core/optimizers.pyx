"""One step of an optimizer: its spans, each by the rule with the numbers of its group, after clipping and penalties."""

cimport numpy as cnp
from libc.math cimport HUGE_VAL, NAN, fabs, isfinite, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastnn._core cimport arrays
from fastnn._core.dispatch cimport fnn_adjustment, real
from fastnn._core.matrix_rules cimport Shape, run_matrix_rule, scratch_size
from fastnn._core.parameters cimport (in_range, largest_magnitude, run_max_norm, run_squares, scaled_squares,
                                      unit_scale)
from fastnn._core.rules cimport (FNN_ADAFACTOR, FNN_CLIPPING_COUNT, FNN_ELEMENTS, FNN_HYPER_COUNT, Rule, advance,
                                 fnn_clipping, fnn_hyper, fnn_rule, run_rule)

import numpy as np

from fastnn._core.rules import RULES

cnp.import_array()

NOT_FINITE = "the norm of the gradients is not finite, so they cannot be clipped"


def make_span_dtype():
    """The dtype of an array of Span."""
    cdef Span zeros
    memset(&zeros, 0, sizeof(Span))
    dtype = np.dtype([(name, "i8" if isinstance(zero, int) else "f8") for name, zero in dict(zeros).items()])
    assert dtype.itemsize == sizeof(Span)
    return dtype


SPAN = make_span_dtype()


# -- the arrays of an optimizer ----------------------------------------------------------------------------------------

cdef bint is_flat(object x, Py_ssize_t size) noexcept:
    """Whether x has so many numbers of float64 that can be set."""
    return arrays.is_plain(x) and arrays.is_double(x) and arrays.is_writable(x) and arrays.size(x) == size


cdef int check_matrices(dict given, const fnn_rule *rule) except -1:
    """Raise ValueError unless the states of a rule that works on whole matrices, and its scratch memory, fit."""
    param = given["weight"]
    cdef const Span *span = <const Span *> arrays.data(given["spans"])
    cdef Py_ssize_t i, n
    cdef Py_ssize_t[3] sizes
    for i, name in enumerate(("s0", "s1", "s2", "scratch")):
        array = given.get(name)
        if array is not None and not (arrays.is_plain(array) and arrays.is_writable(array)
                                      and arrays.same_dtype(array, param)):
            raise ValueError(f"{name} must be an array of {param.dtype}")
        if i < 3:
            sizes[i] = arrays.size(array) if array is not None else 0
    for i in range(arrays.size(given["spans"])):
        n = span[i].stop - span[i].start
        if span[i].rows < 0 or span[i].width < 0 or span[i].at0 < 0 or span[i].at1 < 0 or (
                span[i].rows and n % max(1, span[i].rows * span[i].width) != 0):
            raise ValueError("groups of an optimizer must be of its parameters")
        if rule.whole != FNN_ADAFACTOR:
            fits = n == span[i].rows * span[i].width and span[i].at0 + n <= sizes[0]
        elif span[i].rows:
            fits = (span[i].at0 + n // max(1, span[i].width) <= sizes[0]
                    and span[i].at1 + n // span[i].rows <= sizes[1])
        else:
            fits = span[i].at0 + n <= sizes[2]
        if not fits or arrays.size(given["scratch"]) < scratch_size(rule.whole, n, span[i].rows, span[i].width):
            raise ValueError("states of an optimizer must fit its parameters")
    return 0


cdef int check_update(dict given, const fnn_rule *rule) except -1:
    """Raise ValueError unless the arrays fit one another: they are attributes that anybody can set."""
    cdef bint elements = rule.whole == FNN_ELEMENTS
    param = given["weight"]
    cdef Py_ssize_t i, n = arrays.size(param), groups = arrays.size(given["step"])
    cdef const Span *span = <const Span *> arrays.data(given["spans"])
    for i, name in enumerate(("grad_weight", "s0", "s1", "s2")):
        array = given.get(name)
        if array is None and i <= rule.states:
            raise ValueError(f"{name} must be there")
        if not elements and i > 0:
            continue
        if array is not None and not (arrays.is_plain(array) and arrays.is_writable(array)
                                      and arrays.same_layout(array, param)):
            raise ValueError(f"{name} must be an array like the parameters, {param.dtype} of shape {param.shape}")
    if not (arrays.is_plain(param) and arrays.is_writable(param) and arrays.is_labels(given["step"])
            and is_flat(given["hyper"], groups * FNN_HYPER_COUNT) and is_flat(given["clipping"], FNN_CLIPPING_COUNT)):
        raise ValueError("hyper, clipping, step_count and params of an optimizer cannot be other arrays")
    for i in range(arrays.size(given["spans"])):
        if not (0 <= span[i].start <= span[i].stop <= n and 0 <= span[i].group < groups):
            raise ValueError("groups of an optimizer must be of its parameters")
    return 0 if elements else check_matrices(given, rule)


cdef Update make_update(str rule, dict given):
    """The update by a rule of the arrays that an optimizer gives by name; they must outlive it."""
    cdef Update u
    cdef Rule by = RULES[rule]
    check_update(given, by.rule)
    u.rule, u.kernel = by.rule, by.kernel
    u.count = <int> arrays.size(given["spans"])
    u.groups = <int> arrays.size(given["step"])
    u.spans = <const Span *> arrays.data(given["spans"])
    u.hyper = <fnn_hyper *> arrays.data(given["hyper"])
    u.step = <int64_t *> arrays.data(given["step"])
    u.clipping = <fnn_clipping *> arrays.data(given["clipping"])
    u.param, u.grad = arrays.data(given["weight"]), arrays.data(given["grad_weight"])
    u.state0, u.state1 = arrays.data(given.get("s0")), arrays.data(given.get("s1"))
    u.state2, u.scratch = arrays.data(given.get("s2")), arrays.data(given.get("scratch"))
    return u


# -- clipping ----------------------------------------------------------------------------------------------------------

cdef bint is_frozen(const Update *u, int64_t group) noexcept nogil:
    return u.hyper[group].frozen != 0


cdef double gradient_norm(const Update *u, real dtype) noexcept nogil:
    """The 2-norm of the gradients of everything that is not frozen."""
    cdef double scale, largest = 0, total = 0
    cdef int i
    for i in range(u.count):
        if not is_frozen(u, u.spans[i].group):
            total += run_squares(<real *> u.grad + u.spans[i].start, u.spans[i].stop - u.spans[i].start)
    if in_range(total):
        return sqrt(total)
    for i in range(u.count):
        if not is_frozen(u, u.spans[i].group):
            largest = max(largest, largest_magnitude(<real *> u.grad + u.spans[i].start,
                                                     u.spans[i].stop - u.spans[i].start))
    scale = unit_scale(largest)
    if scale == 0:
        return sqrt(total)
    total = 0
    for i in range(u.count):
        if not is_frozen(u, u.spans[i].group):
            total += scaled_squares(<real *> u.grad + u.spans[i].start, u.spans[i].stop - u.spans[i].start, scale)
    return sqrt(total) / scale


cdef bint clip(const Update *u, double *scale, real dtype) noexcept nogil:
    """Multiply `scale` by what brings the norm of the gradients down to max_grad_norm, as clip_grad_norm_ of PyTorch.

    False if the norm is not finite and that is an error.
    """
    cdef fnn_clipping *clipping = u.clipping
    cdef double factor
    clipping.grad_norm = fabs(scale[0]) * gradient_norm(u, dtype)
    if clipping.error_if_nonfinite and not isfinite(clipping.grad_norm):
        return False
    factor = clipping.max_grad_norm / (clipping.grad_norm + 1e-6)
    if not factor >= 1:  # NaN is not, and spreads
        scale[0] *= factor
    return True


# -- a step ------------------------------------------------------------------------------------------------------------

cdef void update_matrix(const Update *u, const Span *span, const fnn_adjustment *adjustment, real dtype) noexcept nogil:
    """Update a parameter as a whole."""
    cdef Py_ssize_t n = span.stop - span.start
    cdef Shape shape = Shape(count=1, rows=span.rows, cols=span.width if span.rows else n)
    cdef real *state0 = <real *> (u.state2 if span.rows == 0 and u.rule.whole == FNN_ADAFACTOR else u.state0)
    if span.rows and span.width:
        shape.count = n // (span.rows * span.width)
    run_matrix_rule(u.rule, u.kernel, &u.hyper[span.group], u.step[span.group], <real *> u.param + span.start,
                    <const real *> u.grad + span.start, state0 + span.at0,
                    arrays.writable_at(<real *> u.state1, span.at1), &shape, <real *> u.scratch, adjustment)


cdef void update_span(const Update *u, const Span *span, double scale, real dtype) noexcept nogil:
    """Update the parameters of a span, their gradients times `scale`, and then limit the norms of its columns."""
    cdef fnn_adjustment adjustment = fnn_adjustment(scale=scale, max_value=u.clipping.max_grad_value, l1=span.l1,
                                                    l2=span.l2)
    cdef bint adjusting = scale != 1 or adjustment.max_value != HUGE_VAL or span.l1 != 0 or span.l2 != 0
    cdef Py_ssize_t i = span.start
    if u.rule.whole != FNN_ELEMENTS:
        update_matrix(u, span, &adjustment if adjusting else NULL, <real> 0)
    else:
        run_rule(u.rule, u.kernel, &u.hyper[span.group], u.step[span.group], <real *> u.param + i,
                 <const real *> u.grad + i, arrays.writable_at(<real *> u.state0, i),
                 arrays.writable_at(<real *> u.state1, i), arrays.writable_at(<real *> u.state2, i), span.stop - i,
                 &adjustment if adjusting else NULL)
    if span.cols != 0:
        run_max_norm(<real *> u.param + i, (span.stop - i) // span.cols, span.cols, span.max_norm)


cdef bint run_update(const Update *u, double scale, real dtype) noexcept nogil:
    """One step: all spans that are not frozen, their gradients times `scale`.

    False, and nothing has changed, if the norm of the gradients is not finite and that is an error.
    """
    cdef int k
    if u.clipping.max_grad_norm == u.clipping.max_grad_norm:  # is not NaN
        if not clip(u, &scale, dtype):
            return False
    else:
        u.clipping.grad_norm = NAN
    for k in range(u.groups):
        if not is_frozen(u, k):
            u.step[k] += 1
            advance(u.rule, &u.hyper[k], u.step[k])
    for k in range(u.count):
        if not is_frozen(u, u.spans[k].group):
            update_span(u, &u.spans[k], scale, dtype)
    return True


cdef double magnitudes(const real *x, Py_ssize_t n) noexcept nogil:
    """Sum of |x| in double, in order."""
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(n):
        total += fabs(x[i])
    return total


cdef double penalty(const Update *u, real dtype) noexcept nogil:
    """l1 sum |w| + (l2 + weight_decay) / 2 sum w^2 over all parameters that are updated, in double.

    A weight decay that is decoupled from the gradients is no penalty.
    """
    cdef double l2, total = 0
    cdef const Span *span
    cdef const fnn_hyper *hyper
    cdef int i
    for i in range(u.count):
        span, hyper = &u.spans[i], &u.hyper[u.spans[i].group]
        if hyper.frozen:
            continue
        l2 = span.l2 + (0 if hyper.decoupled else hyper.weight_decay)
        if span.l1 != 0:
            total += span.l1 * magnitudes(<const real *> u.param + span.start, span.stop - span.start)
        if l2 != 0:
            total += 0.5 * l2 * run_squares(<const real *> u.param + span.start, span.stop - span.start)
    return total


cdef void zero_grad(const Update *u, real dtype) noexcept nogil:
    """Set all gradients to 0."""
    memset(u.grad, 0, u.spans[u.count - 1].stop * sizeof(real) if u.count else 0)


def step(str rule, dict given):
    """One step of an optimizer that gives its arrays by name.

    Raises RuntimeError, and nothing has changed, if the gradients are not finite but must be.
    """
    cdef Update u = make_update(rule, given)
    cdef bint double_ = arrays.is_double(given["weight"])
    cdef bint done
    with nogil:
        done = run_update(&u, 1.0, <double> 0) if double_ else run_update(&u, 1.0, <float> 0)
    if not done:
        raise RuntimeError(NOT_FINITE)
