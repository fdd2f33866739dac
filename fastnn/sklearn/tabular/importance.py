"""Permutation importance on encoded rows: no column is encoded twice, and networks see large batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._validation import Array

ROWS = 1 << 16  # rows of permuted copies that are predicted at a time


def permutation_importances(
    predict: Callable[[Array], Array],
    score: Callable[[Array], float],
    matrix: Array,
    groups: list[list[int]],
    repeats: int,
    rng: Any,
) -> Array:
    """How much the score falls when a column of the table is permuted.

    Parameters
    ----------
    predict : function
        Predictions, with a row for each, of rows of the matrix.
    score : function
        The score of the predictions for all rows, in their order.
    matrix : ndarray, shape (rows, columns)
    groups : list of lists
        For each column of the table the columns of the matrix that come of it; they are permuted together.
    repeats : int
    rng : RandomState

    Returns
    -------
    falls : ndarray, shape (len(groups), repeats)

    Notes
    -----
    Source: Breiman, "Random Forests", Machine Learning 2001; the numbers are those of
    `sklearn.inspection.permutation_importance` for the same permutations.
    """
    rows = len(matrix)
    full = score(predict(matrix))
    falls = np.zeros((len(groups), repeats))
    copies = max(1, min(repeats, ROWS // max(1, rows)))
    for i, places in enumerate(groups):
        orders = [rng.permutation(rows) for _ in range(repeats)]
        if not places:
            continue
        for first in range(0, repeats, copies):
            some = orders[first : first + copies]
            stacked = np.tile(matrix, (len(some), 1))
            for j, order in enumerate(some):
                stacked[j * rows : (j + 1) * rows, places] = matrix[np.ix_(order, places)]
            predicted = predict(stacked)
            for j in range(len(some)):
                falls[i, first + j] = full - score(predicted[j * rows : (j + 1) * rows])
    return falls
