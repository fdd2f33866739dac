"""The trainer: a network, a loss and an optimizer, compiled into one program a batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _validation as check
from .._core.program import BadLabel
from .._core.random import permutation
from ..nn.losses import Loss, PythonLoss, as_loss
from ..nn.sequential import Sequential
from ..optim import Optimizer
from ..program import Program
from .history import History
from .progress import Progress

Array = check.Array

SLICE_SECONDS = 0.1  # how often a long epoch comes up for the progress bar


class Trainer:
    """Trains a network: forward pass, loss, backward pass and update as one compiled program.

    Parameters
    ----------
    net : Sequential
    loss : Loss, or function
        An object such as `nn.CrossEntropyLoss()`, or a function (y_pred, y) -> (value, gradient) written in Python.
    optimizer : Optimizer
        Made from this network: `optim.Adam(net.parameters())`.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim
    >>> X, y = fastnn.data.make_moons(200, noise=0.1, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(net.parameters(), lr=0.05))
    >>> history = trainer.fit(X, y, epochs=30, batch_size=32, seed=0)
    >>> history["accuracy"][-1] > 0.9
    True
    """

    def __init__(self, net: Sequential, loss: Any, optimizer: Optimizer) -> None:
        if not isinstance(net, Sequential):
            raise TypeError(f"net must be a Sequential, got {type(net).__name__}")
        self.net = net
        self._epochs = 0  # trained so far, where fit was given no seed
        self._programs: dict[Any, Program] = {}
        self._version = net._version
        self._step: Callable[[Any, Any], float | None] | None = None  # the compiled short cut for plain arrays
        self.loss, self.optimizer = loss, optimizer

    @property
    def loss(self) -> Loss:
        """The loss; another one can be set at any time."""
        return self._loss

    @loss.setter
    def loss(self, loss: Any) -> None:
        loss = as_loss(loss)
        if loss.reduction == "none":
            raise ValueError('loss: reduction must be "mean" or "sum" to train, got "none"')
        self._loss = loss
        self._forget_programs()

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer; another one, made from the same network, can be set at any time."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer must be an optimizer of fastnn.optim, got {type(optimizer).__name__}")
        if optimizer.params is not self.net.parameters():
            raise ValueError("optimizer must be made from this network: optim.Adam(net.parameters())")
        self._optimizer = optimizer
        self._forget_programs()

    def _forget_programs(self) -> None:
        self._programs, self._step, self._version = {}, None, self.net._version

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_programs": {}, "_step": None}

    # -- one step
    # --------------------------------------------------------------------------------------------------------

    def step(self, x: Any, y: Any, sample_weight: Any = None) -> float:
        """Train on one batch: forward, loss, backward and update, in one compiled call.

        Parameters
        ----------
        x : ndarray, shape (rows, in_features), of the network's dtype
        y : ndarray
            What the loss takes as target: class indices of shape (rows,), or shape (rows, out_features).
        sample_weight : array of shape (rows,), optional

        Returns
        -------
        loss : float
            Of the batch, before the update.

        Raises
        ------
        TypeError, ValueError
            If an array does not fit, or a class index is out of range; the network is then as before.

        Notes
        -----
        The gradients of the batch replace those in `net.parameters().grad`. A loop of one's own, whose `net.backward`
        adds to them, begins with `optimizer.zero_grad()`.
        """
        self._check_current()
        if self._step is not None and sample_weight is None:
            loss = self._step(x, y)
            if loss is not None:
                return loss
        data = self._data(x, y, sample_weight)
        rows = data.x.shape[0]
        if rows == 0:
            raise ValueError("x must have at least one row")
        sums = np.zeros(5)
        program = self._run("step", data, None, 0, rows, rows, sums)
        if not isinstance(self.loss, PythonLoss):
            self._step = getattr(program.executor, "step", None)
        return float(sums[0])

    # -- many steps
    # ------------------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        shuffle: bool = True,
        seed: int | None = None,
        sample_weight: Any = None,
        validation_data: tuple[Any, ...] | None = None,
        validation_split: float = 0.0,
        progress: bool | str = "auto",
    ) -> History:
        """Train for a number of epochs; each is one compiled loop over shuffled batches.

        Parameters
        ----------
        x, y, sample_weight
            As for `step`, for all samples.
        epochs : int, default 1
        batch_size : int or None, default 32
            1 is stochastic, None batch gradient descent (all samples at once).
        shuffle : bool, default True
            Whether each epoch has an order of its own, drawn from (seed, epoch).
        seed : int, optional
            By default the network's, and epochs are counted on from earlier calls.
        validation_data : (x, y) or (x, y, sample_weight), optional
            Evaluated after each epoch.
        validation_split : float in [0, 1), default 0
            Share of the samples, the last ones, kept for validation instead.
        progress : bool or "auto", default "auto"
            Whether to show a bar; "auto" does on a terminal and in a notebook.

        Returns
        -------
        history : History

        Raises
        ------
        TypeError, ValueError
            If an argument does not fit. The network is as before, or, where a class index out of range turns up, as
            after the batches before it.

        Notes
        -----
        Ctrl-C ends the run between two batches, within about 200 ms: the history then holds the epochs before, with
        `interrupted` set, and network and optimizer go on working.
        """
        epochs = check.check_integer("epochs", epochs, at_least=0, at_most=check.MAX_ROWS)
        if not isinstance(shuffle, bool):
            raise TypeError(f"shuffle must be True or False, got {shuffle!r}")
        # Without a seed, epochs are counted on from call to call, so that a loop of short fits shuffles anew each time.
        first = self._epochs if seed is None else 0
        seed = self.net.seed if seed is None else check.check_seed(seed)
        data, validation = self._split(self._data(x, y, sample_weight), validation_data, validation_split)
        n = data.x.shape[0]
        batch = (
            n
            if batch_size is None
            else min(n, check.check_integer("batch_size", batch_size, at_least=1, at_most=check.MAX_ROWS))
        )
        history, bar = History(), Progress(progress, epochs, n)
        try:
            for epoch in range(epochs):
                order = permutation(seed, first + epoch, n) if shuffle else None
                started = time.perf_counter()
                values = self._epoch(data, order, batch, bar)
                values["seconds"] = time.perf_counter() - started
                if validation is not None:
                    scores = self._evaluate(validation, max(batch, 256))
                    values |= {f"val_{name}": value for name, value in scores.items()}
                history.rows.append(values)
                self._epochs = max(self._epochs, first + epoch + 1)
                bar.epoch(epoch + 1, values)
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            bar.close()
        return history

    def compile(self, batch_size: int = 32) -> Program:
        """The program of a training step for up to `batch_size` rows; print it to see its operations.

        Compiling beforehand is not needed: `step` and `fit` do it.

        Raises
        ------
        ValueError
            If the network takes any number of features, so that only data can tell.
        """
        if self.net.in_features is None:
            raise ValueError("this network takes any number of features: run a step first")
        x = np.empty((0, self.net.in_features), self.net.dtype)
        labels = self.loss.kind == "row_loss"
        return self._program("step", Data(x, x, None, labels), _rows("batch_size", batch_size))

    def evaluate(self, x: Any, y: Any, *, sample_weight: Any = None, batch_size: int = 256) -> dict[str, float]:
        """Loss and, for a classification loss, accuracy on data, in inference mode.

        Returns
        -------
        scores : dict
            "loss", and "accuracy" where it applies; exact over batches of different sizes.
        """
        return self._evaluate(self._data(x, y, sample_weight), _rows("batch_size", batch_size))

    # -- parts
    # -----------------------------------------------------------------------------------------------------------

    def _check_current(self) -> None:
        """See to it that programs are of the network as it is now."""
        if self._version != self.net._version:
            self._forget_programs()
        if self.optimizer.params.moved:
            raise RuntimeError("the network went into another one: make an optimizer and a trainer for that")

    def _epoch(self, data: Data, order: Array | None, batch: int, bar: Progress) -> dict[str, float]:
        """One pass over the data, in slices short enough to keep the bar moving."""
        n, sums = data.x.shape[0], np.zeros(5)
        start, size = 0, n if bar.bar is None else batch * 16
        while start < n:
            stop = min(n, start + size)
            began = time.perf_counter()
            self._run("step", data, order, start, stop, batch, sums)
            bar.advance(stop - start)
            per_sample = (time.perf_counter() - began) / (stop - start)
            size = max(batch, int(SLICE_SECONDS / max(per_sample, 1e-9)) // batch * batch)
            start = stop
        return self._scores(sums)

    def _evaluate(self, data: Data, batch: int) -> dict[str, float]:
        n, sums = data.x.shape[0], np.zeros(5)
        self._run("evaluate", data, None, 0, n, min(n, batch), sums)
        return self._scores(sums)

    def _run(
        self, mode: str, data: Data, order: Array | None, start: int, stop: int, batch: int, sums: Array
    ) -> Program:
        """Run the program for `mode` over rows start .. stop - 1, a batch at a time, and return it."""
        self._check_current()
        program = self._program(mode, data, batch)
        staging = None
        if isinstance(self.loss, PythonLoss) and order is None:
            order = np.arange(data.x.shape[0])  # Python reads the batch from an array: have it gathered
        if order is not None:
            staging = data.staging(program.batch_size)
        if isinstance(self.loss, PythonLoss):
            assert staging is not None
            self.loss.target, self.loss.weight = staging[1:]
        span = program.span("forward", "update" if mode == "step" else "loss")
        try:
            program.executor.run_batches(
                *span, data.x, data.y, data.weight, order, start, stop, batch, staging, sums, mode == "step"
            )
        except BadLabel as error:
            row, value = error.args
            row = int(order[row]) if order is not None else row
            raise ValueError(f"y[{row}] is {value}: class indices must be between 0 and {program.n_out - 1}") from None
        return program

    def _program(self, mode: str, data: Data, batch: int) -> Program:
        """The program for "step" or "evaluate" that takes at least `batch` rows; it is kept."""
        key = (mode, data.x.shape[1], data.labels)
        program = self._programs.get(key)
        if program is None or program.batch_size < batch:
            program = self.net.plan_program(
                mode,
                batch,
                data.x.shape[1],
                loss=self.loss,
                labels=data.labels,
                optimizer=self.optimizer if mode == "step" else None,
            )
            self._programs[key] = program
        return program

    def _data(self, x: Any, y: Any, sample_weight: Any) -> Data:
        rows, _ = self.net._input(x)
        n_out = self.net.out_features_for(rows.shape[1])
        target, labels = self.loss.prepare_target(y, rows.shape[0], n_out, rows.dtype)
        weight = None
        if sample_weight is not None:
            weight = check.as_weights("sample_weight", sample_weight, rows.dtype)
            check.check_shape("sample_weight", weight, (rows.shape[0],), "one a sample")
        return Data(rows, target, weight, labels)

    def _split(
        self, data: Data, validation_data: tuple[Any, ...] | None, validation_split: float
    ) -> tuple[Data, Data | None]:
        """The samples to train on and those to validate with."""
        share = check.check_number("validation_split", validation_split, at_least=0.0, below=1.0)
        if data.x.shape[0] == 0:
            raise ValueError("x must have at least one row")
        if validation_data is not None:
            if share:
                raise ValueError("give validation_data or validation_split, not both")
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                raise TypeError(f"validation_data must be (x, y) or (x, y, sample_weight), got {validation_data!r:.60}")
            return data, self._data(*(*validation_data, None)[:3])
        if not share:
            return data, None
        cut = data.x.shape[0] - math.ceil(share * data.x.shape[0])
        if cut < 1:
            raise ValueError(f"validation_split={share} leaves no sample of {data.x.shape[0]} to train on")
        return data[:cut], data[cut:]

    def _scores(self, sums: Array) -> dict[str, float]:
        _, total, weight, correct, samples = sums.tolist()
        if self.loss.reduction == "mean":
            total = total / weight if weight else math.nan
        scores = {"loss": math.sqrt(total) if self.loss.root else total}
        if samples:
            scores["accuracy"] = correct / samples
        return scores

    def __repr__(self) -> str:
        return f"Trainer(loss={self.loss!r}, optimizer={self.optimizer!r})\n{self.net!r}"


def _rows(name: str, value: Any) -> int:
    return check.check_integer(name, value, at_least=1, at_most=check.MAX_ROWS)


class Data:
    """Arrays as programs read them: a row for each sample."""

    def __init__(self, x: Array, y: Array, weight: Array | None, labels: bool) -> None:
        self.x, self.y, self.weight, self.labels = x, y, weight, labels
        self._staging: tuple[Array | None, ...] | None = None

    def __getitem__(self, rows: slice) -> Data:
        return Data(self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows], self.labels)

    def staging(self, batch: int) -> tuple[Array | None, ...]:
        """Room for the rows of a batch, gathered."""
        if self._staging is None or len(self._staging[0]) < batch:  # type: ignore[arg-type]
            arrays = (self.x, self.y, self.weight)
            self._staging = tuple(None if a is None else np.empty((batch, *a.shape[1:]), a.dtype) for a in arrays)
        return self._staging
