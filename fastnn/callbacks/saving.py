"""Saving a run, or its network, while it trains."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .. import _schema as schema
from .. import _validation as check
from ..training.callback import Callback
from ..training.monitor import Monitor
from ..training.paths import check_path

if TYPE_CHECKING:
    from ..training.run import Run

STATE = schema.record({"best": schema.number()})


class ModelCheckpoint(Callback):
    """Saves the run or the network after epochs.

    Parameters
    ----------
    path : str or path-like
        The file. It may have the fields `{epoch}`, counted from 1, and names of records, with formats:
        "net-{epoch:03d}-{val_loss:.3f}.safetensors". A file of the same name is replaced.
    monitor : str, default "val_loss"
        The record that decides which epoch is the best; used with `save_best_only`.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more of it is better; "auto" decides by the name, as for `EarlyStopping`.
    save_best_only : bool, default False
        Save only an epoch that is better than all before; NaN never is.
    every_epochs : int, default 1
        Consider only every so many epochs, 1 or more.
    net_only : bool, default False
        Save the network by `net.save`, not the run by `trainer.save_checkpoint`. With `fit(validate_average=True)` it
        is saved with the averaged weights.
    min_delta : float, default 0.0
        With `save_best_only`: a change by no more than this is not better, 0 or more.
    relative : bool, default False
        Whether `min_delta` is a share of |best|.

    Attributes
    ----------
    last_path : str or None
        The file that was saved last.
    best : float
        The best value so far, with `save_best_only`.

    Raises
    ------
    ValueError
        If `mode` is "auto" and the name is unknown, or `every_epochs` is less than 1; after an epoch, if there is no
        record of the name in `monitor` or in `path`.
    TypeError
        If an argument has the wrong type.
    OSError
        After an epoch, if the file cannot be written.

    Notes
    -----
    Epochs without validation (`fit(validation_freq=...)`) are passed over where `path`, or `monitor` with
    `save_best_only`, names a record of validation. Put it last in the list of callbacks:
    those behind it have not yet seen the epoch that it saves. Source: `keras.callbacks.ModelCheckpoint`.

    Examples
    --------
    >>> import fastnn, os, tempfile
    >>> from fastnn import callbacks, nn, optim
    >>> X, y = fastnn.data.make_moons(64, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saving = callbacks.ModelCheckpoint(os.path.join(folder, "net-{epoch}.safetensors"), net_only=True)
    ...     history = trainer.fit(X, y, epochs=2, callbacks=[saving])
    ...     print(sorted(os.listdir(folder)))
    ['net-1.safetensors', 'net-2.safetensors']
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "val_loss",
        mode: str = "auto",
        save_best_only: bool = False,
        every_epochs: int = 1,
        net_only: bool = False,
        min_delta: float = 0.0,
        relative: bool = False,
    ) -> None:
        self.path = check_path("path", path)
        self.monitor = Monitor(monitor, mode, min_delta, relative)
        for name, value in (("save_best_only", save_best_only), ("net_only", net_only)):
            if not isinstance(value, bool):
                raise TypeError(f"{name} must be True or False, got {value!r}")
        self.save_best_only, self.net_only = save_best_only, net_only
        self.every_epochs = check.check_integer("every_epochs", every_epochs, at_least=1)
        self.best = self.monitor.worst
        self.last_path: str | None = None

    def on_train_begin(self, run: Run) -> None:
        if not run.resumed:
            self.best, self.last_path = self.monitor.worst, None

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch % self.every_epochs:
            return
        if self.save_best_only:
            if run.lacks(self.monitor.name):
                return
            value = self.monitor.value(run.logs)
            if not self.monitor.better(value, self.best):
                return
            self.best = value
        try:
            self.last_path = self.path.format(**(run.logs | {"epoch": run.epoch}))
        except (KeyError, IndexError) as error:
            if run.lacks(str(error.args[0])):
                return
            raise ValueError(
                f"path: {self.path!r} asks for {error.args[0]!r}, there are epoch, {', '.join(run.logs)}"
            ) from None
        if self.net_only:
            with run.validated():
                run.net.save(self.last_path)
        else:
            run.trainer.save_checkpoint(self.last_path)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def check_state(self, state: Any, run: Run | None = None) -> None:
        STATE(type(self).__name__, state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = STATE(type(self).__name__, state)["best"]
