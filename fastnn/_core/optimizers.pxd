from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real

# The hyperparameters of a rule, as doubles: Python writes them by name (optim/optimizer.py), C reads them by place.
cdef enum:
    LR, WEIGHT_DECAY, EPS, MOMENTUM, DAMPENING, NESTEROV, LR_DECAY, ALPHA, BETA1, BETA2, DECOUPLED, MAXIMIZE, COMPAT
    RHO, MOMENTUM_DECAY, MU_PRODUCT, ETA_MINUS, ETA_PLUS, SMALLEST_STEP, LARGEST_STEP, FROZEN
    HYPER_COUNT

cdef enum:
    SGD, ADAGRAD, RMSPROP, ADADELTA, ADAM, NADAM, RADAM, ADAMAX, LION, RPROP

# Whose arithmetic a rule has, as in fastnn/_compat.py.
cdef enum:
    TORCH, KERAS, SKLEARN, ONNX

# How gradients are clipped, as doubles: the largest norm (NaN where none is asked for), the largest value, whether a
# norm that is not finite is an error; and the norm that was found last.
cdef enum:
    MAX_NORM, MAX_VALUE, STRICT, NORM, CLIPPING_COUNT

# A stretch of the flat buffers that is updated alike: the hyperparameters of which group, which penalties; and, where a
# weight has a largest norm, its columns.
ctypedef struct Span:
    int64_t start
    int64_t stop
    int64_t group
    double l1
    double l2
    double max_norm
    int64_t cols  # 0 without

# The update of all parameters of a network.
ctypedef struct Update:
    int rule
    int kernel
    int count   # of spans
    int groups
    const Span *spans
    double *hyper  # HYPER_COUNT of each group
    double *clipping
    int64_t *step        # of each group: one that is frozen does not count
    void *param
    void *grad
    void *s0
    void *s1
    void *s2

cdef bint run_update(const Update *update, double scale, real dtype) noexcept nogil
cdef void zero_grad(const Update *update, real dtype) noexcept nogil
cdef Update make_update(str rule, dict arrays_)
