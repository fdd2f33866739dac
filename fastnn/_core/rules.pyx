"""The update rules of optimizers on flat arrays: the coefficients of a step once, then one loop over the parameters."""

cimport numpy as cnp
from libc.math cimport HUGE_VAL, nextafter
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport fnn_adjustment, fnn_coefficients, real
from fastnn._core.threads cimport Task, parallel_for

cnp.import_array()

cdef enum:
    UNIT = 64
    BLOCK = 1024  # elements whose gradient is adjusted at once: it stays in the nearest cache

cdef double COST = 0.06  # nanoseconds a parameter, and again for each state: benchmarks/bench_optimizers.py

# The lists of src_c/rules.h, each in the order of the array that holds the numbers.
HYPERPARAMETERS = tuple(FNN_HYPERPARAMETER_NAMES.decode().split())
SWITCHES = tuple(FNN_SWITCH_NAMES.decode().split())  # those that are True or False
CLIPPING = tuple(FNN_CLIPPING_NAMES.decode().split())


# -- one step of one rule ----------------------------------------------------------------------------------------------

ctypedef struct UpdateWork:
    int kernel
    void *param
    const void *grad
    void *state0
    void *state1
    void *state2
    const fnn_coefficients *coefficients
    const fnn_adjustment *adjustment


cdef void run_rule(const fnn_rule *rule, int kernel, const fnn_hyper *hyper, int64_t step, real *param,
                   const real *grad, real *state0, real *state1, real *state2, Py_ssize_t n,
                   const fnn_adjustment *adjustment) noexcept nogil:
    """Update n parameters in a row, at step 1, 2, ...; `adjustment` is done to their gradient first unless NULL."""
    cdef fnn_coefficients coefficients
    cdef fnn_adjustment signed
    fnn_set_coefficients(rule, hyper, step, &coefficients)
    if adjustment != NULL:  # penalties are not maximized: the sign is that of the gradient alone
        signed = adjustment[0]
        signed.scale *= coefficients.grad_sign
        adjustment, coefficients.grad_sign = &signed, 1.0
    if hyper.momentum == 0:  # a buffer from when momentum was not 0 stays as it is
        if rule.momentum_state == 0:
            state0 = NULL
        elif rule.momentum_state == 2:
            state2 = NULL
    run_kernel(kernel, &coefficients, param, grad, state0, state1, state2, n, adjustment)


cdef void set_coefficients(const fnn_rule *rule, const fnn_hyper *hyper, int64_t step,
                           fnn_coefficients *coefficients) noexcept nogil:
    """Compute the coefficients of a step."""
    fnn_set_coefficients(rule, hyper, step, coefficients)


cdef void run_kernel(int kernel, const fnn_coefficients *coefficients, real *param, const real *grad, real *state0,
                     real *state1, real *state2, Py_ssize_t n, const fnn_adjustment *adjustment) noexcept nogil:
    """Update n parameters in a row by a kernel with these coefficients."""
    cdef UpdateWork work
    cdef double cost
    cost = n * COST * (1 + (state0 != NULL) + (state1 != NULL) + (state2 != NULL) + (adjustment != NULL))
    work = UpdateWork(kernel=kernel, param=param, grad=grad, state0=state0, state1=state1, state2=state2,
                      coefficients=coefficients, adjustment=adjustment)
    parallel_for(<Task> update_task[real], &work, n, UNIT, cost)


cdef inline void update_block(const UpdateWork *w, Py_ssize_t start, Py_ssize_t n, const real *grad) noexcept nogil:
    """Update n parameters from number `start` on; their gradient begins at `grad`."""
    dispatch.update(w.kernel, <real *> w.param + start, grad, arrays.writable_at(<real *> w.state0, start),
                    arrays.writable_at(<real *> w.state1, start), arrays.writable_at(<real *> w.state2, start), n,
                    w.coefficients)


cdef void update_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """What one thread does. A gradient is adjusted a block at a time, so this stays one pass over the arrays."""
    cdef const UpdateWork *w = <const UpdateWork *> work
    cdef real[BLOCK] adjusted
    cdef Py_ssize_t count
    if w.adjustment == NULL:
        update_block(w, start, stop - start, <const real *> w.grad + start)
        return
    while start < stop:
        count = min(stop - start, BLOCK)
        dispatch.adjust_grad(<real *> w.param + start, <const real *> w.grad + start, adjusted, count, w.adjustment)
        update_block(w, start, count, <const real *> adjusted)
        start += count


# -- for Python --------------------------------------------------------------------------------------------------------

