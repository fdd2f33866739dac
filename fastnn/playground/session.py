"""A network that learns: its settings, the trainer, and a journal of what was trained with which settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from ..nn.sequential import Sequential
from ..training import Trainer
from . import datasets, recipes
from .calls import made
from .curves import Curves
from .refusal import Refusal
from .settings import Settings

MAX_EPOCHS = 1_000_000
MAX_SEGMENTS = 100
HASH_DIGITS = 16


@dataclass(frozen=True)
class Segment:
    """Epochs `start` to `end` that were trained with the same settings; `fresh` if by a trainer of their own."""

    settings: Settings
    start: int
    end: int
    fresh: bool


class Session:
    """One network with its data and its training, as a page shows it. The same journal gives the same bits.

    Attributes
    ----------
    epoch : int
        Epochs trained.
    exploded : str
        Where the numbers ended, empty if they did not. No more is trained then.
    """

    def __init__(self, settings: Settings) -> None:
        self.begin(settings)

    def begin(self, settings: Settings) -> None:
        """Begin anew: the points, the network with its initial values, no epoch trained."""
        points = datasets.make(settings)
        _check_last_batch(settings, len(points.X_train))
        net: Sequential = recipes.network(settings).make({})
        trainer = _trainer(net, settings)
        self.settings, self.points, self.net, self.trainer = settings, points, net, trainer
        self.journal = [Segment(settings, 0, 0, fresh=True)]
        self.curves = Curves()
        self.exploded = ""
        self.score()

    @property
    def epoch(self) -> int:
        return self.journal[-1].end

    @property
    def steps_an_epoch(self) -> int:
        """Updates of an epoch."""
        rows = len(self.points.X_train)
        return -(-rows // (self.settings.batch_size or rows))

    def change(self, settings: Settings) -> bool:
        """Take other settings; returns whether it began anew.

        It goes on with the weights as they are where the data and the network are the same; a trainer goes on where
        only rates and the batch size are others.
        """
        if self._trains_like(settings):
            self.settings = settings
            return False
        if self.exploded or not self.epoch or not settings.starts_like(self.settings):
            self.begin(settings)
            return True
        _check_last_batch(settings, len(self.points.X_train))
        last, fresh = self.journal[-1], not recipes.goes_on(settings, self.settings)
        unused = last.start == last.end  # changed again before it was trained
        kept = self.journal[:-1] if unused else self.journal
        if len(kept) >= MAX_SEGMENTS:
            raise Refusal("many_changes", limit=MAX_SEGMENTS)
        if fresh:
            self.trainer = _trainer(self.net, settings)
        else:
            for name, value in recipes.hyperparameters(settings).items():
                setattr(self.trainer.optimizer, name, value)
        segment = Segment(settings, last.end, last.end, fresh or (unused and last.fresh))
        self.settings, self.journal = settings, [*kept, segment]
        return False

    def _trains_like(self, settings: Settings) -> bool:
        return replace(settings, temperature=1.0) == replace(self.settings, temperature=1.0)

    def train(self, epochs: int) -> None:
        """Train some epochs, or up to where the numbers end, or to `MAX_EPOCHS`."""
        if self.exploded:
            raise Refusal("exploded")
        end = min(self.epoch + epochs, MAX_EPOCHS)
        if end == self.epoch:
            raise Refusal("finished", limit=MAX_EPOCHS)
        options = {key: made(value, {}) for key, value in recipes.fit_options(self.settings, self.epoch, end).items()}
        history = self.trainer.fit(self.points.X_train, self.points.y_train, **options)
        if history.stopped:
            self.exploded = history.stopped
            end = self.epoch + history.epochs + history.stopped.startswith("the loss of batch")  # within an epoch
        self.journal[-1] = replace(self.journal[-1], end=end)

    def score(self) -> tuple[dict[str, float], dict[str, float]]:
        """Losses and accuracies of both parts, which are recorded too."""
        points, trainer = self.points, self.trainer
        train = trainer.evaluate(points.X_train, points.y_train)
        test = trainer.evaluate(points.X_test, points.y_test)
        self.curves.add(self.epoch, train, test)
        return train, test

    def hash(self) -> str:
        """The first digits of the SHA-256 of all values of the network."""
        return weights_hash(self.net)


def weights_hash(net: Sequential) -> str:
    """The first digits of the SHA-256 of the values of a network, in the order of its state dict."""
    values = b"".join(value.tobytes() for value in net.state_dict().values())
    return hashlib.sha256(values).hexdigest()[:HASH_DIGITS]


def _trainer(net: Sequential, settings: Settings) -> Trainer:
    parameters = {"net.parameters()": net.parameters()}
    optimizer = recipes.optimizer(settings).make(parameters)
    schedule = recipes.schedule(settings)
    scheduler = None if schedule is None else schedule.make({"optimizer": optimizer})
    return Trainer(net, recipes.loss(settings).make({}), optimizer, scheduler, **recipes.trainer_options(settings))


def _check_last_batch(settings: Settings, rows: int) -> None:
    """Batch normalization has no variance of a single row."""
    size = settings.batch_size or rows
    if any(layer.norm == "BatchNorm1d" for layer in settings.layers) and (size == 1 or rows % size == 1):
        raise Refusal("batch_norm_batch", size=size, rows=rows)
