"""Optimizer updates: what is the same for all parameters once, in double; then one loop over flat arrays."""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.math cimport HUGE_VAL, nextafter, pow, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport part_start, parts_for, region_began, region_ended, workers_for

cnp.import_array()

cdef enum:
    UNIT = 64
    SHRINK = 10  # places of coefficients: src_c/kernels/optimizers.h
    GRADIENT_SIGN = 11

cdef double COST = 0.06  # nanoseconds a parameter, and again for each state: benchmarks/bench_optimizers.py

HYPERPARAMETERS = ("lr", "weight_decay", "eps", "momentum", "dampening", "nesterov", "lr_decay", "alpha", "beta1",
                   "beta2", "decoupled", "maximize", "compat", "rho", "momentum_decay", "mu_product", "eta_minus",
                   "eta_plus", "smallest_step", "largest_step")
SWITCHES = ("nesterov", "decoupled", "maximize")  # those that are True or False
assert len(HYPERPARAMETERS) == HYPER_COUNT
# The number of each rule, and how many of its states it cannot do without.
KINDS = {
    "sgd_step": (SGD, 0), "adagrad_step": (ADAGRAD, 1), "rmsprop_step": (RMSPROP, 1), "adadelta_step": (ADADELTA, 2),
    "adam_step": (ADAM, 2), "nadam_step": (NADAM, 2), "radam_step": (RADAM, 2), "adamax_step": (ADAMAX, 2),
    "lion_step": (LION, 1), "rprop_step": (RPROP, 2),
}


cdef Update find_update(str name):
    cdef Update update
    update.rule = KINDS[name][0]
    update.kernel = dispatch.kernel_index(name, "update")
    return update


cdef void coefficients(int rule, const double *h, int64_t step, double *c) noexcept nogil:
    """What the kernel of a rule calls k (src_c/kernels/optimizers.h), from its hyperparameters at step 1, 2, ..."""
    c[0] = h[LR]
    c[1] = h[WEIGHT_DECAY]
    c[2] = h[EPS]
    c[SHRINK] = 1.0
    c[GRADIENT_SIGN] = -1.0 if h[MAXIMIZE] else 1.0
    if rule == SGD:
        momentum_coefficients(h, step, c)
    elif rule == ADAGRAD or rule == RMSPROP:
        adaptive_coefficients(rule, h, step, c)
    elif rule == ADADELTA:
        c[3], c[4] = h[RHO], 1.0 - h[RHO]
    elif rule == LION:
        c[2], c[3], c[4], c[5] = h[BETA1], 1.0 - h[BETA1], h[BETA2], 1.0 - h[BETA2]
    elif rule == RPROP:
        c[2], c[3], c[4], c[5] = h[ETA_MINUS], h[ETA_PLUS], h[SMALLEST_STEP], h[LARGEST_STEP]
        c[6] = step == 1
    else:
        moment_coefficients(rule, h, step, c)
    if h[COMPAT] == ONNX and h[DECOUPLED]:  # x = (1 - norm_coefficient_post)(x - update)
        c[1], c[SHRINK] = 0.0, 1.0 - h[WEIGHT_DECAY]
        c[0] *= c[SHRINK]
    elif h[COMPAT] == KERAS or h[DECOUPLED]:  # all rules of Keras decay the parameters themselves
        c[1], c[SHRINK] = 0.0, 1.0 - h[LR] * h[WEIGHT_DECAY]


cdef void momentum_coefficients(const double *h, int64_t step, double *c) noexcept nogil:
    cdef bint rate_inside = h[COMPAT] == KERAS or h[COMPAT] == SKLEARN
    c[2] = h[MOMENTUM]
    c[3] = 1.0 - h[DAMPENING] if step > 1 else 1.0
    c[4] = h[MOMENTUM] if h[NESTEROV] else 0.0
    c[5] = 1.0
    if h[COMPAT] == TORCH and step == 1:  # its buffer starts as the gradient itself, whatever is in it
        c[2] = 0.0
    elif rate_inside and h[MOMENTUM] != 0:
        c[0], c[3], c[5] = -1.0, -h[LR], -h[LR]


