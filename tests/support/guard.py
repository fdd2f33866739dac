"""Arrays between two pages that nobody may touch: one byte read or written outside ends the process."""

import ctypes
import mmap

import numpy as np

PROT_NONE = 0
_libc = ctypes.CDLL(None, use_errno=True)


class Guard:
    """Room for an array of up to `capacity` bytes, with a forbidden page before and behind it."""

    def __init__(self, capacity=mmap.PAGESIZE):
        pages = -(-capacity // mmap.PAGESIZE)
        self._bytes = np.frombuffer(mmap.mmap(-1, (pages + 2) * mmap.PAGESIZE), "uint8")
        self._room = self._bytes[mmap.PAGESIZE : -mmap.PAGESIZE]
        for start in (0, (pages + 1) * mmap.PAGESIZE):
            _forbid(self._bytes.ctypes.data + start, mmap.PAGESIZE)

    def hold(self, array, end):
        """A copy of `array` that touches the page behind it (end=True) or the one before it."""
        room = self._room[self._room.size - array.nbytes :] if end else self._room[: array.nbytes]
        held = room.view(array.dtype).reshape(array.shape)
        held[...] = array
        return held


def _forbid(address, size):
    if _libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), PROT_NONE) != 0:
        raise OSError(ctypes.get_errno(), "mprotect failed")
