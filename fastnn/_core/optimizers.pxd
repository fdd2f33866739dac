from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real
from fastnn._core.rules cimport fnn_clipping, fnn_hyper, fnn_rule

# A range of the flat buffers that is updated alike: the number of its parameter group, its penalties and, where the
# norms of the columns of a weight are limited, how many columns it has.
ctypedef struct Span:
    int64_t start
    int64_t stop
    int64_t group
    double l1
    double l2
    double max_norm
    int64_t cols  # 0 without a limit
    int64_t rows   # of the matrices that a rule updates as a whole; 0 for vectors, and where it works on elements
    int64_t width  # and their columns
    int64_t at0    # where their states begin, of such a rule
    int64_t at1

# The update of all parameters of a network.
ctypedef struct Update:
    const fnn_rule *rule
    int kernel
    int count   # of spans
    int groups
    const Span *spans
    fnn_hyper *hyper     # of each group
    int64_t *step        # of each group: steps done, without those at which it was frozen
    fnn_clipping *clipping
    void *param
    void *grad
    void *state0
    void *state1
    void *state2
    void *scratch  # of rules that work on whole matrices

cdef bint run_update(const Update *update, double scale, real dtype) noexcept nogil
cdef double penalty(const Update *update, real dtype) noexcept nogil
cdef void zero_grad(const Update *update, real dtype) noexcept nogil
cdef Update make_update(str rule, dict arrays_)
