"""The trainer: a network, a loss and an optimizer, compiled into one program a batch."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from .._frames import USE, errors_of_use, shorten
from ..distributed import Team
from ..nn.sequential import Sequential
from ..optim import Optimizer, WeightAverage
from ..optim.lr_scheduler import Scheduler
from .arguments import all_callbacks, new_run, rare_arguments
from .callback import NO_CALLBACKS, Callback
from .history import History
from .inspection import Inspection
from .pairs import warn_of_odd_pair
from .run import Run

if TYPE_CHECKING:
    from ..data import Mixup

WITHIN = "this trainer is within a fit: a second one at the same time would train the same network"
NOT_RESUMED: nullcontext[None] = nullcontext()


class Trainer(Inspection):
    """Trains a network: forward pass, loss, backward pass and update as one compiled program.

    Parameters
    ----------
    net : Sequential
    loss : Loss, or function
        An object such as `nn.CrossEntropyLoss()`, or a function (y_pred, y) -> (value, gradient) written in Python.
    optimizer : Optimizer
        Made from this network: `optim.Adam(net.parameters())`.
    scheduler : Scheduler, optional
        Of this optimizer, from `optim.lr_scheduler`. `fit` steps it after each batch or epoch, as its `by` says (by
        batch in the compiled loop), and records the rate with which each epoch began as "lr"; `step` leaves it alone.
    metrics : list of str, Metric, Loss or function, optional
        What to record beside the loss: names ("accuracy", "f1", "mae", ...), objects of `fastnn.metrics`
        (`F1("macro")`), losses (`nn.L1Loss()`, recorded as "l1_loss"), functions (y_true, y_pred) -> number of all
        outputs. The last, and metrics without a `counter` ("roc_auc", "log_loss", ...), are computed for validation
        data and by `evaluate`, the others while training too.
    l1, l2 : float, default 0
        Penalties l1 |w| + l2 / 2 w^2 on all weights (parameters that decay: not biases or normalization), beside those
        of the layers. Updates add their gradients; losses are reported without them, `penalty()` is their value.
    average : WeightAverage, optional
        Made from this network: `optim.ExponentialMovingAverage(net.parameters())`, say, or `optim.SWA`. It is updated
        after each update.
    missing : {"error", "ignore"}, default "error"
        What a target that is NaN means, for losses of elements (MSELoss, L1Loss, BCEWithLogitsLoss, ...). "ignore"
        leaves these targets out of the loss, its gradient and the metrics: a mean is over those that are there.
    comm : mpi4py.MPI.Comm, optional
        Share each batch between the ranks of this communicator, `MPI.COMM_WORLD`: docs/distributed.md. Each makes the
        same network and calls `fit` and `step` with all samples; callbacks, progress and checkpoints are rank 0's.
        Copies and pickles of the trainer are without it.
    blocks : int, optional
        Into how many blocks each batch is cut, a power of two; 8 by default with `comm`. The weights have the same bits
        for any number of ranks up to `blocks`, and without `comm`. What normalizes over a batch does so for each block.

    Warns
    -----
    UserWarning
        If the last layer does not give what the loss takes: logits, probabilities or their logarithms.

    Attributes
    ----------
    history : History
        Of the last `fit`.
    run : Run or None
        The `fit` that is going on.
    paused : dict or None
        The state of the run that a loaded checkpoint was taken of, for `fit(..., resume=True)`.

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

    def __init__(
        self,
        net: Sequential,
        loss: Any,
        optimizer: Optimizer,
        scheduler: Scheduler | None = None,
        *,
        metrics: Iterable[Any] = (),
        l1: float = 0.0,
        l2: float = 0.0,
        average: WeightAverage | None = None,
        missing: str = "error",
        comm: Any = None,
        blocks: int | None = None,
    ) -> None:
        super().__init__(net, loss, optimizer, scheduler, metrics, l1, l2, average, missing)
        if comm is not None or blocks is not None:
            self.engine.change(team=Team(comm, blocks))
        warn_of_odd_pair(self.net, self.loss)
        self.run: Run | None = None
        self.paused: dict[str, Any] | None = None
        self._without_run = False  # whether the last thing done was to load a checkpoint that has no run
        self.history = History()
        self._claims: dict[str, object] = {}  # "fit": who is within it

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"run": None, "_claims": {}}

    # -- one step ------------------------------------------------------------------------------------------------------

    def step(self, x: Any, y: Any, sample_weight: Any = None) -> float:
        """Train on one batch: forward, loss, backward and update, in one compiled call.

        Parameters
        ----------
        x : array of real numbers, shape (rows, in_features)
            As for a call of the network: of any dtype and layout, a list or a table such as a DataFrame.
        y : array
            Numbers of any real dtype, shape (rows, out_features); or class indices, whole numbers of shape (rows,).
        sample_weight : array of shape (rows,), or of y's shape for losses of elements, optional
            The mean over the batch is divided by the sum of these. Those of elements may be a mask, of bools.

        Returns
        -------
        loss : float
            Of the batch, before the update.

        Raises
        ------
        TypeError, ValueError
            If an array or a number in it does not fit (a class index out of range, -1 for BCE, 1e300 for float32), or
            the loss is not finite because a number in x or y is not; weights, states and statistics are as before.

        Notes
        -----
        The gradients of the batch replace those in `net.parameters().grad`. A loop of one's own, whose `net.backward`
        adds to them, begins with `optimizer.zero_grad()`.
        """
        engine = self.engine
        engine.refresh()
        if engine.quick_step is not None and sample_weight is None:
            loss = engine.quick_step(x, y)
            if loss is not None:
                return loss
        return self._step_slowly(x, y, sample_weight)

    @errors_of_use
    def _step_slowly(self, x: Any, y: Any, sample_weight: Any) -> float:
        """The same with arrays that need a repair or an explanation, or for the first time, or of several ranks."""
        engine = self.engine
        if engine.team is None:
            return engine.step(engine.training_data(x, y, sample_weight).not_empty())
        from .together import step

        return step(engine, lambda: engine.training_data(x, y, sample_weight).not_empty())

    # -- many steps ----------------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        accumulate: int = 1,
        shuffle: bool = True,
        seed: int | None = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        drop_last: bool = False,
        validation_data: tuple[Any, ...] | None = None,
        validation_split: float = 0.0,
        validation_freq: int | Iterable[int] = 1,
        validate_average: bool = False,
        transform: Mixup | None = None,
        callbacks: Iterable[Callback] = NO_CALLBACKS,
        prefetch: int = 1,
        checkpoint: Any = None,
        checkpoint_every: float | None = None,
        resume: bool = False,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        progress: bool | str = "auto",
    ) -> History:
        """Train for a number of epochs; each is one compiled loop over shuffled batches.

        Parameters
        ----------
        x, y, sample_weight
            As for `step`, for all samples. They stay in their dtype and layout, and each batch is converted: an x
            larger than memory is a `numpy.memmap` of any dtype. Or, without y: an iterable of batches (x, y) or
            (x, y, sample_weight), each trained as it is, or a function that returns one for each epoch; or
            `fastnn.data.Shards(folder)`.
            The gradients of a batch are divided by its rows times the mean weight of all samples, so that batches of
            any size minimize the weighted loss; those of an iterable, whose weights to come are not known, by the
            weights of the batch, as in `step`. Weights of classes keep PyTorch's rule: each batch divides by its own.
        prefetch : int, default 1
            Number of batches of an iterable, or of shards, that a background thread gets ready ahead; 0 does without.
            At the end of `fit` that thread ends too, unless the iterable does not give the batch that it waits for:
            then there is a warning after a second, and the thread ends with that batch or with the process.
        epochs : int, default 1
        batch_size : int or None, default 32
            1 is stochastic, None batch gradient descent (all samples at once).
        accumulate : int, default 1
            The gradients of so many batches are added for one update, which is to rounding that of one batch of all
            their samples (but what normalizes over a batch does so for each); fewer at the end of an epoch. A scheduler
            with by="batch" goes on with each update. The gradients of RMSELoss, which is no mean, are averaged.
        shuffle : bool, default True
            Whether each epoch has an order of its own, drawn from (seed, epoch).
        seed : int, optional
            By default the network's, and epochs are counted on from earlier calls.
        class_weight : "balanced", dict or array of shape (classes,), optional
            Weights of classes, by which those of their samples are multiplied: {class: weight}, where others have 1,
            one for each class, or "balanced", as `fastnn.data.class_weights` computes them of the samples that are
            trained on. For class indices, targets of two classes in one column, or probabilities (of the largest).
            Validation has none.
        drop_last : bool, default False
            Leave out the last batch of an epoch (of each shard) if it has less than `batch_size` rows.
        validation_data : (x, y) or (x, y, sample_weight), optional
            Evaluated after each epoch.
        validation_split : float in [0, 1), default 0
            Share of the samples kept for validation instead, rounded up: drawn from the seed, of class indices in the
            proportions of the classes; the last ones with shuffle=False.
        validation_freq : int or list of int, default 1
            Validate after each so many epochs only, or after these, counted from 1. Other epochs have no "val_"
            records; what watches one (EarlyStopping, ReduceLROnPlateau) waits for the next.
        validate_average : bool, default False
            Validate with the weights of the trainer's `average`; EarlyStopping then restores the averaged weights of
            the best epoch, and ModelCheckpoint(net_only=True) saves averaged weights. `optim.update_bn` computes the
            running statistics of batch normalization for them.
        transform : fastnn.data.Mixup, optional
            Mixes the samples of each batch while training.
        callbacks : list of Callback, optional
            Told of the run's moments in this order.
        checkpoint : str or path, optional
            Where to keep a checkpoint of the run: written at its beginning, now and then, and when it ends, also by
            Ctrl-C. What was there before is replaced at once, so that there is always a whole one.
        checkpoint_every : int or float, default 30.0
            How often: an int counts batches, a float seconds.
        resume : bool, default False
            Go on with the run that `checkpoint` is of, where that exists, or with the one of `load_checkpoint`. The
            same script, killed and started again, ends with the same bits as if nothing had happened: it needs the
            same data, batch size and callbacks. A run that had finished goes on if `epochs` is greater now.
        initial_epoch : int, default 0
            Number of epochs that were trained before, which count as part of `epochs`: only the others are trained,
            with the orders and the numbers that they have in one run of `epochs`.
        steps_per_epoch : int, optional
            Of an iterable of batches, endless perhaps: how many are an epoch. The next one continues with the next
            batch, and an iterable that ends begins again, unless it is an iterator.
        progress : bool, "auto" or "lines", default "auto"
            Whether to show a bar; "auto" does on a terminal and in a notebook. "lines" prints a line for each epoch.

        Returns
        -------
        history : History
            Also `trainer.history`, which is there if an error or Ctrl-C ends the run.

        Raises
        ------
        TypeError, ValueError
            If an argument does not fit. The network is as before, or, where a class index out of range turns up, a
            target that the loss does not take, or a number that is not finite and makes the loss so, as after the
            batches before it.
        RuntimeError
            If this trainer is within a `fit` already. With `comm`, `fastnn.distributed.RankError` if another rank has
            raised an error; ranks that are given different arguments all raise ValueError before they train.
        KeyboardInterrupt
            After Ctrl-C, see below.

        Warns
        -----
        RuntimeWarning
            At the first loss that is not finite, with its batch and the layer where that begins; if all weights are 0.

        Notes
        -----
        Ctrl-C ends the run between two batches, within about 200 ms: `on_train_end` of the callbacks is called, then
        KeyboardInterrupt is raised, which also ends a loop of fits. `trainer.history` has the epochs before, with
        `interrupted` set; network, optimizer and trainer can be used further.
        """
        claim = object()
        try:
            self.claim(claim)
            team = self.engine.team
            with NOT_RESUMED if team is None else team.starting():
                every = all_callbacks(callbacks, checkpoint, checkpoint_every)
                few = class_weight, drop_last, validation_freq, initial_epoch, steps_per_epoch, validate_average
                rare = rare_arguments(*few)
                with NOT_RESUMED if resume is False else self._resuming(checkpoint, resume) as paused:
                    data, held = (x, y, sample_weight), (validation_data, validation_split)
                    more = epochs, batch_size, accumulate, shuffle, seed, prefetch, progress, rare
                    run = new_run(self, data, held, every, transform, *more)
                    if paused is not None:
                        run.load_state_dict(paused)
                    run.agree()
            self.run, self.history, self.paused, self._without_run = run, run.history, None, False
            return run.go()
        except (*USE, KeyboardInterrupt) as error:  # as `errors_of_use` does, without its wrapper
            shorten(error)
            raise
        finally:  # without a call: handlers of signals run after calls only, and none may come before this is done
            if "fit" in self._claims and self._claims["fit"] is claim:
                self.run = None
                del self._claims["fit"]

    @errors_of_use
    def save_checkpoint(self, path: Any) -> None:
        """Write all that decides how training goes on to a file: `load_checkpoint` goes on from there, bit by bit.

        It holds the values of the network, the states of the optimizer and of what else the trainer has, the counters
        of random numbers, and, within a run (from a callback), its place, its history and the states of callbacks. The
        file is put into its place at once: there is the old one or the new one, whatever happens.

        Parameters
        ----------
        path : str, path-like or binary file object
            A file object is written where it is, and stays open.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from .checkpoint import save_checkpoint

        save_checkpoint(self, path)

    @errors_of_use
    def load_checkpoint(self, path: Any) -> None:
        """Load what `save_checkpoint` wrote. Where it was within a run, `fit(..., resume=True)` continues that.

        Parameters
        ----------
        path : str, path-like, binary file object or bytes
            A file object is read from where it is to its end, and stays open. Bytes are the content of a file.

        Raises
        ------
        FileFormatError
            If the file is truncated, changed or not a checkpoint.
        ValueError
            If it is one of another network, loss or optimizer; the message says what differs, and nothing has changed.
        OSError
            If the file cannot be read.
        """
        from .checkpoint import load_checkpoint

        self.paused = load_checkpoint(self, path)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def claim(self, claim: object) -> None:
        """Note who trains the network from now on; RuntimeError if somebody does already."""
        if self._claims.setdefault("fit", claim) is not claim:  # from a callback, or in another thread
            raise RuntimeError(WITHIN)

    def release(self) -> None:
        """Undo `claim`, by who made it."""
        self.run = None
        self._claims.pop("fit", None)

    def _resuming(self, path: Any, resume: bool) -> Any:
        """A context that yields the state of the run to resume, or None; an error in it changes nothing."""
        from .checkpoint import resuming

        return resuming(self, path, resume)

    def __repr__(self) -> str:
        scheduler = "" if self.scheduler is None else f", scheduler={self.scheduler!r}"
        return f"Trainer(loss={self.loss!r}, optimizer={self.optimizer!r}{scheduler})\n{self.net!r}"