cdef class Hyper:
    """The hyperparameters `names` as a callable (*values) -> the array that updates read.

    The others in it are those of `fixed`, or 0. `bounds(name)` is the range of each, as keywords of check_number;
    `defaults` has the values that None stands for. What is not a float that is surely within goes to
    `slow(name, value)`, to be repaired or explained.
    """
    cdef tuple names
    cdef object slow
    cdef int[FNN_HYPER_COUNT] places
    cdef double[FNN_HYPER_COUNT] low
    cdef double[FNN_HYPER_COUNT] high
    cdef bint[FNN_HYPER_COUNT] has_default
    cdef bint[FNN_HYPER_COUNT] switch
    cdef double[FNN_HYPER_COUNT] template

    def __init__(self, tuple names, bounds, slow, dict defaults, dict fixed):
        self.names, self.slow = names, slow
        for i, name in enumerate(HYPERPARAMETERS):
            self.template[i] = defaults.get(name, fixed.get(name, 0.0))
        for i, name in enumerate(names):
            limits = bounds(name)
            self.places[i] = HYPERPARAMETERS.index(name)
            self.low[i] = limits.get("at_least", nextafter(limits.get("above", -HUGE_VAL), HUGE_VAL))
            self.high[i] = min(limits.get("at_most", HUGE_VAL), nextafter(limits.get("below", HUGE_VAL), -HUGE_VAL))
            self.has_default[i], self.switch[i] = name in defaults, name in SWITCHES

    def __call__(self, *values):
        cdef cnp.npy_intp count = FNN_HYPER_COUNT
        hyper = cnp.PyArray_EMPTY(1, &count, cnp.NPY_FLOAT64, 0)
        cdef double *h = <double *> arrays.data(hyper)
        cdef Py_ssize_t i
        if len(values) != len(self.names):
            raise TypeError(f"expected {self.names}, got {values}")
        memcpy(h, self.template, sizeof(self.template))
        for i, value in enumerate(values):
            if self.switch[i] and type(value) is bool:
                h[self.places[i]] = value is True
            elif type(value) is float and self.low[i] <= <double> value <= self.high[i]:
                h[self.places[i]] = value
            elif value is not None or not self.has_default[i]:
                h[self.places[i]] = self.slow(self.names[i], value)
        return hyper

    def named(self, hyper):
        """The values in such an array by name."""
        return {name: bool(hyper[self.places[i]]) if self.switch[i] else float(hyper[self.places[i]])
                for i, name in enumerate(self.names)}


cdef object LAST_STEP = 2**53  # exact as a double


cdef bint is_state(object state, object param, object grad, bint needed) noexcept:
    """Whether `state` can be updated beside param and grad as it is, or is None where it is not needed."""
    if state is None:
        return not needed
    return (arrays.is_plain_like(state, param) and arrays.is_writable(state) and arrays.apart(state, param)
            and arrays.apart(state, grad))


cdef class Rule:
    """An update of flat arrays, in place."""

    def __init__(self, int place):
        self.rule = &fnn_rules[place]
        self.kernel = dispatch.kernel_index(self.rule.name.decode(), "update")

    def quick(self, hyper, step, param, grad, state0=None, state1=None, state2=None):
        """Update and return True, or do nothing and return False if the arguments are for the slow path."""
        cdef int needed = self.rule.states
        if (dispatch.reference or not arrays.is_plain(param) or not arrays.is_writable(param)
                or not arrays.is_plain_like(grad, param) or not arrays.apart(grad, param)
                or not is_state(state0, param, grad, needed > 0) or not is_state(state1, param, grad, needed > 1)
                or not is_state(state2, param, grad, False)
                or not arrays.apart(state0, state1) or not arrays.apart(state0, state2)
                or not arrays.apart(state1, state2)
                or not arrays.is_plain(hyper) or not arrays.is_double(hyper) or arrays.size(hyper) != FNN_HYPER_COUNT
                or type(step) is not int or not 1 <= step <= LAST_STEP):
            return False
        self.run(hyper, step, param, grad, state0, state1, state2)
        return True

    cpdef run(self, hyper, int64_t step, param, grad, state0=None, state1=None, state2=None):
        """Update `param` and the states, plain arrays of one dtype and size; `hyper` as HYPERPARAMETERS."""
        cdef Py_ssize_t n = arrays.size(param)
        cdef void *p = arrays.data(param)
        cdef void *g = arrays.data(grad)
        cdef void *s0 = arrays.data(state0)
        cdef void *s1 = arrays.data(state1)
        cdef void *s2 = arrays.data(state2)
        cdef fnn_hyper *h = <fnn_hyper *> arrays.data(hyper)
        advance(self.rule, h, step)
        if arrays.is_double(param):
            with nogil:
                run_rule(self.rule, self.kernel, h, step, <double *> p, <double *> g, <double *> s0, <double *> s1,
                         <double *> s2, n, NULL)
        else:
            with nogil:
                run_rule(self.rule, self.kernel, h, step, <float *> p, <float *> g, <float *> s0, <float *> s1,
                         <float *> s2, n, NULL)


def make_rules():
    """Every rule by the name of its kernel."""
    cdef int i = 0
    rules = {}
    while fnn_rules[i].name != NULL:
        rules[fnn_rules[i].name.decode()] = Rule(i)
        i += 1
    return rules


RULES = make_rules()
