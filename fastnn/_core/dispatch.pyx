"""The choice of an instruction set: the best one at import, another by FASTNN_ISA or set_isa."""

import os
from contextvars import ContextVar

cdef extern from "fastnn.h" nogil:
    int fnn_isa_count()
    const fnn_isa *fnn_isa_at(int index)
    int fnn_isa_supported(int index)
    int fnn_kernel_count()
    const char *fnn_kernel_name(int index)
    const char *fnn_kernel_group(int index)


def available_isas():
    """Instruction sets that this build has kernels for and this machine can run, best first."""
    return [fnn_isa_at(i).name.decode() for i in range(fnn_isa_count()) if fnn_isa_supported(i)]


def get_isa():
    """Name of the instruction set in use."""
    return active.name.decode()


def set_isa(name):
    """Use the instruction set `name` from now on, in all threads; raises ValueError if it is not available."""
    global active
    for i in range(fnn_isa_count()):
        if fnn_isa_supported(i) and fnn_isa_at(i).name.decode() == name:
            active = fnn_isa_at(i)
            return
    raise ValueError(f"isa must be one of {', '.join(available_isas())} on this machine, got {name!r}")


cdef class Choice:
    """That single operations go to the NumPy reference, or not: what a context of its own holds."""
    cdef bint on

    def __cinit__(self, bint on):
        global reference
        self.on = on
        reference += on

    def __dealloc__(self):
        global reference
        reference -= self.on


CHOICE = ContextVar("fastnn_reference")
cdef Choice fallback = Choice(False)


def set_reference(bint on):
    """Send every single operation to the NumPy reference (or no longer), in this context: a thread, or a task."""
    CHOICE.set(Choice(on))


def set_default(bint on):
    """The same for all contexts that have not chosen."""
    global fallback
    fallback = Choice(on)


def get_choice():
    """What this context has chosen, for `set_choice`; None if nothing."""
    return CHOICE.get(None)


def set_choice(choice):
    """Let this context have chosen what `get_choice` gave."""
    CHOICE.set(choice)


def get_reference():
    """True while single operations of this context go to the NumPy reference."""
    cdef Choice choice
    if reference == 0:
        return False
    choice = CHOICE.get(None)
    return (fallback if choice is None else choice).on


def lanes():
    """Number of float32 values in a register of the instruction set in use."""
    return active.lanes


def kernels():
    """Every kernel of kernels.def, in its order: (name, group); the group is "" for a signature of its own."""
    return [(fnn_kernel_name(i).decode(), fnn_kernel_group(i).decode()) for i in range(fnn_kernel_count())]


cpdef int kernel_index(str name, str group) except -1:
    """The place of a kernel in the table, after a check that it has the signature of `group`."""
    index, found = PLACES[name]
    if found != group:
        raise TypeError(f"kernel {name} is of group {found!r}, not {group!r}")
    return index


PLACES = {name: (i, group) for i, (name, group) in enumerate(kernels())}
try:
    set_isa(os.environ.get("FASTNN_ISA") or available_isas()[0])
except ValueError as error:
    raise ValueError(f"FASTNN_ISA: {error}") from None
