"""What writes checkpoints while a run goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from .. import _validation as check
from .callback import Callback
from .paths import check_path

if TYPE_CHECKING:
    from .run import Run

SECONDS = 30.0  # between two checkpoints, unless told otherwise


class Checkpointer(Callback):
    """Writes a checkpoint at the beginning, now and then, and at the end of a run; the last of its callbacks.

    Parameters
    ----------
    path : str or path
    every : int or float, optional
        An int counts batches, a float seconds.
    """

    in_checkpoints: ClassVar[bool] = False

    def __init__(self, path: Any, every: float | None = None) -> None:
        self.path = check_path("checkpoint", path)
        self.batches: int | None = None
        self.seconds = SECONDS
        if hasattr(every, "__index__"):
            self.every = self.batches = check.check_integer("checkpoint_every", every, at_least=1)
        else:
            self.every = None
            if every is not None:
                self.seconds = check.check_number("checkpoint_every", every, at_least=0.0)

    def on_train_begin(self, run: Run) -> None:
        self._save(run)

    def on_batch_end(self, run: Run) -> None:
        done = time.monotonic() - self._time if self.batches is None else int(run.net._tick[0]) - self._tick
        if done >= (self.seconds if self.batches is None else self.batches):
            self._save(run)

    on_epoch_end = on_batch_end

    def on_train_end(self, run: Run) -> None:
        if run.settled:  # not if an error, or Ctrl-C, came in the middle of something
            self._save(run)

    def _save(self, run: Run) -> None:
        run.trainer.save_checkpoint(self.path)
        self._time, self._tick = time.monotonic(), int(run.net._tick[0])
