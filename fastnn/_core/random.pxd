"""Random permutations, without the GIL."""

from libc.stdint cimport int64_t, uint64_t

# Fill `out` with the numbers 0 .. n - 1 in the order of a stream.
cdef void fill_permutation(uint64_t seed, uint64_t stream, int64_t *out, Py_ssize_t n) noexcept nogil
