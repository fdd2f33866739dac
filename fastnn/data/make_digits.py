"""Write ``digits.npz`` from the copy of the digits in scikit-learn: ``python -m fastnn.data.make_digits``.

Needed only to rebuild the file, which `fastnn.data.load_digits` reads. `numpy.savez_compressed` writes no time stamps,
so the bytes of the file depend only on the arrays and the version of zlib.
"""

from pathlib import Path

import numpy as np

from .digits import DIGITS_FILE


def write_digits(path: Path = DIGITS_FILE) -> None:
    """Write ``pixels`` (1797, 64) of 0..16 and ``labels`` (1797,), both uint8, to ``path``.

    Parameters
    ----------
    path : pathlib.Path, default ``digits.npz`` beside this module

    Raises
    ------
    SystemExit
        If scikit-learn is not installed.
    OSError
        If the file cannot be written.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SystemExit("make_digits needs scikit-learn to copy from: pip install scikit-learn") from None
    pixels, labels = load_digits(return_X_y=True)
    np.savez_compressed(path, pixels=pixels.astype(np.uint8), labels=labels.astype(np.uint8))


if __name__ == "__main__":
    write_digits()
    print(f"{DIGITS_FILE}: {DIGITS_FILE.stat().st_size} bytes")
