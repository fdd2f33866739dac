"""The check of arrays for Python; Cython uses the inline functions of arrays.pxd."""

cimport numpy as cnp

cnp.import_array()


def plain(x):
    """Whether `x` is a float32 or float64 ndarray that C can read: contiguous, aligned, native byte order."""
    return is_plain(x)
