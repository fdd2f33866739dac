"""Mini-batches, for a training loop that is written by hand."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import errors_of_use
from ._checks import check_integer, check_samples, check_seed


@errors_of_use
def batches(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    batch_size: int,
    shuffle: bool = False,
    seed: int | None = None,
    drop_last: bool = False,
) -> Iterator[NDArray] | Iterator[tuple[NDArray, NDArray]]:
    """Iterate once over the samples, ``batch_size`` at a time.

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Samples along the first axis, of any dtype.
    y : array_like, shape (n, ...), optional
        Targets, one for each sample, of any dtype.
    batch_size : int
        Samples in a batch, 1 or more; the last batch has the rest.
    shuffle : bool, default False
        Visit the samples in the order ``fastnn.reference.random.permutation(seed, 0, n)``, which is also
        how the trainer shuffles.
    seed : int, optional
        From 0 to 2**64 - 1; the same seed gives the same order on every machine. None draws one from the
        operating system's entropy. One call is one epoch, so each epoch needs another seed.
    drop_last : bool, default False
        Leave out a last batch with fewer than ``batch_size`` samples.

    Returns
    -------
    iterator of ndarray, or of (ndarray, ndarray) when ``y`` is given
        The batches are copies: writing to one does not change ``x`` and ``y``. NaN is copied as it is.

    Raises
    ------
    ValueError
        If ``x`` and ``y`` differ in length, ``batch_size < 1``, or ``seed`` is out of range.
    TypeError
        If ``batch_size`` or ``seed`` is not an integer, or an array is masked or sparse.

    Notes
    -----
    The names of the arguments are those of `torch.utils.data.DataLoader`. Errors are raised by the call itself, not by
    the first batch.

    Examples
    --------
    >>> from fastnn.data import batches
    >>> [b.tolist() for b in batches([1, 2, 3, 4, 5], batch_size=2)]
    [[1, 2], [3, 4], [5]]
    >>> [(x.tolist(), y.tolist()) for x, y in batches([1, 2, 3], [0, 1, 0], batch_size=2, drop_last=True)]
    [([1, 2], [0, 1])]
    """
    arrays = check_samples({"x": x} if y is None else {"x": x, "y": y})
    batch_size = check_integer("batch_size", batch_size, 1)
    seed = check_seed(seed)
    order = _shuffled(len(arrays[0]), seed) if shuffle else np.arange(len(arrays[0]))
    if drop_last:
        order = order[: len(order) - len(order) % batch_size]
    return _cut(arrays, order, batch_size)


def _shuffled(n: int, seed: int | None) -> NDArray[np.int64]:
    """The order of n samples for a seed."""
    from ..reference.random import permutation  # loaded only if it is needed

    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return permutation(seed, 0, n)


def _cut(arrays: list[NDArray], order: NDArray, batch_size: int) -> Iterator:
    """Generate the batches: the rows of each array in this order."""
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = tuple(array[rows] for array in arrays)
        yield batch if len(batch) > 1 else batch[0]
