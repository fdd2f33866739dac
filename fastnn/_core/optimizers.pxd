from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real

# The hyperparameters of a rule, as doubles: Python writes them by name (optim/optimizer.py), C reads them by place.
cdef enum:
    LR, WEIGHT_DECAY, EPS, MOMENTUM, DAMPENING, NESTEROV, LR_DECAY, ALPHA, BETA1, BETA2, DECOUPLED, MAXIMIZE, COMPAT
    RHO, MOMENTUM_DECAY, MU_PRODUCT, ETA_MINUS, ETA_PLUS, SMALLEST_STEP, LARGEST_STEP
    HYPER_COUNT

cdef enum:
    SGD, ADAGRAD, RMSPROP, ADADELTA, ADAM, NADAM, RADAM, ADAMAX, LION, RPROP

# Whose arithmetic a rule has, as in fastnn/_compat.py.
cdef enum:
    TORCH, KERAS, SKLEARN, ONNX

ctypedef struct Update:
    int rule
    int kernel

cdef void run_update(const Update *update, double *hyper, int64_t step, real *param, const real *grad, real *s0,
                     real *s1, real *s2, Py_ssize_t n) noexcept nogil
cdef Update find_update(str name)
