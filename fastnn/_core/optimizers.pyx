"""Optimizer updates: what is the same for all parameters once, in double; then one loop over flat arrays."""

cimport numpy as cnp
from libc.math cimport HUGE_VAL, NAN, fabs, isfinite, nextafter, pow, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.parameters cimport (ADJUSTMENTS, L1, L2, LIMIT, SCALE, in_range, largest_magnitude, run_max_norm,
                                      run_squares, scaled_squares, unit_scale)
from fastnn._core.threads cimport Task, parallel_for

import numpy as np

cnp.import_array()

cdef enum:
    UNIT = 64
    BLOCK = 1024  # elements whose gradient is made ready at once: it stays in the nearest cache
    SHRINK = 10  # places of coefficients: src_c/kernels/optimizers.h
    GRADIENT_SIGN = 11

cdef double COST = 0.06  # nanoseconds a parameter, and again for each state: benchmarks/bench_optimizers.py

HYPERPARAMETERS = ("lr", "weight_decay", "eps", "momentum", "dampening", "nesterov", "lr_decay", "alpha", "beta1",
                   "beta2", "decoupled", "maximize", "compat", "rho", "momentum_decay", "mu_product", "eta_minus",
                   "eta_plus", "smallest_step", "largest_step", "frozen")
SWITCHES = ("nesterov", "decoupled", "maximize", "frozen")  # those that are True or False
CLIPPING = ("max_grad_norm", "max_grad_value", "error_if_nonfinite", "grad_norm")
assert len(HYPERPARAMETERS) == HYPER_COUNT and len(CLIPPING) == CLIPPING_COUNT
NOT_FINITE = "the norm of the gradients is not finite, so they cannot be clipped"
# Span, for Python.
SPAN = np.dtype([("start", "i8"), ("stop", "i8"), ("group", "i8"), ("l1", "f8"), ("l2", "f8"), ("max_norm", "f8"),
                 ("cols", "i8")])
assert SPAN.itemsize == sizeof(Span)
# The number of each rule, and how many of its states it cannot do without.
KINDS = {
    "sgd_step": (SGD, 0), "adagrad_step": (ADAGRAD, 1), "rmsprop_step": (RMSPROP, 1), "adadelta_step": (ADADELTA, 2),
    "adam_step": (ADAM, 2), "nadam_step": (NADAM, 2), "radam_step": (RADAM, 2), "adamax_step": (ADAMAX, 2),
    "lion_step": (LION, 1), "rprop_step": (RPROP, 2),
}


cdef int check_update(dict given, int needed) except -1:
    """Raise ValueError unless the arrays fit one another: they are attributes that anybody can set."""
    param = given["weight"]
    cdef Py_ssize_t i, n = arrays.size(param), groups = arrays.size(given["step"])
    cdef const Span *span = <const Span *> arrays.data(given["spans"])
    for name in ("grad_weight", "s0", "s1", "s2"):
        array = given.get(name)
        if array is None and (name == "grad_weight" or name < f"s{needed}"):
            raise ValueError(f"{name} must be there")
        if array is not None and not (arrays.is_plain(array) and arrays.is_writable(array)
                                      and arrays.same_layout(array, param)):
            raise ValueError(f"{name} must be an array like the parameters, {param.dtype} of shape {param.shape}")
    if not (arrays.is_plain(param) and arrays.is_writable(param) and arrays.is_labels(given["step"])
            and is_flat(given["hyper"], groups * HYPER_COUNT) and is_flat(given["clipping"], CLIPPING_COUNT)):
        raise ValueError("hyper, clipping, step_count and params of an optimizer cannot be other arrays")
    for i in range(arrays.size(given["spans"])):
        if not (0 <= span[i].start <= span[i].stop <= n and 0 <= span[i].group < groups):
            raise ValueError("groups of an optimizer must be of its parameters")
    return 0


cdef bint is_flat(object x, Py_ssize_t size) noexcept:
    """Whether x has so many numbers of float64 that can be set."""
    return arrays.is_plain(x) and arrays.is_double(x) and arrays.is_writable(x) and arrays.size(x) == size


