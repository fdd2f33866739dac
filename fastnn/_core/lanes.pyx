"""Workspaces for threads that run the forward pass of one program at the same time.

A lane is a copy of the operations of a program, with memory of its own for all that they write. A thread that finds the
program busy takes a lane; one call with many rows takes several, and its rows are divided between the threads. There
are at most as many lanes as processors, made when they are needed and kept with the program.
"""

from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

import numpy as np

from fastnn._core cimport arrays
from fastnn._core.interpreter cimport run_op
from fastnn._core.operations cimport DONE, LINEAR, ROLES
from fastnn._core.threads cimport fork_count, leave_place, parallel_for, processor_count, take_place, thread_count

cdef enum:
    ALIGNMENT = 64   # bytes: memory of a lane begins at the same place of a cache line as that of the program
    BLOCK_UNIT = 48  # rows of a block are a multiple of this: of the rows of a tile of products
    BLOCKS = 8       # blocks for each thread, at least, so that they end at about the same time

cdef double MULTIPLY_ADD = 0.012  # nanoseconds, as in linear.pyx
cdef double ELEMENT = 0.1         # nanoseconds an element of other operations, unless they say more

# One of the threads that share a call, and the first bad row that it found.
ctypedef struct Place:
    Op *ops
    int status
    Totals bad

# Rows that are divided between threads.
ctypedef struct Rows:
    const Forward *forward
    Place *places
    int *taken             # which places have a thread
    int n_places
    const char *x
    char *y
    Py_ssize_t x_bytes, y_bytes
    Py_ssize_t rows, block


cdef int run_forward(const Forward *forward, Op *ops, const void *x, void *y, Py_ssize_t rows,
                     Totals *totals) noexcept nogil:
    """Run the forward pass on a batch, in the workspace of `ops`."""
    cdef void *slots[SLOTS]
    cdef int i, status
    memset(slots, 0, sizeof(slots))
    slots[INPUT], slots[OUTPUT] = <void *> x, y
    for i in range(forward.n_fixups):
        if forward.fixups[i].op < forward.count:
            ops[forward.fixups[i].op].p[forward.fixups[i].role] = slots[forward.fixups[i].slot]
    for i in range(forward.count):
        status = run_op(&ops[i], totals, rows, 0, forward.dtype)
        if status != DONE:
            totals.bad_op = i
            return status
    return DONE