cdef void adaptive_coefficients(int rule, const double *h, int64_t step, double *c) noexcept nogil:
    cdef bint eps_inside = h[COMPAT] == KERAS
    cdef double inner_eps = h[EPS] if eps_inside else 0.0
    if eps_inside:
        c[2] = 0.0
    if rule == ADAGRAD:
        c[0] = h[LR] / (1.0 + (step - 1) * h[LR_DECAY])
        c[3] = inner_eps
        return
    c[3], c[4], c[5], c[6], c[7] = h[ALPHA], 1.0 - h[ALPHA], h[MOMENTUM], inner_eps, 1.0
    if h[COMPAT] == KERAS and h[MOMENTUM] != 0:
        c[0], c[7] = 1.0, h[LR]


cdef void moment_coefficients(int rule, const double *h, int64_t step, double *c) noexcept nogil:
    """Those of Adam and its kin."""
    cdef double t = <double> (step - 1 if h[COMPAT] == ONNX else step)  # ONNX counts from 0, where nothing is corrected
    cdef double bias1 = 1.0 - pow(h[BETA1], t) if t > 0 else 1.0
    cdef double bias2 = 1.0 - pow(h[BETA2], t) if t > 0 else 1.0
    cdef double mu, next_mu, rho, rho_limit
    c[0] = h[LR] / bias1
    c[3], c[4], c[5] = 1.0 - h[BETA1], h[BETA2], 1.0 - h[BETA2]
    c[6] = 1.0 / sqrt(bias2)
    if rule == ADAM and h[COMPAT] != TORCH:  # eps is added before the bias is corrected
        c[0] *= sqrt(bias2)
        c[6] = 1.0
    elif rule == NADAM:
        mu, next_mu = nadam_momentum(h, t), nadam_momentum(h, t + 1)
        c[0] = h[LR] * next_mu / (1.0 - h[MU_PRODUCT] * next_mu)
        c[7] = h[LR] * (1.0 - mu) / (1.0 - h[MU_PRODUCT])
    elif rule == RADAM:
        rho_limit = 2.0 / (1.0 - h[BETA2]) - 1.0
        rho = rho_limit - 2.0 * t * pow(h[BETA2], t) / bias2
        c[6] = rho > 5.0
        if rho > 5.0:
            c[0] *= sqrt(bias2 * (rho - 4.0) * (rho - 2.0) * rho_limit / ((rho_limit - 4.0) * (rho_limit - 2.0) * rho))


cdef inline double nadam_momentum(const double *h, double t) noexcept nogil:
    return h[BETA1] * (1.0 - 0.5 * pow(0.96, t * h[MOMENTUM_DECAY]))


cdef void advance(int rule, double *h, int64_t step) noexcept nogil:
    """Take what a rule keeps among its hyperparameters on to this step: the product of NAdam's momenta."""
    cdef double product = h[MU_PRODUCT]
    cdef int64_t t
    if rule != NADAM:
        return
    if product == 0:  # not known: as if the rates had always been these; beyond 1e-20 it makes no difference
        product = 1.0
        for t in range(1, step):
            product *= nadam_momentum(h, <double> t)
            if product < 1e-20:
                break
    h[MU_PRODUCT] = max(product * nadam_momentum(h, <double> step), 1e-300)


cdef void run_update(const Update *update, double *hyper, int64_t step, real *param, const real *grad, real *s0,
                     real *s1, real *s2, Py_ssize_t n) noexcept nogil:
    cdef double[16] c = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    cdef double cost, began
    cdef int parts
    advance(update.rule, hyper, step)
    coefficients(update.rule, hyper, step, c)
    if hyper[MOMENTUM] == 0:  # a buffer that an optimizer has from another time stays as it is
        if update.rule == SGD:
            s0 = NULL
        elif update.rule == RMSPROP:
            s2 = NULL
    cost = n * COST * (1 + (s0 != NULL) + (s1 != NULL) + (s2 != NULL))
    parts = parts_for(cost)
    if parts == 1:
        dispatch.update(update.kernel, param, grad, s0, s1, s2, n, c)
    else:
        began = region_began()
        update_parts(update.kernel, param, grad, s0, s1, s2, n, c, parts)
        region_ended(began, cost)


