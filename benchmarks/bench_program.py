"""Whole networks: a step of training within fit and by itself, and prediction, on both backends."""

from typing import NamedTuple

import numpy as np
from common import Record, run

import fastnn
from fastnn import nn, optim

STEPS = 64  # of an epoch


class Network(NamedTuple):
    """Features of each layer, rows of a batch, and the activation between the layers."""

    features: tuple[int, ...]
    rows: int
    activation: type = nn.ReLU

    def build(self, dtype):
        layers = []
        for n_in, n_out in zip(self.features, self.features[1:], strict=False):
            layers += [nn.Linear(n_in, n_out), self.activation()]
        return nn.Sequential(*layers[:-1], seed=0, dtype=dtype)

    def train(self, dtype):
        """A trainer: regression by SGD if there is one output, else classification by Adam."""
        net = self.build(dtype)
        if self.features[-1] == 1:
            return fastnn.Trainer(net, loss=nn.MSELoss(), optimizer=optim.SGD(net.parameters(), lr=1e-3))
        return fastnn.Trainer(net, loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(net.parameters()))

    def data(self, dtype, batches=1):
        rng, n, n_out = np.random.default_rng(0), batches * self.rows, self.features[-1]
        x = rng.normal(size=(n, self.features[0])).astype(dtype)
        return x, rng.integers(n_out, size=n) if n_out > 1 else rng.normal(size=(n, 1)).astype(dtype)


SMALL, DEMO = Network((2, 4, 2, 1), 32, nn.Tanh), Network((64, 128, 10), 32)
TRAINED = {
    "2-4-2-1": SMALL,
    "64-128-10": DEMO,
    "784-256-128-10": Network((784, 256, 128, 10), 128),
}
PREDICTED = {
    f"{'-'.join(map(str, network.features))}-{rows}rows": network._replace(rows=rows)
    for network in (SMALL, Network((8, 16, 2), 1), DEMO, Network((784, 128, 10), 1))
    for rows in (1, 32)
}


def fit(network, dtype):
    trainer, (x, y) = network.train(dtype), network.data(dtype, STEPS)
    return lambda: trainer.fit(x, y, epochs=1, batch_size=network.rows, seed=0, progress=False)


def step(network, dtype):
    trainer, (x, y) = network.train(dtype), network.data(dtype)
    return lambda: trainer.step(x, y)


def predict(network, dtype):
    net, (x, _) = network.build(dtype), network.data(dtype)
    return lambda: net.predict(x)


def record(prepare, sizes, amount, unit):
    def prepare_on_backend(contender, network, dtype):
        call = prepare(network, dtype)

        def call_on_reference():
            with fastnn.use_backend("reference"):
                return call()

        timed = call if contender == "fastnn" else call_on_reference
        timed()  # compiles the program
        return timed

    return Record(prepare.__name__, prepare_on_backend, sizes, Network((3, 4, 2), 2), amount, unit)


RECORDS = (
    record(fit, TRAINED, lambda network, dtype: STEPS, "steps/s"),
    record(step, TRAINED, lambda network, dtype: 1, "steps/s"),
    record(predict, PREDICTED, lambda network, dtype: network.rows, "rows/s"),
)


def bench_program(case, benchmark):
    run(case, benchmark)
