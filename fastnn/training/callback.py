"""The protocol of callbacks: what the trainer tells them, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from .. import _validation as check
from .._frames import ShortErrors

if TYPE_CHECKING:
    from .run import Run


class Callback(ShortErrors):
    """Base of the callbacks: overwrite the moments you want to hear of.

    A callback reads and changes what it likes through `run` (see `fastnn.training.Run`): `run.net`, `run.optimizer.lr`,
    `run.epoch`, `run.logs`; `run.stop("reason")` ends the training.

        class Patience(fastnn.Callback):
            def on_epoch_end(self, run):
                if run.epoch >= 3 and run.logs["loss"] > 1:
                    run.stop("the loss is above 1 after three epochs")

    Attributes
    ----------
    every : int or None
        How often the compiled loop comes up for `on_batch_end`, if that is overwritten: after every so many batches of
        an epoch. None stands for "now and then", about ten times a second (and whenever another callback asks).

    Notes
    -----
    Callbacks are called in the order of the list, `on_train_end` in reverse. What one raises ends the run and comes out
    of `fit`, after `on_train_end` of all that had begun; network and optimizer are then as after the last batch.
    Without an `on_batch_end` an epoch is one compiled loop.
    """

    every: int | None = 1
    in_checkpoints: ClassVar[bool] = True  # a run that is resumed needs it again

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, run: Run) -> None:
        """Between two batches. Only where this is overwritten does the compiled loop come up for it."""

    def on_nonfinite(self, run: Run) -> None:
        """At the first batch of the run whose loss is not finite, though its data are.

        Neither the batch nor its update counts yet: parameters are as before it. Unless `run.stop` is called, the
        batch is trained all the same. `run.first_nonfinite()` tells where it began.
        """

    def on_epoch_end(self, run: Run) -> None:
        """After an epoch and its validation; `run.logs` has its values, and what is added to them is recorded."""

    def on_train_end(self, run: Run) -> None:
        """After the run, however it ended: also after Ctrl-C and after an error."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep for the run to go on as if it had not been interrupted: numbers and arrays."""
        return {}

    def check_state(self, state: Any, run: Run | None = None) -> None:
        """Raise TypeError or ValueError if `state`, from a file perhaps, is not what `state_dict` gives.

        It is called before anything of a run to be resumed is taken over. By default everything goes.
        """

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""


def check_callbacks(callbacks: Any) -> list[Callback]:
    """The callbacks as a list; TypeError if something else is among them."""
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        raise TypeError(f"callbacks must be a list of callbacks, got {type(callbacks).__name__}")
    callbacks = list(callbacks)
    for i, callback in enumerate(callbacks):
        if isinstance(callback, type) and issubclass(callback, Callback):
            raise TypeError(f"callbacks[{i}] must be an object, not the class: write {callback.__name__}()")
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks[{i}] must be a fastnn.Callback, got {type(callback).__name__}")
        if callback.every is not None:
            check.check_integer(f"callbacks[{i}].every", callback.every, at_least=1)
    return callbacks
