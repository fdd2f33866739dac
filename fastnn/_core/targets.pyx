"""Targets of losses: which a loss takes, whether they are such, and rows of class indices as counts of classes."""

cimport numpy as cnp
from libc.stdint cimport int64_t

from fastnn._core cimport arrays

cnp.import_array()

ctypedef Py_ssize_t (*BadTarget)(const void *target, Py_ssize_t n, int kind) noexcept nogil
ctypedef Py_ssize_t (*MultiHot)(const int64_t *labels, Py_ssize_t width, void *counts, Py_ssize_t rows,
                                Py_ssize_t classes) noexcept nogil

cdef extern from "elements.h" nogil:
    Py_ssize_t fnn_bad_label(const int64_t *labels, Py_ssize_t rows, Py_ssize_t classes, int64_t ignored)
    const BadTarget[2] fnn_bad_target
    const MultiHot[2] fnn_multi_hot

TARGET_KINDS = {
    "binary_cross_entropy": SHARES, "binary_cross_entropy_with_logits": SHARES,
    "binary_cross_entropy_with_logits_pos_weight": SHARES, "sigmoid_focal_loss": SHARES,
    "hinge_loss": SIGNS, "soft_margin_loss": SIGNS, "hinge_embedding_loss": SIGNS, "margin_ranking_loss": SIGNS,
    "multilabel_soft_margin_loss": SHARES, "multilabel_margin_loss": NOT_NEGATIVE,
}


def target_kind(kernel, params=()):
    """What targets of a loss may be, by its kernel and the parameters of that."""
    if kernel == "tweedie_loss":  # the power is its first
        return POSITIVE if params[0] >= 2 else NOT_NEGATIVE if params[0] >= 1 else ANY
    return TARGET_KINDS.get(kernel, ANY)


cdef Py_ssize_t bad_label(const int64_t *labels, Py_ssize_t rows, Py_ssize_t cols, int64_t ignored) noexcept nogil:
    """The first row whose label is not in 0 .. cols - 1, nor the one that is ignored; or -1."""
    return fnn_bad_label(labels, rows, cols, ignored)


def first_bad_label(const int64_t[::1] labels, Py_ssize_t cols, int64_t ignored):
    """The first index whose label is not in 0 .. cols - 1, nor the one that is ignored; or -1."""
    return bad_label(&labels[0], labels.shape[0], cols, ignored) if labels.shape[0] else -1


cdef Py_ssize_t first_bad(int dtype, const void *target, Py_ssize_t n, int kind) noexcept nogil:
    """The place of the first of n targets that is not of its kind, or -1. NaN passes: its loss is NaN."""
    return fnn_bad_target[dtype](target, n, kind)


def first_bad_target(target, int kind):
    """The place, in C order, of the first target of a plain array that is not of its kind, or -1."""
    if not arrays.is_plain(target):
        raise TypeError("target must be plain")
    return first_bad(arrays.dtype_of(target), arrays.data(target), arrays.size(target), kind)


def multi_hot(const int64_t[:, ::1] labels, counts):
    """Fill a plain matrix with how often each class is among the labels of each row, which end at a negative one.

    Returns the place, in C order, of the first label that is no column of `counts`, or -1.
    """
    cdef Py_ssize_t rows = labels.shape[0], width = labels.shape[1]
    if not arrays.is_matrix(counts) or cnp.PyArray_DIM(<cnp.ndarray> counts, 0) != rows:
        raise TypeError("counts must be a plain matrix with a row for each of labels")
    return fnn_multi_hot[arrays.dtype_of(counts)](&labels[0, 0] if rows and width else NULL, width,
                                                  arrays.data(counts), rows, cnp.PyArray_DIM(<cnp.ndarray> counts, 1))
