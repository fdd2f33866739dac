"""A small run that has everything a checkpoint must keep, for tests in one process and in several."""

import hashlib
import sys
import threading

import numpy as np

import fastnn
from fastnn import nn, optim

ROWS, EPOCHS = 120, 5


def data(dtype="float32", rows=ROWS):
    rng = np.random.default_rng(0)
    x, y, weight = rng.standard_normal((rows, 6)), rng.integers(0, 3, rows), rng.random(rows)
    return x.astype(dtype), y, weight


def make_trainer(dtype="float32", *, seed=1, layers=None, loss=None, optimizer=optim.Adam):
    layers = layers or [nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)]
    net = nn.Sequential(*layers, seed=seed, dtype=dtype)
    return fastnn.Trainer(net, loss or nn.CrossEntropyLoss(), optimizer(net.parameters()))


def bits(trainer):
    """A digest of all that training changes."""
    digest = hashlib.sha256()
    optimizer = trainer.optimizer.state_dict()
    for array in (*trainer.net.state_dict().values(), *optimizer["states"].values()):
        digest.update(np.ascontiguousarray(array))
    counters = int(trainer.net._tick[0]), trainer.engine.epochs
    digest.update(repr((optimizer["step"], optimizer["hyper"], *counters)).encode())
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in trainer.history.rows]
    return digest.hexdigest(), rows


def reading():
    """The threads that read ahead."""
    return [thread for thread in threading.enumerate() if thread.name == "fastnn reads ahead"]


class Momentary(fastnn.Callback):
    """Has a state of its own, which decides what is trained: the rate of the next epoch."""

    def __init__(self):
        self.seen, self.rates = 0, np.ones(2)

    def on_train_begin(self, run):
        self.seen, self.rates = 0, np.ones(2)  # as a callback may: its state is taken over after that

    def on_epoch_end(self, run):
        self.seen += 1
        self.rates = self.rates[::-1] * [0.9, 0.8]
        run.optimizer.lr = float(0.01 * self.rates.prod())

    def state_dict(self):
        return {"seen": self.seen, "rates": self.rates, "nested": [{"a": (1, None)}, float("inf")]}

    def load_state_dict(self, state):
        assert state["nested"] == [{"a": (1, None)}, float("inf")]
        self.seen, self.rates = state["seen"], state["rates"]


def long_run(path, epochs):
    """A run that takes some seconds, kept at `path`; for a process that may be killed."""
    trainer = make_trainer()
    x, y, weight = data(rows=3000)
    keywords = {"sample_weight": weight, "validation_data": (x[:100], y[:100]), "callbacks": [Momentary()]}
    if path is not None:
        keywords |= {"checkpoint": path, "checkpoint_every": 0.01, "resume": True}
    trainer.fit(x, y, epochs=epochs, batch_size=8, **keywords)
    return bits(trainer)


if __name__ == "__main__":
    print(long_run(sys.argv[1], int(sys.argv[2])))
