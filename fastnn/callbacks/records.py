"""Callbacks that write down how a run goes: in a table, in the history, for TensorBoard."""

from __future__ import annotations

import csv
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..training.callback import Callback

if TYPE_CHECKING:
    from ..training.run import Run


class CSVLogger(Callback):
    """Writes a row for each epoch, at once, so that the file can be followed while the run goes on.

    Parameters
    ----------
    path : str or path-like
    append : bool, default False
        Go on with a file that is there, in its columns. (A run that is resumed writes its file anew, from its history.)

    Notes
    -----
    The columns are "epoch", counted from 1, and what the first row has; a record that turns up later has none. Numbers
    are written so that reading them gives the same bits.
    """

    def __init__(self, path: str | os.PathLike[str], append: bool = False) -> None:
        if not isinstance(append, bool):
            raise TypeError(f"append must be True or False, got {append!r}")
        self.path, self.append = os.fspath(path), append
        self._file: Any = None
        self._writer: csv.DictWriter[str] | None = None

    def on_train_begin(self, run: Run) -> None:
        columns = self._columns() if self.append and not run.resumed else None
        self._file = open(self.path, "w" if columns is None else "a", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = None if columns is None else self._table(columns)
        for i, row in enumerate(run.history.rows if run.resumed else ()):
            self._write(i + 1, row)

    def on_epoch_end(self, run: Run) -> None:
        self._write(run.epoch, run.logs)

    def on_train_end(self, run: Run) -> None:
        self._file.close()

    def _columns(self) -> list[str] | None:
        """Those of a file that is there and not empty."""
        if not os.path.exists(self.path):
            return None
        with open(self.path, newline="", encoding="utf-8") as file:
            return next(csv.reader(file), None)

    def _table(self, columns: list[str]) -> csv.DictWriter[str]:
        return csv.DictWriter(self._file, columns, extrasaction="ignore", lineterminator="\n")

    def _write(self, epoch: int, row: dict[str, float]) -> None:
        if self._writer is None:
            self._writer = self._table(["epoch", *row])
            self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **row})
        self._file.flush()


class LearningRateMonitor(Callback):
    """Records the learning rate with which an epoch began: `history["lr"]`."""

    def on_epoch_begin(self, run: Run) -> None:
        self.lr = run.optimizer.lr

    def on_epoch_end(self, run: Run) -> None:
        run.logs["lr"] = self.lr


class TensorBoard(Callback):
    """Writes the records of each epoch for TensorBoard.

    Parameters
    ----------
    log_dir : str or path-like
    histograms : bool, default False
        Write the distribution of every parameter as well.

    Raises
    ------
    ImportError
        When the run begins, if neither `torch.utils.tensorboard` nor `tensorboardX` can be imported.

    Notes
    -----
    Steps are epochs of this trainer, counted from 1. Records that other callbacks add are written if those come before
    this one in the list.
    """

    def __init__(self, log_dir: str | os.PathLike[str], histograms: bool = False) -> None:
        if not isinstance(histograms, bool):
            raise TypeError(f"histograms must be True or False, got {histograms!r}")
        self.log_dir, self.histograms = os.fspath(log_dir), histograms
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
    """The class SummaryWriter of whoever has one."""
    for name in ("torch.utils.tensorboard", "tensorboardX"):
        try:
            return import_module(name).SummaryWriter
        except ImportError:
            continue
    raise ImportError("TensorBoard needs a writer: pip install tensorboardX (or torch and tensorboard)")