cdef Update make_update(str rule, dict given):
    """The update by a rule of the arrays that an optimizer gives by name; they must outlive it."""
    cdef Update u
    check_update(given, KINDS[rule][1])
    u.rule, u.kernel = KINDS[rule][0], dispatch.kernel_index(rule, "update")
    u.count = <int> arrays.size(given["spans"])
    u.groups = <int> arrays.size(given["step"])
    u.spans = <const Span *> arrays.data(given["spans"])
    u.hyper = <double *> arrays.data(given["hyper"])
    u.clipping = <double *> arrays.data(given["clipping"])
    u.step = <int64_t *> arrays.data(given["step"])
    u.param, u.grad = arrays.data(given["weight"]), arrays.data(given["grad_weight"])
    u.s0, u.s1, u.s2 = arrays.data(given.get("s0")), arrays.data(given.get("s1")), arrays.data(given.get("s2"))
    return u


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
    cdef double decay, product = h[MU_PRODUCT]
    cdef int64_t t
    if rule != NADAM:
        return
    if product == 0:  # not known: as if the rates had always been these; beyond 1e-20 it makes no difference
        product = 1.0
        for t in range(1, step):
            product *= nadam_momentum(h, <double> t)
            decay = pow(0.96, <double> t * h[MOMENTUM_DECAY])
            if decay < 1e-17:  # the momentum is beta1 from here on
                product *= pow(h[BETA1], <double> (step - 1 - t))
            if product < 1e-20 or decay < 1e-17:
                break
    h[MU_PRODUCT] = max(product * nadam_momentum(h, <double> step), 1e-300)


ctypedef struct UpdateWork:
    int kernel
    void *param
    const void *grad
    void *s0
    void *s1
    void *s2
    const double *c       # coefficients
    const double *adjust


cdef void update_stretch(int rule, int kernel, const double *hyper, int64_t step, real *param, const real *grad,
                         real *s0, real *s1, real *s2, Py_ssize_t n, const double *adjust) noexcept nogil:
    """One update of n parameters in a row; `adjust` is what adjust_grad makes of their gradient first, or NULL."""
    cdef double[16] c = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    cdef double[ADJUSTMENTS] signed
    cdef UpdateWork work
    cdef double cost
    coefficients(rule, hyper, step, c)
    if adjust != NULL:  # penalties are not maximized: the sign is that of the gradient alone
        signed = [adjust[SCALE] * c[GRADIENT_SIGN], adjust[LIMIT], adjust[L1], adjust[L2]]
        adjust, c[GRADIENT_SIGN] = signed, 1.0
    if hyper[MOMENTUM] == 0:  # a buffer that an optimizer has from another time stays as it is
        if rule == SGD:
            s0 = NULL
        elif rule == RMSPROP:
            s2 = NULL
    cost = n * COST * (1 + (s0 != NULL) + (s1 != NULL) + (s2 != NULL) + (adjust != NULL))
    work = UpdateWork(kernel=kernel, param=param, grad=grad, s0=s0, s1=s1, s2=s2, c=&c[0], adjust=adjust)
    parallel_for(<Task> update_task[real], &work, n, UNIT, cost)


cdef void update_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    cdef const UpdateWork *w = <const UpdateWork *> work
    update_part(w.kernel, <real *> w.param + start, <const real *> w.grad + start,
                arrays.writable_at(<real *> w.s0, start), arrays.writable_at(<real *> w.s1, start),
                arrays.writable_at(<real *> w.s2, start), stop - start, w.c, w.adjust)


cdef void update_part(int kernel, real *param, const real *grad, real *s0, real *s1, real *s2, Py_ssize_t n,
                      const double *c, const double *adjust) noexcept nogil:
    """What one thread does. A gradient that needs adjusting is made ready a block at a time, so this stays one pass."""
    cdef real[BLOCK] ready
    cdef Py_ssize_t i = 0, count
    if adjust == NULL:
        dispatch.update(kernel, param, grad, s0, s1, s2, n, c)
        return
    while i < n:
        count = min(n - i, BLOCK)
        dispatch.adjust_grad(param + i, grad + i, ready, count, adjust)
        dispatch.update(kernel, param + i, ready, arrays.writable_at(s0, i), arrays.writable_at(s1, i),
                        arrays.writable_at(s2, i), count, c)
        i += count


