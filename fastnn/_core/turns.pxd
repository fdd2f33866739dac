"""One run of a program at a time: a lock that threads of Python wait for, and that a forked child makes again."""

from cpython.pythread cimport (
    NOWAIT_LOCK, WAIT_LOCK, PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock,
    PyThread_get_thread_ident, PyThread_release_lock, PyThread_type_lock,
)

from fastnn._core.threads cimport fork_count

ctypedef struct Turns:
    PyThread_type_lock lock
    unsigned long owner   # the thread that runs the program, 0 if none does
    int generation        # forks when the lock was made: in a child, the thread that held it may not exist


cdef inline int open_turns(Turns *turns) except -1:
    """Make the lock; without memory for it the turns stay as they were, and the next one tries again."""
    cdef PyThread_type_lock lock = PyThread_allocate_lock()
    if lock == NULL:
        raise MemoryError("no memory for the lock of a program")
    turns.lock, turns.owner, turns.generation = lock, 0, fork_count()
    return 0


cdef inline void close_turns(Turns *turns) noexcept:
    if turns.lock != NULL:
        PyThread_free_lock(turns.lock)


cdef inline int try_turn(Turns *turns) except -1:
    """Take the turn and return 1 if no other thread runs the program; otherwise return 0."""
    cdef unsigned long me = PyThread_get_thread_ident()
    if turns.generation != fork_count():
        open_turns(turns)
    if turns.owner == me:
        raise RuntimeError("this network is running already: Python code in it must not run it again")
    if not PyThread_acquire_lock(turns.lock, NOWAIT_LOCK):
        return 0
    turns.owner = me
    return 1


cdef inline int take_turn(Turns *turns) except -1:
    """Wait until no other thread runs the program. The GIL is given up meanwhile: that thread may need it."""
    if not try_turn(turns):
        with nogil:
            PyThread_acquire_lock(turns.lock, WAIT_LOCK)
        turns.owner = PyThread_get_thread_ident()
    return 0


cdef inline void end_turn(Turns *turns) noexcept:
    turns.owner = 0
    PyThread_release_lock(turns.lock)