cdef void rows_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Run some blocks of rows, until one has a bad row."""
    cdef const Rows *w = <const Rows *> work
    cdef int number = take_place(w.taken, w.n_places)
    cdef Place *place = &w.places[number]
    cdef Totals totals
    cdef Py_ssize_t row, block
    cdef int status
    memset(&totals, 0, sizeof(totals))
    for block in range(start, stop):
        row = block * w.block
        status = run_forward(w.forward, place.ops, w.x + row * w.x_bytes, w.y + row * w.y_bytes,
                             min(w.block, w.rows - row), &totals)
        if status != DONE:
            totals.bad_row += row
            if place.status == DONE or totals.bad_row < place.bad.bad_row:
                place.status, place.bad = status, totals
            break
    leave_place(w.taken, number)


cdef class Lane:
    """A copy of operations, and the memory that they write."""

    def __cinit__(self, Lanes of):
        cdef uintptr_t old, new, address
        cdef Py_ssize_t nbytes
        cdef int i, role
        self.memory = []
        self.ops = <Op *> malloc(max(1, of.count) * sizeof(Op))
        if self.ops == NULL:
            raise MemoryError("no memory for a lane")
        memcpy(self.ops, of.ops, of.count * sizeof(Op))
        for block in of.blocks:
            nbytes = block.nbytes
            memory = np.empty(nbytes + ALIGNMENT, "uint8")
            old, new = <uintptr_t> arrays.data(block), <uintptr_t> arrays.data(memory)
            new += (old - new) % ALIGNMENT
            memcpy(<void *> new, <void *> old, nbytes)
            self.memory.append(memory)
            for i in range(of.count):
                for role in range(ROLES):
                    address = <uintptr_t> of.ops[i].p[role]
                    if old <= address < old + nbytes:
                        self.ops[i].p[role] = <void *> (new + (address - old))

    def __dealloc__(self):
        free(self.ops)


cdef class Lanes:
    """The lanes of a program; `blocks` is the memory that its forward pass writes, None if it cannot be shared."""

    def __init__(self, blocks, int dtype, Py_ssize_t x_bytes, Py_ssize_t y_bytes):
        self.blocks = None if blocks is None else [np.asarray(block) for block in blocks]
        self.dtype, self.x_bytes, self.y_bytes = dtype, x_bytes, y_bytes
        self.generation = -1

    cdef setup(self, Op *ops, int count, Fixup *fixups, int n_fixups):
        cdef int i
        self.ops, self.count, self.fixups, self.n_fixups = ops, count, fixups, n_fixups
        self.cost = 0
        for i in range(count):
            if ops[i].kind == LINEAR:
                self.cost += <double> ops[i].n_in * ops[i].n_out * MULTIPLY_ADD
            else:
                self.cost += max(ops[i].n_in, ops[i].n_out) * max(ops[i].cost, ELEMENT)

    cdef Lane take(self):
        """A lane that no other thread has; None if there is none."""
        if self.blocks is None:
            return None
        if self.generation != fork_count():
            self.free = [None] * processor_count()
            self.generation = fork_count()
        try:
            lane = self.free.pop()  # from the end: lanes that are there before others are made
        except IndexError:
            return None
        try:
            return Lane(self) if lane is None else lane
        except MemoryError:
            self.free.insert(0, None)
            return None

    cdef give(self, Lane lane):
        self.free.append(lane)

    cdef Forward forward(self) noexcept:
        return Forward(count=self.count, fixups=self.fixups, n_fixups=self.n_fixups, dtype=self.dtype)

    cdef int run(self, Lane lane, const void *x, void *y, Py_ssize_t rows, Totals *totals):
        """Run the forward pass on a batch in a lane."""
        cdef Forward forward = self.forward()
        cdef int status
        with nogil:
            status = run_forward(&forward, lane.ops, x, y, rows, totals)
        return status

    cdef list take_for(self, Py_ssize_t rows):
        """Lanes for the threads that share so many rows, as many as there are."""
        cdef list lanes = []
        cdef Py_ssize_t most = min(thread_count(), processor_count(), (rows + BLOCK_UNIT - 1) // BLOCK_UNIT)
        while len(lanes) < most:
            lane = self.take()
            if lane is None:
                break
            lanes.append(lane)
        return lanes

    cdef int run_rows(self, list lanes, const void *x, void *y, Py_ssize_t rows, Py_ssize_t most,
                      Totals *bad) except -1:
        """Run the forward pass on any number of rows, in blocks of at most `most`, in these lanes.

        The first bad row, if there is one, is in `bad`.
        """
        cdef Forward forward = self.forward()
        cdef Rows work
        cdef int i, status = DONE, n = len(lanes)
        cdef Py_ssize_t block = rows // (BLOCKS * n) // BLOCK_UNIT * BLOCK_UNIT
        cdef int *taken = <int *> calloc(n, sizeof(int))
        cdef Place *places = <Place *> calloc(n, sizeof(Place))
        if taken == NULL or places == NULL:
            free(taken)
            free(places)
            raise MemoryError("no memory to divide rows between threads")
        for i in range(n):
            places[i].ops, places[i].status = (<Lane> lanes[i]).ops, DONE
        work.forward, work.places, work.taken, work.n_places = &forward, places, taken, n
        work.x, work.y, work.x_bytes, work.y_bytes = <const char *> x, <char *> y, self.x_bytes, self.y_bytes
        work.rows, work.block = rows, min(most, max(block, BLOCK_UNIT))
        with nogil:
            if n == 1:  # without a share, so that the operations can be shared
                rows_task(&work, 0, (rows + work.block - 1) // work.block, NULL)
            else:
                parallel_for(rows_task, &work, (rows + work.block - 1) // work.block, 1, rows * self.cost)
        for i in range(n):
            if places[i].status != DONE and (status == DONE or places[i].bad.bad_row < bad.bad_row):
                status, bad[0] = places[i].status, places[i].bad
        free(taken)
        free(places)
        return status
