"""Callbacks that record a run: in a table, in the history, for TensorBoard."""

from __future__ import annotations

import csv
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..training.callback import Callback
from ..training.paths import check_path

if TYPE_CHECKING:
    from ..training.run import Run


class CSVLogger(Callback):
    """Writes a row of a CSV file after each epoch, so that the file can be followed during the run.

    Parameters
    ----------
    path : str or path-like
    append : bool, default False
        Append to an existing file, with its columns; otherwise it is overwritten. (A run that is resumed always writes
        the whole file, from its history.)

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    OSError
        When the run begins, if the file cannot be written.

    Notes
    -----
    The columns are "epoch", counted from 1 in each run, and the records of the first epoch; records that first appear
    later are not written, but for those of validation, which are empty in epochs without it. Numbers are written so
    that reading them gives the same bits; NaN is written as "nan". Source: `keras.callbacks.CSVLogger`, which counts
    epochs from 0.

    Examples
    --------
    >>> import fastnn, pathlib, tempfile
    >>> import numpy as np
    >>> from fastnn import callbacks, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
    >>> x, y = np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "log.csv")
    ...     history = trainer.fit(x, y, epochs=2, callbacks=[callbacks.CSVLogger(path)])
    ...     lines = path.read_text().splitlines()
    >>> lines[0], len(lines)
    ('epoch,loss,seconds', 3)
    """

    def __init__(self, path: str | os.PathLike[str], append: bool = False) -> None:
        if not isinstance(append, bool):
            raise TypeError(f"append must be True or False, got {append!r}")
        self.path, self.append = check_path("path", path), append
        self._file: Any = None
        self._writer: csv.DictWriter[str] | None = None

    def on_train_begin(self, run: Run) -> None:
        columns = self._columns() if self.append and not run.resumed else None
        self._file = open(self.path, "w" if columns is None else "a", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = None if columns is None else self._table(columns)
        for i, row in enumerate(run.history.rows if run.resumed else (), run.initial_epoch + 1):
            self._write(i, row, run)

    def on_epoch_end(self, run: Run) -> None:
        self._write(run.epoch, run.logs, run)

    def on_train_end(self, run: Run) -> None:
        self._file.close()

    def _columns(self) -> list[str] | None:
        """The columns of an existing file; None if there is none or it is empty."""
        if not os.path.exists(self.path):
            return None
        with open(self.path, newline="", encoding="utf-8") as file:
            return next(csv.reader(file), None)

    def _table(self, columns: list[str]) -> csv.DictWriter[str]:
        return csv.DictWriter(self._file, columns, extrasaction="ignore", lineterminator="\n")

    def _write(self, epoch: int, row: dict[str, float], run: Run) -> None:
        if self._writer is None:
            self._writer = self._table(list(dict.fromkeys(["epoch", *row, *run.validation_names(row)])))
            self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **row})
        self._file.flush()


class LearningRateMonitor(Callback):
    """Records the learning rate at the beginning of each epoch as "lr".

    Notes
    -----
    It is the rate of the first parameter group. A trainer with a scheduler records "lr" without this callback; use it
    where a callback of your own changes `run.optimizer.lr`. Source: `lightning.pytorch.callbacks.LearningRateMonitor`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import callbacks, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.25))
    >>> x = np.ones((4, 1), "float32")
    >>> trainer.fit(x, x, epochs=2, callbacks=[callbacks.LearningRateMonitor()])["lr"]
    [0.25, 0.25]
    """

    def on_epoch_begin(self, run: Run) -> None:
        self.lr = run.optimizer.lr

    def on_epoch_end(self, run: Run) -> None:
        run.logs["lr"] = self.lr


class TensorBoard(Callback):
    """Writes the records of each epoch for TensorBoard.

    Parameters
    ----------
    log_dir : str or path-like
        Folder of the event files; made if it does not exist.
    histograms : bool, default False
        Also write a histogram of each parameter.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ImportError
        When the run begins, if neither `torch.utils.tensorboard` nor `tensorboardX` can be imported.

    Notes
    -----
    Steps are epochs of the trainer, counted from 1 over several calls of `fit` without a seed. Records that other
    callbacks add are written if those come before this one in the list. Source: `keras.callbacks.TensorBoard`.

    Examples
    --------
    >>> from fastnn import callbacks
    >>> logger = callbacks.TensorBoard("runs/first", histograms=True)  # for trainer.fit(..., callbacks=[logger])
    >>> logger.log_dir
    'runs/first'
    """

    def __init__(self, log_dir: str | os.PathLike[str], histograms: bool = False) -> None:
        if not isinstance(histograms, bool):
            raise TypeError(f"histograms must be True or False, got {histograms!r}")
        self.log_dir, self.histograms = check_path("log_dir", log_dir), histograms
        self._writer: Any = None

    def on_train_begin(self, run: Run) -> None:
        self._writer = _summary_writer()(log_dir=self.log_dir)

    def on_epoch_end(self, run: Run) -> None:
        step = run.first + run.epoch
        for name, value in run.logs.items():
            self._writer.add_scalar(name, value, step)
        if self.histograms:
            for name, view in run.net.named_parameters():
                self._writer.add_histogram(name, view, step)
        self._writer.flush()

    def on_train_end(self, run: Run) -> None:
        self._writer.close()


def _summary_writer() -> Any:
    """The class SummaryWriter of the first library that can be imported."""
    for name in ("torch.utils.tensorboard", "tensorboardX"):
        try:
            return import_module(name).SummaryWriter
        except ImportError:
            continue
    raise ImportError("TensorBoard needs a writer: pip install tensorboardX (or torch and tensorboard)")
