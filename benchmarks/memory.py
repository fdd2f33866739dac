"""The peak memory of a training run of the widest network, and the memory it needs at least: prints both as JSON."""

import json
import sys
from pathlib import Path

import numpy as np

import fastnn
from fastnn import nn, optim
from fastnn.bench.cases import Network
from fastnn.bench.suite import WIDE

BATCHES = 8
STATES = 2  # state arrays of Adam
MOST = 1.25  # allowed peak, as a multiple of the memory needed


def trainer(network):
    layers = [layer for n_in, n_out in network.layers for layer in (nn.Linear(n_in, n_out), nn.ReLU())]
    net = nn.Sequential(*layers[:-1], seed=0)
    return fastnn.Trainer(net, loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(net.parameters()))


def train(network):
    """Train one epoch, on data that are drawn without temporary arrays."""
    rng, rows = np.random.default_rng(0), BATCHES * network.rows
    x = rng.standard_normal((rows, network.features[0]), dtype="float32")
    y = rng.integers(network.features[-1], size=rows)
    trainer(network).fit(x, y, batch_size=network.rows, progress=False)


def needed(network):
    """Bytes of parameters, gradients and states, of every layer's output for a batch, and of the data."""
    parameters = sum((n_in + 1) * n_out for n_in, n_out in network.layers)
    activations = network.rows * sum(network.features[1:])
    data = BATCHES * network.rows * (4 * network.features[0] + 8)
    return 4 * ((2 + STATES) * parameters + activations) + data


def resident(which):
    """Bytes of memory of this process: "VmRSS" is the current number, "VmHWM" the peak."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024


def measure(network):
    """The peak memory of a training run in bytes, without the memory used before it."""
    train(Network((8, 8, 8), 8))  # so that all imports are done
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = resident("VmRSS")
    train(network)
    return resident("VmHWM") - before


if __name__ == "__main__":
    if not Path("/proc/self/clear_refs").exists():
        sys.exit("memory.py: this system does not tell how much memory a process took at most")
    print(json.dumps({"used": measure(WIDE), "needed": needed(WIDE)}))