cdef bint is_frozen(const Update *u, int64_t group) noexcept nogil:
    return u.hyper[group * HYPER_COUNT + FROZEN] != 0


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
    """Multiply `scale` by what brings the norm of the gradients down to the largest one allowed.

    As torch.nn.utils.clip_grad_norm_. False if the norm is not finite and that is an error.
    """
    cdef double factor
    u.clipping[NORM] = fabs(scale[0]) * gradient_norm(u, dtype)
    if u.clipping[STRICT] and not isfinite(u.clipping[NORM]):
        return False
    factor = u.clipping[MAX_NORM] / (u.clipping[NORM] + 1e-6)
    if not factor >= 1:  # NaN is not, and spreads
        scale[0] *= factor
    return True


cdef bint run_update(const Update *u, double scale, real dtype) noexcept nogil:
    """One step: all spans that are not frozen, their gradients times `scale`.

    False, and nothing has changed, if the norm of the gradients is not finite and that is an error.
    """
    cdef double[ADJUSTMENTS] adjust
    cdef const Span *span
    cdef bint adjusting
    cdef Py_ssize_t i
    cdef int k
    if u.clipping[MAX_NORM] == u.clipping[MAX_NORM]:
        if not clip(u, &scale, dtype):
            return False
    else:
        u.clipping[NORM] = NAN
    for k in range(u.groups):
        if not is_frozen(u, k):
            u.step[k] += 1
            advance(u.rule, u.hyper + k * HYPER_COUNT, u.step[k])
    adjust[SCALE], adjust[LIMIT] = scale, u.clipping[MAX_VALUE]
    for k in range(u.count):
        span = &u.spans[k]
        if is_frozen(u, span.group):
            continue
        adjust[L1], adjust[L2] = span.l1, span.l2
        adjusting = scale != 1 or adjust[LIMIT] != HUGE_VAL or span.l1 != 0 or span.l2 != 0
        i = span.start
        update_stretch(u.rule, u.kernel, u.hyper + span.group * HYPER_COUNT, u.step[span.group], <real *> u.param + i,
                       <const real *> u.grad + i, arrays.writable_at(<real *> u.s0, i),
                       arrays.writable_at(<real *> u.s1, i), arrays.writable_at(<real *> u.s2, i), span.stop - i,
                       adjust if adjusting else NULL)
        if span.cols != 0:
            run_max_norm(<real *> u.param + i, (span.stop - i) // span.cols, span.cols, span.max_norm)
    return True


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


cdef object LAST_STEP = 2**53  # exact as a double


cdef bint is_state(object state, object param, object grad, bint needed) noexcept:
    """Whether `state` can be updated beside param and grad as it is, or is None where it is not needed."""
    if state is None:
        return not needed
    return (arrays.is_plain_like(state, param) and arrays.is_writable(state) and arrays.apart(state, param)
            and arrays.apart(state, grad))


cdef class Rule:
    """The update `name` of flat arrays, in place."""
    cdef int rule, kernel, needed

    def __init__(self, str name):
        self.rule, self.needed = KINDS[name]
        self.kernel = dispatch.kernel_index(name, "update")

    def quick(self, hyper, step, param, grad, s0=None, s1=None, s2=None):
        """Update and return True, or do nothing and return False if the arguments are for the slow path."""
        if (dispatch.reference or not arrays.is_plain(param) or not arrays.is_writable(param)
                or not arrays.is_plain_like(grad, param) or not arrays.apart(grad, param)
                or not is_state(s0, param, grad, self.needed > 0) or not is_state(s1, param, grad, self.needed > 1)
                or not is_state(s2, param, grad, False)
                or not arrays.apart(s0, s1) or not arrays.apart(s0, s2) or not arrays.apart(s1, s2)
                or not arrays.is_plain(hyper) or not arrays.is_double(hyper) or arrays.size(hyper) != HYPER_COUNT
                or type(step) is not int or not 1 <= step <= LAST_STEP):
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
        advance(self.rule, h, step)
        if arrays.is_double(param):
            with nogil:
                update_stretch(self.rule, self.kernel, h, step, <double *> p, <double *> g, <double *> a, <double *> b,
                               <double *> c, n, NULL)
        else:
            with nogil:
                update_stretch(self.rule, self.kernel, h, step, <float *> p, <float *> g, <float *> a, <float *> b,
                               <float *> c, n, NULL)


RULES = {name: Rule(name) for name in KINDS}
