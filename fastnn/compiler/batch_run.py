"""What a program is run on: rows of arrays, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

from .._validation import Array


@dataclass(slots=True)
class BatchRun:
    """The arguments of `executor.run_batches`: which rows to run on, how they are read, and what is written.

    Attributes
    ----------
    x : ndarray, shape (n, in_features)
        Inputs, of any real dtype and layout: unless they have the dtype of the program and lie in C order, they are
        converted into `staging`.
    target : ndarray, shape (n,) or (n, columns)
        Targets as the loss reads them: class indices of int64, or numbers, which are converted as inputs are.
    sample_weight : ndarray, shape (n,), or None
        A weight for each sample, of the dtype of the program.
    order : ndarray of int64, or None
        Row i of the run is row order[i] of the arrays, gathered into `staging`; without it, batches are read in place.
    start, stop : int
        The run is on rows start .. stop - 1, counted in `order` if there is one.
    batch_size : int
        Rows of a batch, 1 or more; the last batch may have fewer.
    staging : tuple of ndarray or None, or None
        Room for `batch_size` rows of x, target and sample_weight, where those are gathered and converted; for twice as
        many where rows that are mixed are converted.
    sums : ndarray of float64
        What is added up; the numbers of counters.py. It is read at the beginning and written at the end.
    train : bool
        Whether the tick by which dropout draws advances with each batch.
    halt : bool, default False
        Whether a batch whose loss is not finite raises NonFinite, and changes nothing.
    schedule : (hyper, places, table), optional
        Flat float64, int64, and float64 of shape (updates, places): before update i, counted from 0 in this run,
        hyper[places[j]] = table[i, j].
    losses : ndarray of float64, optional
        Is given the loss of each batch.
    penalties : ndarray of float64, optional
        Is given, for each batch, the value of the penalties before its update: l1 sum |w| + (l2 + weight_decay) / 2
        sum w^2 over the parameters that are updated, without a decay that is decoupled. 0 without an update.
    mix : (partner, shares), optional
        int64 and float64: row i is mixed with the row at partner[i] of the arrays, by the share of its batch; class
        indices become probabilities. It needs an order.
    scale : float, default 1.0
        Factor of x that consists of integers or float16.
    accumulate : int, default 1
        Parameters are updated after every so many batches, for which the program must have been planned, and after the
        last one. Such a group is all done or, like a batch that failed, none.
    mean_weight : float, default 0.0
        Above 0, the gradients of a mean over a batch are divided by its rows times this, instead of by its own weights.
    divisor : ndarray of float64, shape (1,), optional
        Is given what an update would divide accumulated gradients by: of the last group, or of all batches without one.
    """

    x: Array
    target: Array
    sample_weight: Array | None
    order: Array | None
    start: int
    stop: int
    batch_size: int
    staging: tuple[Array | None, ...] | None
    sums: Array
    train: bool
    halt: bool = False
    schedule: tuple[Array, Array, Array] | None = None
    losses: Array | None = None
    mix: tuple[Array, Array] | None = None
    scale: float = 1.0
    accumulate: int = 1
    mean_weight: float = 0.0
    penalties: Array | None = None
    divisor: Array | None = None
