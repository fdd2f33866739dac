"""What batches add up, and groups of them that share an update: what must be as before if one is not done."""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnn._core.operations cimport RUNNING_MEAN, RUNNING, RUNNING_VAR, STEP, Op, Totals
from fastnn._core.optimizers cimport zero_grad

cdef enum:
    OWN_SUMS = 5  # numbers of the totals that sums have; what metrics count comes behind

ctypedef struct Group:
    Op *ops            # of the program
    int count
    int update         # the one that updates
    bint double_
    Totals totals      # before the group
    int64_t tick
    char *kept         # running statistics and sums before the group; NULL as long as there is no room
    Py_ssize_t sums    # how many there are, beside those in the totals


cdef inline Py_ssize_t keep_running(Group *group, bint back) noexcept nogil:
    """Copy running statistics to where they are kept, or back; returns how many bytes they take."""
    cdef Py_ssize_t size, at = 0
    cdef int i, j
    cdef int[3] roles = [RUNNING_MEAN, RUNNING_VAR, STEP]
    for i in range(group.count):
        if group.ops[i].kind != RUNNING:
            continue
        for j in range(3):
            size = sizeof(int64_t)
            if roles[j] != STEP:
                size = group.ops[i].n_in * <Py_ssize_t> (sizeof(double) if group.double_ else sizeof(float))
            if group.kept != NULL and back:
                memcpy(group.ops[i].p[roles[j]], group.kept + at, size)
            elif group.kept != NULL:
                memcpy(group.kept + at, group.ops[i].p[roles[j]], size)
            at += size
    return at


cdef inline void begin_group(Group *group, Totals *totals, const int64_t *tick) noexcept nogil:
    """Begin a group: gradients are 0, and the divisor of its update is that of its batches alone."""
    cdef char *sums = group.kept + keep_running(group, False)
    group.totals, group.tick = totals[0], tick[0]
    if group.sums:
        memcpy(sums, totals.sums, group.sums * sizeof(double))
    totals.divisor = 0
    if group.double_:
        zero_grad(&group.ops[group.update].update, <double> 0)
    else:
        zero_grad(&group.ops[group.update].update, <float> 0)


cdef inline void end_group(Group *group, Totals *totals, int64_t *tick, bint done) noexcept nogil:
    """Count a group that is done; leave everything as it was before one that is not."""
    cdef char *sums
    if done:
        return
    totals.loss, totals.loss_sum, totals.weight_sum = group.totals.loss, group.totals.loss_sum, group.totals.weight_sum
    totals.correct, totals.samples, tick[0] = group.totals.correct, group.totals.samples, group.tick
    sums = group.kept + keep_running(group, True)
    if group.sums:
        memcpy(totals.sums, sums, group.sums * sizeof(double))


cdef inline void read_totals(Totals *totals, double[::1] sums, double mean_weight=0.0) noexcept:
    totals.loss, totals.loss_sum, totals.weight_sum = sums[0], sums[1], sums[2]
    totals.correct, totals.samples = sums[3], sums[4]
    totals.mean_weight, totals.divisor = mean_weight, 0
    totals.sums = NULL
    if sums.shape[0] > OWN_SUMS:  # five are enough where nothing else is counted
        totals.sums = &sums[0]


cdef inline void write_totals(Totals *totals, double[::1] sums) noexcept:
    sums[0], sums[1], sums[2] = totals.loss, totals.loss_sum, totals.weight_sum
    sums[3], sums[4] = totals.correct, totals.samples
