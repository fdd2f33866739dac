"""Handwritten digits: 1797 images of 8 x 8 pixels, real data without a download.

Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
Repository, 1998, https://doi.org/10.24432/C50P49. This is the test part of that set (13 writers), in the
copy that scikit-learn ships; ``make_digits.py`` wrote ``digits.npz`` from it, pixels and order unchanged.

Licence: Creative Commons Attribution 4.0 International (CC BY 4.0),
https://creativecommons.org/licenses/by/4.0/. It covers the data only, not the code of fastnn.
"""

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._frames import errors_of_use
from ._checks import check_dtype

DIGITS_FILE = Path(__file__).with_name("digits.npz")
MAX_PIXEL = 16  # a pixel counts the dark points in a 4 x 4 block of the scan


@errors_of_use
def load_digits(*, dtype: DTypeLike = "float32") -> tuple[NDArray, NDArray[np.int64]]:
    """Load the handwritten digits, with pixels scaled to 0..1.

        X = pixels / 16           # exact in both dtypes

    Parameters
    ----------
    dtype : {"float32", "float64"}, default "float32"
        Type of ``X``.

    Returns
    -------
    X : ndarray of dtype, shape (1797, 64)
        One image in a row, its 8 rows of 8 pixels one after the other; 0 is paper, 1 is ink. No NaN.
    y : ndarray of int64, shape (1797,)
        The digit, 0 to 9.

    Raises
    ------
    TypeError
        If ``dtype`` is neither float32 nor float64.

    Notes
    -----
    Rows are in the order of `sklearn.datasets.load_digits`; each call returns new arrays. Source: Alpaydin and Kaynak,
    *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998, licensed under CC BY 4.0.

    Examples
    --------
    >>> from fastnn.data import load_digits
    >>> X, y = load_digits()
    >>> X.shape, X.dtype, y[:5].tolist()
    ((1797, 64), dtype('float32'), [0, 1, 2, 3, 4])
    """
    dtype = check_dtype(dtype)
    with np.load(DIGITS_FILE) as stored:
        return stored["pixels"].astype(dtype) / MAX_PIXEL, stored["labels"].astype(np.int64)
