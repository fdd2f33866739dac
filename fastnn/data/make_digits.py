"""Write ``digits.npz`` from the copy of the digits in scikit-learn: ``python -m fastnn.data.make_digits``.

Needed only to rebuild the file; `fastnn.data.load_digits` reads what is there. Two runs write the same
bytes: `numpy.savez_compressed` stamps no time, so only another zlib could pack the same arrays otherwise.
"""

from pathlib import Path

import numpy as np

from .digits import DIGITS_FILE


def write_digits(path: Path = DIGITS_FILE) -> None:
    """Write ``pixels`` (1797, 64) of 0..16 and ``labels`` (1797,), both uint8, to ``path``."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SystemExit("make_digits needs scikit-learn to copy from: pip install scikit-learn") from None
    pixels, labels = load_digits(return_X_y=True)
    np.savez_compressed(path, pixels=pixels.astype(np.uint8), labels=labels.astype(np.uint8))


if __name__ == "__main__":
    write_digits()
    print(f"{DIGITS_FILE}: {DIGITS_FILE.stat().st_size} bytes")
