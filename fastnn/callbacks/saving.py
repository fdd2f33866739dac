"""Saving a run, or its network, as it goes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .. import _schema as schema
from .. import _validation as check
from ..training.callback import Callback
from ..training.monitor import Monitor

if TYPE_CHECKING:
    from ..training.run import Run

STATE = schema.record({"best": schema.number()})


class ModelCheckpoint(Callback):
    """Saves after epochs: the whole run to go on from, or the network alone.

    Parameters
    ----------
    path : str or path-like
        Where to; `{epoch}` and the names of records may stand in it: "net-{epoch:03d}-{val_loss:.3f}.safetensors".
    monitor : str, default "val_loss"
        The record that says which epoch is the best one; only asked for with `save_best_only`.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more of it is better; "auto" as for `EarlyStopping`.
    save_best_only : bool, default False
        Save only epochs that are better than all before.
    every_epochs : int, default 1
        Look at every so many epochs only.
    net_only : bool, default False
        Save the network by `net.save` instead of the run by `trainer.save_checkpoint`.

    Attributes
    ----------
    last_path : str or None
        What was saved last.

    Notes
    -----
    It comes last in the list of callbacks: those behind it have not seen the epoch yet that it saves.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "val_loss",
        mode: str = "auto",
        save_best_only: bool = False,
        every_epochs: int = 1,
        net_only: bool = False,
    ) -> None:
        self.path = os.fspath(path)
        self.monitor = Monitor(monitor, mode)
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
            value = self.monitor.value(run.logs)
            if not self.monitor.better(value, self.best):
                return
            self.best = value
        try:
            self.last_path = self.path.format(**(run.logs | {"epoch": run.epoch}))
        except (KeyError, IndexError) as error:
            raise ValueError(
                f"path: {self.path!r} asks for {error.args[0]!r}, there are epoch, {', '.join(run.logs)}"
            ) from None
        trainer: Any = run.trainer
        (trainer.net.save if self.net_only else trainer.save_checkpoint)(self.last_path)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def check_state(self, state: Any, run: Run | None = None) -> None:
        STATE(type(self).__name__, state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = STATE(type(self).__name__, state)["best"]
