"""Threads of Python that build, train and use networks at the same time, while large work is shared between others.

    PYTHONPATH=tests python -m support.racing [--seconds 60]

Their results must be those of one thread alone; whether they race for memory is for ThreadSanitizer to tell
(`make tsan`). What threads share here is what they may share: predictions and steps of one network, which lock its
programs, and single operations on arrays that nobody writes.
"""

import argparse
import threading
import time

import numpy as np

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core import threads as core_threads

THREADS = 4
x = np.random.default_rng(0).normal(size=(120, 24)).astype("float32")
y = np.random.default_rng(1).integers(0, 5, 120)
weight = np.random.default_rng(2).normal(size=(24, 300)).astype("float32")


def make(seed=0):
    layers = nn.Linear(24, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, 40), nn.LayerNorm(40)
    net = nn.Sequential(*layers, nn.PReLU(40), nn.Linear(40, 5), seed=seed)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), max_grad_norm=1.0), metrics=["f1"])


class Shared:
    """The one network that all threads have: in each round a new one, of which nobody has made a program yet."""

    trainer = make()


def train(number):
    """Of a network of its own."""
    trainer = make(number)
    trainer.fit(x, y, epochs=2, batch_size=40, seed=number, validation_split=0.2)
    return trainer.net.parameters().data.tobytes(), trainer.evaluate(x, y)["loss"]


def predict(number):
    """Of the one network that all have, in batches of different sizes."""
    return Shared.trainer.net.predict(x[: 20 + number]).tobytes(), Shared.trainer.evaluate(
        x[: 30 + number], y[: 30 + number]
    )["loss"]


def operate(number):
    rows = x[number:]
    gradient = F.linear(rows, weight)
    results = [
        F.softmax(gradient),
        F.gelu(rows),
        F.layer_norm(rows, x[0], x[1]),
        *F.linear_backward(gradient, rows, weight),
    ]
    return [array.tobytes() for array in (*results, F.dropout(rows, 0.5, seed=number), F.entropy(F.softmax(rows)))]


def change(number):
    """Settings of the process, while others compute: no result depends on them."""
    fastnn.set_num_threads(1 + number % 5)
    core_threads.set_worth(0)


def together(action, numbers):
    """What the action gives for each number, in a thread each, all at once."""
    results, barrier = {}, threading.Barrier(len(numbers))

    def run(number):
        barrier.wait()
        if number % 2:
            change(number)
        results[number] = action(number)

    workers = [threading.Thread(target=run, args=(number,)) for number in numbers]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [results.get(number) for number in numbers]


def step(number):
    """One network trained by all threads: its steps wait for each other."""
    for _ in range(3):
        Shared.trainer.step(x[:40], y[:40])
    return Shared.trainer.optimizer.step_count[0] > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    deadline = time.monotonic() + parser.parse_args().seconds
    core_threads.set_worth(0)
    fastnn.set_num_threads(1)
    alone = {action: [action(number) for number in range(THREADS)] for action in (train, operate)}
    rounds = 0
    while time.monotonic() < deadline:
        Shared.trainer = make()
        first, again = together(predict, range(THREADS)), [predict(number) for number in range(THREADS)]
        assert first == again, "predictions of one network"
        for action, expected in alone.items():
            assert together(action, range(THREADS)) == expected, action.__name__
        assert all(together(step, range(THREADS)))
        rounds += 1
    print(f"{rounds} rounds of {THREADS} threads, the results of one thread alone")


if __name__ == "__main__":
    main()
