"""Counter-based random numbers: any part of a stream can be drawn without the part before it.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). A
seed and a stream, integers of 64 bits, select a sequence of 32-bit words; there is no state between calls.
"""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._core.quantile import MIDDLE, TAIL, ratio
from .elementary import Array

__all__ = ["normal", "permutation", "philox4x32", "philox_uint32", "uniform"]

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_INCREMENTS = (0x9E3779B9, 0xBB67AE85)  # Weyl sequence: golden ratio and sqrt(3) - 1
LOW_32 = 0xFFFFFFFF


def philox4x32(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the Philox4x32-10 block of every counter.

    Parameters
    ----------
    counter : ndarray of uint32, shape (..., 4)
    key : ndarray of uint32, shape (2,)

    Returns
    -------
    ndarray of uint32, shape (..., 4)
    """
    c0, c1, c2, c3 = np.moveaxis(counter.astype(np.uint64), -1, 0)
    k0, k1 = (int(word) for word in key)
    for _ in range(ROUNDS):
        product0, product1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2  # 32 x 32 bits in uint64: exact
        c0, c1 = (product1 >> 32) ^ c1 ^ k0, product1 & LOW_32
        c2, c3 = (product0 >> 32) ^ c3 ^ k1, product0 & LOW_32
        k0, k1 = (k0 + KEY_INCREMENTS[0]) & LOW_32, (k1 + KEY_INCREMENTS[1]) & LOW_32
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def philox_uint32(seed: int, stream: int, start: int, n: int) -> NDArray[np.uint32]:
    """Return the words number start .. start + n - 1 of a stream, shape (n,).

    Word w is word w % 4 of block b = w // 4, whose counter is (b, stream) and whose key is the seed; each is
    64 bits, written as its low word, then its high word.
    """
    first_block, end_block = start // 4, (start + n + 3) // 4
    block = np.uint64(first_block) + np.arange(end_block - first_block, dtype=np.uint64)
    counter = np.empty((len(block), 4), dtype=np.uint32)
    counter[:, 0], counter[:, 1] = block & LOW_32, block >> 32
    counter[:, 2:] = _words(stream)
    offset = start - 4 * first_block
    return philox4x32(counter, _words(seed)).reshape(-1)[offset : offset + n]


def uniform(seed: int, stream: int, start: int, n: int, dtype: DTypeLike) -> Array:
    """Return the values number start .. start + n - 1 of a stream, uniform on [0, 1), shape (n,).

    float32: the top 24 bits of one word, times 2**-24. float64: 27 bits of one word above 26 bits of the
    next, times 2**-53. Both are exact, and never 1.
    """
    if np.dtype(dtype) == np.float32:
        return (philox_uint32(seed, stream, start, n) >> 8).astype(np.float32) * 2.0**-24
    words = philox_uint32(seed, stream, 2 * start, 2 * n).astype(np.uint64)
    return (((words[0::2] >> 5) << 26) + (words[1::2] >> 6)).astype(np.float64) * 2.0**-53


def normal(seed: int, stream: int, start: int, n: int, dtype: DTypeLike) -> Array:
    """Return the values number start .. start + n - 1 of a stream of normal numbers, shape (n,).

    Each is computed from one word, read as a signed integer: it has its sign, and its tail probability is the other 31
    bits (of the complement, if negative) plus 1/2, times 2**-32. The largest is 6.2. Computed in float64 or wider, by
    Wichura's algorithm AS 241, whose third branch is never needed.
    """
    words = philox_uint32(seed, stream, start, n).view(np.int32)
    tail = ((words ^ (words >> 31)).astype(np.result_type(dtype, np.float64)) + 0.5) * 2.0**-32
    q = 0.5 - tail
    z = np.where(q <= 0.425, q * ratio(MIDDLE, 0.180625 - q * q), ratio(TAIL, np.sqrt(-np.log(tail)) - 1.6))
    return np.copysign(z, words).astype(dtype)


def permutation(seed: int, stream: int, n: int) -> NDArray[np.int64]:
    """Return a random order of 0 .. n - 1: Fisher-Yates shuffle from the end, one word per swap.

    Word n - 1 - i of the stream chooses the partner of i = n - 1 .. 1 as floor(word * (i + 1) / 2**32). For
    n < 2**32; without rejection, so the probability of a partner is off by up to n * 2**-32 of itself.
    """
    tops = np.arange(n - 1, 0, -1, dtype=np.uint64)
    partners = (philox_uint32(seed, stream, 0, len(tops)) * (tops + 1)) >> 32
    order = list(range(n))
    for top, partner in zip(tops.tolist(), partners.tolist(), strict=True):
        order[top], order[partner] = order[partner], order[top]
    return np.array(order, dtype=np.int64)


def _words(value: int) -> NDArray[np.uint32]:
    """Return the low and the high word of a 64-bit integer."""
    return np.array([value & LOW_32, (value >> 32) & LOW_32], dtype=np.uint32)
