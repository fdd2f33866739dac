"""The gate for arrays, as Python calls it; Cython uses the inline functions of arrays.pxd."""

cimport numpy as cnp

cnp.import_array()


def plain(x):
    """Whether `x` is a float32 or float64 ndarray that C can read as it is."""
    return is_plain(x)
