from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport fnn_adjustment, fnn_coefficients, real

cdef extern from "rules.h" nogil:
    enum:
        FNN_HYPER_COUNT
        FNN_CLIPPING_COUNT
    const char *FNN_HYPERPARAMETER_NAMES
    const char *FNN_SWITCH_NAMES
    const char *FNN_CLIPPING_NAMES
    struct fnn_hyper:  # of a parameter group; the rest of its fields are C's alone
        double lr, weight_decay, momentum, decoupled, nesterov, eps, maximize, frozen, evaluating
        double beta2_decay, eps1, eps2, d, ns_a, ns_b, ns_c, ns_steps, adjust_lr_fn, transposed
    struct fnn_clipping:
        double max_grad_norm, max_grad_value, error_if_nonfinite, grad_norm
    struct fnn_rule:
        const char *name
        int states, momentum_state
        void (*advance)(fnn_hyper *hyper, int64_t step) noexcept nogil
        int whole
    enum:
        FNN_ORIGINAL
        FNN_MATCH_RMS_ADAMW
        FNN_ELEMENTS
        FNN_ADAFACTOR
        FNN_MUON
    const fnn_rule *fnn_rules
    void fnn_set_coefficients(const fnn_rule *rule, const fnn_hyper *hyper, int64_t step,
                              fnn_coefficients *coefficients)


cdef class Rule:
    cdef const fnn_rule *rule
    cdef int kernel
    cpdef run(self, hyper, int64_t step, param, grad, state0=*, state1=*, state2=*)


cdef inline void advance(const fnn_rule *rule, fnn_hyper *hyper, int64_t step) noexcept nogil:
    """Bring what a rule keeps among its hyperparameters to this step: the product of NAdam's momenta."""
    if rule.advance != NULL:
        rule.advance(hyper, step)


cdef void run_rule(const fnn_rule *rule, int kernel, const fnn_hyper *hyper, int64_t step, real *param,
                   const real *grad, real *state0, real *state1, real *state2, Py_ssize_t n,
                   const fnn_adjustment *adjustment) noexcept nogil
cdef void set_coefficients(const fnn_rule *rule, const fnn_hyper *hyper, int64_t step,
                           fnn_coefficients *coefficients) noexcept nogil
cdef void run_kernel(int kernel, const fnn_coefficients *coefficients, real *param, const real *grad, real *state0,
                     real *state1, real *state2, Py_ssize_t n, const fnn_adjustment *adjustment) noexcept nogil
