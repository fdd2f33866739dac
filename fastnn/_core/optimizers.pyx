"""Optimizer updates: what is the same for all parameters once, in double; then one loop over flat arrays."""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.math cimport pow, sqrt
from libc.stdint cimport int64_t

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport part_start, parts_for, region_began, region_ended, workers_for

cnp.import_array()

cdef enum:
    UNIT = 64

cdef double COST = 0.4  # nanoseconds a parameter: benchmarks/bench_optimizers.py

HYPERPARAMETERS = ("lr", "weight_decay", "eps", "momentum", "dampening", "nesterov", "lr_decay", "alpha", "beta1",
                   "beta2", "decoupled")
RULES = {"sgd_step": SGD, "adagrad_step": ADAGRAD, "rmsprop_step": RMSPROP, "adam_step": ADAM}


cdef Update find_update(str name):
    cdef Update update
    update.rule = RULES[name]
    update.kernel = dispatch.kernel_index(name, "update")
    return update


cdef void coefficients(int rule, const double *h, int64_t step, double *c) noexcept nogil:
    """What the kernel of a rule calls k (src_c/kernels/optimizers.h), from its hyperparameters at step 1, 2, ..."""
    cdef double bias1, bias2
    c[0] = h[LR]
    c[1] = h[WEIGHT_DECAY]
    c[2] = h[EPS]
    if rule == SGD:
        # The buffer starts as the gradient itself, as PyTorch's: the first step knows no momentum and no dampening.
        c[2] = h[MOMENTUM] if step > 1 else 0.0
        c[3] = 1.0 - h[DAMPENING] if step > 1 else 1.0
        c[4] = h[MOMENTUM] if h[NESTEROV] else 0.0
    elif rule == ADAGRAD:
        c[0] = h[LR] / (1.0 + (step - 1) * h[LR_DECAY])
    elif rule == RMSPROP:
        c[3] = h[ALPHA]
        c[4] = 1.0 - h[ALPHA]
        c[5] = h[MOMENTUM]
    elif rule == ADAM:
        bias1 = 1.0 - pow(h[BETA1], <double> step)
        bias2 = 1.0 - pow(h[BETA2], <double> step)
        c[0] = h[LR] / bias1
        c[1] = 0.0 if h[DECOUPLED] else h[WEIGHT_DECAY]
        c[3] = 1.0 - h[BETA1]
        c[4] = h[BETA2]
        c[5] = 1.0 - h[BETA2]
        c[6] = 1.0 / sqrt(bias2)
        c[7] = 1.0 - h[LR] * h[WEIGHT_DECAY] if h[DECOUPLED] else 1.0


cdef void run_update(const Update *update, const double *hyper, int64_t step, real *param, const real *grad, real *s0,
                     real *s1, real *s2, Py_ssize_t n) noexcept nogil:
    cdef double[8] c = [0, 0, 0, 0, 0, 0, 0, 0]
    cdef int parts = parts_for(n * COST)
    cdef double began
    coefficients(update.rule, hyper, step, c)
    if parts == 1:
        dispatch.update(update.kernel, param, grad, s0, s1, s2, n, c)
    else:
        began = region_began()
        update_parts(update.kernel, param, grad, s0, s1, s2, n, c, parts)
        region_ended(began, n * COST)


cdef void update_parts(int kernel, real *param, const real *grad, real *s0, real *s1, real *s2, Py_ssize_t n,
                       const double *c, int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t i
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        i = part_start(n, part, parts, UNIT)
        dispatch.update(kernel, param + i, grad + i, arrays.writable_at(s0, i), arrays.writable_at(s1, i),
                        arrays.writable_at(s2, i), part_start(n, part + 1, parts, UNIT) - i, c)


def step(str rule, const double[::1] hyper, int64_t step, param, grad, s0=None, s1=None, s2=None):
    """Update `param` and the states in place, plain arrays of one dtype and size; `hyper` as HYPERPARAMETERS."""
    cdef Update update = find_update(rule)
    cdef Py_ssize_t n = arrays.size(param)
    cdef void *p = arrays.data(param)
    cdef void *g = arrays.data(grad)
    cdef void *a = arrays.data(s0)
    cdef void *b = arrays.data(s1)
    cdef void *c = arrays.data(s2)
    cdef const double *h = &hyper[0]
    if arrays.is_double(param):
        with nogil:
            run_update(&update, h, step, <double *> p, <double *> g, <double *> a, <double *> b, <double *> c, n)
    else:
        with nogil:
            run_update(&update, h, step, <float *> p, <float *> g, <float *> a, <float *> b, <float *> c, n)