cdef void update_parts(int kernel, real *param, const real *grad, real *s0, real *s1, real *s2, Py_ssize_t n,
                       const double *c, int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t i
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        i = part_start(n, part, parts, UNIT)
        dispatch.update(kernel, param + i, grad + i, arrays.writable_at(s0, i), arrays.writable_at(s1, i),
                        arrays.writable_at(s2, i), part_start(n, part + 1, parts, UNIT) - i, c)


cdef class Hyper:
    """The hyperparameters `names` as a callable (*values) -> the array that updates read.

    The others in it are those of `fixed`, or 0. `bounds(name)` is the range of each, as keywords of check_number;
    `defaults` has the values that None stands for. What is not a float that is surely within goes to
    `slow(name, value)`, to be repaired or explained.
    """
    cdef tuple names
    cdef object slow
    cdef int[HYPER_COUNT] places
    cdef double[HYPER_COUNT] low
    cdef double[HYPER_COUNT] high
    cdef bint[HYPER_COUNT] has_default
    cdef bint[HYPER_COUNT] switch
    cdef double[HYPER_COUNT] template

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
        cdef cnp.npy_intp count = HYPER_COUNT
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


cdef bint is_state(object state, object param, object grad, bint needed) noexcept:
    """Whether `state` can be updated beside param and grad as it is, or is None where it is not needed."""
    if state is None:
        return not needed
    return (arrays.is_plain_like(state, param) and arrays.is_writable(state) and arrays.apart(state, param)
            and arrays.apart(state, grad))


cdef class Rule:
    """The update `name` of flat arrays, in place."""
    cdef Update update
    cdef int needed

    def __init__(self, str name):
        self.update = find_update(name)
        self.needed = KINDS[name][1]

    def quick(self, hyper, step, param, grad, s0=None, s1=None, s2=None):
        """Update and return True, or do nothing and return False if the arguments are for the slow path."""
        if (dispatch.reference or not arrays.is_plain(param) or not arrays.is_writable(param)
                or not arrays.is_plain_like(grad, param) or not arrays.apart(grad, param)
                or not is_state(s0, param, grad, self.needed > 0) or not is_state(s1, param, grad, self.needed > 1)
                or not is_state(s2, param, grad, False)
                or not arrays.apart(s0, s1) or not arrays.apart(s0, s2) or not arrays.apart(s1, s2)
                or not arrays.is_plain(hyper) or not arrays.is_double(hyper) or arrays.size(hyper) != HYPER_COUNT
                or type(step) is not int or step < 1):
            return False
        self.run(hyper, step, param, grad, s0, s1, s2)
        return True

    cpdef run(self, hyper, int64_t step, param, grad, s0=None, s1=None, s2=None):
        """Update `param` and the states, plain arrays of one dtype and size; `hyper` as HYPERPARAMETERS."""
        cdef Py_ssize_t n = arrays.size(param)
        cdef void *p = arrays.data(param)
        cdef void *g = arrays.data(grad)
        cdef void *a = arrays.data(s0)
        cdef void *b = arrays.data(s1)
        cdef void *c = arrays.data(s2)
        cdef double *h = <double *> arrays.data(hyper)
        if arrays.is_double(param):
            with nogil:
                run_update(&self.update, h, step, <double *> p, <double *> g, <double *> a, <double *> b,
                           <double *> c, n)
        else:
            with nogil:
                run_update(&self.update, h, step, <float *> p, <float *> g, <float *> a, <float *> b, <float *> c, n)


RULES = {name: Rule(name) for name in KINDS}
