"""The gain and the cost of a second thread for 784-256-128-10 in batches of 128, where sharing barely pays.

Prints JSON with a number for each promise: ratios of times, taken alternately within one process unless stated.
"""

import json
import statistics
import subprocess
import sys
import time

import numpy as np

import fastnn
from fastnn import nn, optim
from fastnn._core import threads
from fastnn.bench.suite import MNIST

BATCHES, EPOCHS, PROCESSES, PAUSES = 20, 6, 12, 1000
# (key, meaning, bound, whether the bound is a lower one)
PROMISES = (
    ("first epochs, median", f"one thread / two, first {EPOCHS} epochs of a process, median of {PROCESSES}", 1.6, True),
    ("first epochs, worst", f"the same, worst of {PROCESSES}", 1.3, True),
    ("fit", "a step inside fit / a step called, two threads", 1.05, False),
    ("neighbour", "two threads / one, beside a process that keeps one core busy", 1.15, False),
    ("pauses", f"microseconds that a pause adds to the next step, median of {PAUSES}", 200.0, False),
)


BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"


def trainer():
    layers = [layer for n_in, n_out in MNIST.layers for layer in (nn.Linear(n_in, n_out), nn.ReLU())]
    net = nn.Sequential(*layers[:-1], seed=0)
    return fastnn.Trainer(net, loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(net.parameters(), lr=1e-6))


def data(batches):
    rng, rows = np.random.default_rng(0), batches * MNIST.rows
    return rng.standard_normal((rows, MNIST.features[0]), dtype="float32"), rng.integers(10, size=rows)


def seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def first_epochs():
    """Seconds that the first epochs of this process take."""
    (x, y), train = data(BATCHES), trainer()
    return seconds(lambda: train.fit(x, y, epochs=EPOCHS, batch_size=MNIST.rows, progress=False))


def of_new_processes():
    """The time of one thread divided by that of two, for pairs of new processes."""

    def run(number):
        code = f"import fastnn, second_thread; fastnn.set_num_threads({number}); print(second_thread.first_epochs())"
        command = [sys.executable, "-c", code]
        return float(subprocess.run(command, cwd=sys.path[0], capture_output=True, text=True, check=True).stdout)

    return [run(1) / run(2) for _ in range(PROCESSES)]


def by_turns(first, second, rounds=30):
    """The minimum time of each of two calls, which alternate."""
    times = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return (min(column) for column in zip(*times, strict=True))


def fit_against_step():
    (x, y), train = data(BATCHES), trainer()
    batch = x[: MNIST.rows].copy(), y[: MNIST.rows].copy()
    fastnn.set_num_threads(2)
    inside, called = by_turns(
        lambda: train.fit(x, y, epochs=1, batch_size=MNIST.rows, shuffle=False, progress=False),
        lambda: [train.step(*batch) for _ in range(BATCHES)],
    )
    return inside / called


def beside_a_neighbour():
    """The ratio of mean times, not of minima, so that occasional delays count."""
    (x, y), train = data(1), trainer()

    def steps(number):
        fastnn.set_num_threads(number)
        return seconds(lambda: [train.step(x, y) for _ in range(300)])

    neighbour = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        time.sleep(0.5)
        times = [(steps(1), steps(2)) for _ in range(10)]
    finally:
        neighbour.kill()
    one, two = (sum(column) for column in zip(*times, strict=True))
    return two / one


def after_pauses():
    """Median time of a step after a random pause minus that of a step without, in microseconds."""
    (x, y), train = data(1), trainer()
    fastnn.set_num_threads(2)
    rng = np.random.default_rng(0)
    plain = statistics.median(seconds(lambda: train.step(x, y)) for _ in range(PAUSES))
    paused = []
    for pause in rng.uniform(0, 2e-3, PAUSES):
        until = time.perf_counter() + pause
        while time.perf_counter() < until:
            pass  # busy waiting keeps the caches and the clock rate of the core
        paused.append(seconds(lambda: train.step(x, y)))
    return 1e6 * (statistics.median(paused) - plain)


def measure():
    epochs = of_new_processes()
    return {
        "first epochs, median": statistics.median(epochs),
        "first epochs, worst": min(epochs),
        "fit": fit_against_step(),
        "neighbour": beside_a_neighbour(),
        "pauses": after_pauses(),
    }


if __name__ == "__main__":
    if threads.default_num_threads()[0] < 2:
        sys.exit("second_thread.py: this machine has one core")
    print(json.dumps(measure()))
