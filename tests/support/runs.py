"""A small run for tests of what happens around it: its trainer and data, and callbacks that look on."""

import numpy as np

import fastnn
from fastnn import Callback, nn, optim

N, BATCH = 37, 5
BATCHES = 8  # an epoch


class Diary(Callback):
    """Writes down every moment."""

    def __init__(self):
        self.entries = []

    def note(self, moment, run):
        self.entries.append((moment, run.epoch, run.batch))

    def on_train_begin(self, run):
        self.note("train_begin", run)

    def on_epoch_begin(self, run):
        self.note("epoch_begin", run)

    def on_epoch_end(self, run):
        self.note("epoch_end", run)

    def on_train_end(self, run):
        self.note("train_end", run)


class BatchDiary(Diary):
    def __init__(self, every=1):
        super().__init__()
        self.every = every

    def on_batch_end(self, run):
        self.note("batch_end", run)


class At(Callback):
    """Does something at one moment."""

    def __init__(self, moment, action):
        if moment == "on_batch_end":
            self.__class__ = AtBatch
        self.moment, self.action, self.ended = moment, action, False
        setattr(self, moment, action)

    def on_train_end(self, run):
        self.ended = True


class AtBatch(At):
    def on_batch_end(self, run):
        raise NotImplementedError


def make(dtype="float32", seed=0, lr=0.01):
    """A trainer, and data for it: two classes."""
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2), seed=seed, dtype=dtype)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=lr))
    rng = np.random.default_rng(0)
    return trainer, rng.standard_normal((N, 3)).astype(dtype), rng.integers(0, 2, N)


def bits(trainer):
    return trainer.net.parameters().data.tobytes()


def interruptible(trainer, *arrays, **keywords):
    """The history of a fit that Ctrl-C may end, and whether it did."""
    before, ended = trainer.history, False
    try:
        trainer.fit(*arrays, **keywords)
    except KeyboardInterrupt:
        ended = True
    assert trainer.history is before or trainer.history.interrupted == ended
    return trainer.history


def interrupted(trainer, *arrays, **keywords):
    """The history of a fit that Ctrl-C ends."""
    history = interruptible(trainer, *arrays, **keywords)
    assert history.interrupted
    return history
