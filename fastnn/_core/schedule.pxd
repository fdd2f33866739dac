"""Hyperparameters that change with each batch, set from a table."""

from libc.stdint cimport int64_t

from fastnn._core cimport arrays

ctypedef struct Schedule:
    double *hyper
    const int64_t *places  # index in hyper of the hyperparameter of each column of the table
    const double *table
    Py_ssize_t columns


cdef inline int read_schedule(Schedule *schedule, given, Py_ssize_t batches) except -1:
    """Read (hyper, places, table): flat float64, int64, and float64 of (batches, places); None for no schedule."""
    schedule.columns = 0
    if given is None:
        return 0
    cdef double[::1] hyper = given[0]
    cdef const int64_t[::1] places = given[1]
    cdef const double[:, ::1] table = given[2]
    if table.shape[0] < batches or table.shape[1] != places.shape[0]:
        raise ValueError(f"the table of rates must have shape {(batches, places.shape[0])}, got {given[2].shape}")
    if places.shape[0] and not (0 <= min(given[1]) and max(given[1]) < hyper.shape[0]):
        raise ValueError(f"places must be between 0 and {hyper.shape[0] - 1}, got {given[1]}")
    schedule.hyper = <double *> arrays.data(given[0])
    schedule.places = <const int64_t *> arrays.data(given[1])
    schedule.table = <const double *> arrays.data(given[2])
    schedule.columns = places.shape[0]
    return 0


cdef inline void set_rates(const Schedule *schedule, Py_ssize_t batch) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(schedule.columns):
        schedule.hyper[schedule.places[j]] = schedule.table[batch * schedule.columns + j]
