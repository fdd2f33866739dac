"""The protocol of callbacks: which methods the trainer calls, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from .. import _validation as check
from .._frames import ShortErrors

if TYPE_CHECKING:
    from .run import Run


NO_CALLBACKS: tuple[Callback, ...] = ()


class Callback(ShortErrors):
    """Base of the callbacks of `Trainer.fit`: override the methods for the moments you need.

    A callback may read and change everything through `run` (see `fastnn.training.Run`): `run.net`, `run.optimizer.lr`,
    `run.epoch`, `run.logs`; `run.stop("reason")` ends the training.

    Attributes
    ----------
    every : int or None, default 1
        How often the compiled loop stops for `on_batch_end`, if that is overridden: after every so many batches of an
        epoch, 1 or more. None means about ten times a second, and whenever another callback makes it stop.
    in_checkpoints : bool, default True
        Whether a run that is resumed from a checkpoint must have this callback again, with its state.

    Notes
    -----
    Callbacks are called in the order of the list, `on_train_end` in reverse order. An exception from a callback ends
    the run and is raised by `fit`, after `on_train_end` of all callbacks whose `on_train_begin` was called; network and
    optimizer are then as after the last batch. If no callback overrides `on_batch_end`, an epoch is one compiled loop.
    The protocol is like that of `keras.callbacks.Callback`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> class StopAbove(fastnn.Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.epoch >= 3 and run.logs["loss"] > 1:
    ...             run.stop("the loss is above 1 after three epochs")
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
    >>> x, y = np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32")
    >>> history = trainer.fit(x, y, epochs=10, callbacks=[StopAbove()])
    >>> history.epochs, history.stopped
    (3, 'the loss is above 1 after three epochs')
    """

    every: int | None = 1
    in_checkpoints: ClassVar[bool] = True  # a run that is resumed needs it again

    def on_train_begin(self, run: Run) -> None:
        """Called before the first epoch."""

    def on_epoch_begin(self, run: Run) -> None:
        """Called before the first batch of an epoch."""

    def on_batch_end(self, run: Run) -> None:
        """Called between two batches, as often as `every` says. The compiled loop stops only if this is overridden."""

    def on_nonfinite(self, run: Run) -> None:
        """Called at the first batch of the run whose loss is not finite, although its data are.

        The batch, `run.nonfinite_batch`, has not been counted or trained yet: parameters are as before it (before its
        group, with `accumulate`). Unless `run.stop` is called, it is then trained like any other.
        `run.first_nonfinite()` describes where the first infinity or NaN is.
        """

    def on_epoch_end(self, run: Run) -> None:
        """Called after an epoch and its validation. `run.logs` has its records; what is added to them is recorded."""

    def on_train_end(self, run: Run) -> None:
        """Called after the run, however it ended: also after Ctrl-C and after an error."""

    def state_dict(self) -> dict[str, Any]:
        """The state to keep in a checkpoint, for a resumed run to continue with the same bits; by default none.

        Returns
        -------
        dict of str to numbers, arrays, strings, and lists, tuples and dicts of them
        """
        return {}

    def check_state(self, state: Any, run: Run | None = None) -> None:
        """Check a state before anything of a run to be resumed is loaded; by default every state passes.

        Parameters
        ----------
        state : Any
            From a file perhaps.
        run : Run, optional
            The run that is to load it.

        Raises
        ------
        TypeError, ValueError
            If `state` is not what `state_dict` returns.
        """

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load the state that `state_dict` returned; called after `on_train_begin` of a resumed run."""


def check_callbacks(callbacks: Any) -> list[Callback]:
    """The callbacks as a list.

    Parameters
    ----------
    callbacks : iterable of Callback

    Returns
    -------
    list of Callback

    Raises
    ------
    TypeError
        If it is not a list, an item is not a `Callback` object, or its `every` not an integer or None.
    ValueError
        If the `every` of one is less than 1.

    Examples
    --------
    >>> from fastnn.training.callback import Callback, check_callbacks
    >>> len(check_callbacks((Callback(), Callback())))
    2
    """
    if callbacks is NO_CALLBACKS:
        return []
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
