"""Data parallel training: bytes a step, share of the all-reduce, efficiency on two ranks, and a model up to 1,024.

    python benchmarks/mpi_report.py                # all of it; needs mpi4py and an MPI: pip install mpi4py mpich

Each network is timed in a process without ranks, then on two ranks with a thread each. The all-reduce alone is timed on
two ranks too, for messages of several lengths; its latency and bandwidth, by least squares, are those of the model:

    step(ranks) = compute x rows / ranks + update + rounds(ranks) latency + bytes(ranks) / bandwidth

with log2(ranks) rounds of the whole message, or three times as many of parts of it where it is long
(fastnn/distributed/tree.py), and as many blocks as ranks. The model has the network that was measured, which on one
machine is its memory: give that of a cluster by --latency (microseconds) and --bandwidth (gigabytes a second).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from timing import shortest

import fastnn
from fastnn import nn, optim
from fastnn.distributed.tree import LONG, Tree

WIDTHS = {
    10**4: (64, 100, 32, 10),
    10**5: (128, 256, 256, 10),
    10**6: (256, 1000, 700, 50),
    10**7: (1000, 2500, 2500, 500),
}
BLOCKS, ROWS, ROUNDS = 8, (64, 256, 1024), 5
MODEL_ROWS = 65536
RANKS = (1, 2, 8, 64, 256, 1024)
WORK = 1e10  # floating-point operations of an epoch that is timed
LEAST = 0.5  # efficiency at which scaling is said to end


def trainer_of(widths, comm=None, blocks=BLOCKS):
    layers = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    net = nn.Sequential(*layers[:-1], seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()), comm=comm, blocks=blocks)


def seconds_a_step(widths, rows, comm=None, blocks=BLOCKS):
    """The shortest of some epochs of a fit, a step."""
    steps = max(2, min(30, int(WORK / (6 * rows * size_of(widths)))))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(steps * rows, widths[0])).astype("float32")
    y = rng.integers(0, widths[-1], len(x))
    trainer = trainer_of(widths, comm, blocks)
    trainer.fit(x[: 2 * rows], y[: 2 * rows], epochs=1, batch_size=rows, seed=0, progress=False)
    history = trainer.fit(x, y, epochs=ROUNDS, batch_size=rows, seed=0, progress=False)
    return min(history["seconds"]) / steps


def size_of(widths):
    return sum((a + 1) * b for a, b in pairwise(widths))


def seconds_of_update(widths):
    """An update by Adam, and the additions of one block to another's: what each rank does for itself."""
    trainer = trainer_of(widths, blocks=None)
    gradient = np.zeros(trainer.net.parameters().grad.size, "float32")
    return shortest(trainer.optimizer.step, 10) + shortest(lambda: np.add(gradient, gradient, out=gradient), 10)


def seconds_of_sum(comm, n):
    """The sum over ranks alone, with a block on each; the longest of the ranks, in the best of some rounds."""
    tree = Tree(comm, comm.Get_size(), 16, np.zeros(n, "float32"))

    def add(numbers, later):
        numbers += later

    best = np.inf
    for _ in range(30 if n < 10**6 else 10):
        comm.Barrier()
        began = time.perf_counter()
        tree.total(lambda block: None, add)
        best = min(best, max(comm.allgather(time.perf_counter() - began)))
    return best


def on_ranks():
    """What two ranks measure, as JSON on the standard output of rank 0."""
    from mpi4py import MPI

    comm, found = MPI.COMM_WORLD, {"sum": {}, "step": {}, "mpi": MPI.Get_library_version().splitlines()[0]}
    for size, widths in WIDTHS.items():
        found["sum"][size] = seconds_of_sum(comm, size_of(widths))
        for rows in ROWS:
            found["step"][f"{size} {rows}"] = seconds_a_step(widths, rows, comm)
    if comm.Get_rank() == 0:
        print(json.dumps(found))


def rounds_and_bytes(ranks, message):
    """How many messages follow one another in a sum, and how many bytes a rank sends."""
    steps = ranks.bit_length() - 1
    if ranks > 2 and message >= LONG:
        return 3 * steps, 2 * message * (ranks - 1) / ranks
    return steps, steps * message


def modelled(ranks, rows, compute, own, message, latency, bandwidth):
    """Seconds of a step, by the model; a rank has at least one row."""
    rounds, sent = rounds_and_bytes(ranks, message)
    return compute * max(rows / ranks, 1) + own + rounds * latency + sent / bandwidth


def least_rows(ranks, *model):
    """The smallest global batch (a power of two) whose efficiency on so many ranks is at least `LEAST`."""
    for rows in (ranks << i for i in range(31)):
        if modelled(1, rows, *model) / (ranks * modelled(ranks, rows, *model)) >= LEAST:
            return rows
    return None


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def print_measured(found, alone):
    names = "parameters", "bytes a step", "rows", "without blocks, ms", "blocks=8, ms", "2 ranks, ms", "speed-up"
    print(f"| {' | '.join(names)} | all-reduce, ms (share) |")
    print("|---|---|---|---|---|---|---|---|")
    for size, widths in WIDTHS.items():
        summed = found["sum"][str(size)]
        for rows in ROWS:
            plain, cut, two = *alone[size, rows], found["step"][f"{size} {rows}"]
            times = " | ".join(f"{1e3 * seconds:.2f}" for seconds in (plain, cut, two))
            share = f"{1e3 * summed:.3f} ({min(1.0, summed / two):.0%})"
            count = size_of(widths)
            print(f"| {count:,} | {4 * count:,} | {rows} | {times} | {plain / two:.2f} x | {share} |")


def print_modelled(latency, bandwidth, alone):
    print(
        f"\nModel: latency {1e6 * latency:.1f} us, bandwidth {bandwidth / 1e9:.2f} GB/s; efficiency with {MODEL_ROWS:,}"
    )
    print(f"rows a batch and, last, the smallest batch with {LEAST:.0%} on 1,024 ranks\n")
    print("| parameters | " + " | ".join(f"{ranks:,} ranks" for ranks in RANKS[1:]) + " | rows |")
    print("|---|" + "---|" * len(RANKS))
    for size, widths in WIDTHS.items():
        own = seconds_of_update(widths)
        compute = max(alone[size, ROWS[-1]][0] - own, 0) / ROWS[-1]
        model = compute, own, 4 * size_of(widths), latency, bandwidth
        one = modelled(1, MODEL_ROWS, *model)
        shares = [one / (ranks * modelled(ranks, MODEL_ROWS, *model)) for ranks in RANKS[1:]]
        rows = least_rows(1024, *model)
        print(f"| {size_of(widths):,} | " + " | ".join(f"{share:.0%}" for share in shares) + f" | {rows:,} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, help="of the model, microseconds; measured by default")
    parser.add_argument("--bandwidth", type=float, help="of the model, gigabytes a second; measured by default")
    parser.add_argument("--on-ranks", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.on_ranks:
        on_ranks()
        return
    fastnn.set_num_threads(1)
    command = [sys.executable, "-m", "fastnn.launch", "-n", "2", __file__, "--on-ranks"]
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"FASTNN_NUM_THREADS": "1"}
    )
    found = json.loads(output.stdout.splitlines()[-1])
    alone = {(size, rows): (seconds_a_step(widths, rows, blocks=None), seconds_a_step(widths, rows))
             for size, widths in WIDTHS.items() for rows in ROWS}  # fmt: skip
    print(f"{processor()}, {os.cpu_count()} processors, {found['mpi']}, fastnn {fastnn.__version__}, a thread a rank\n")
    print_measured(found, alone)
    messages = np.array([4.0 * size_of(widths) for widths in WIDTHS.values()])
    seconds = np.array([found["sum"][str(size)] for size in WIDTHS])
    # Relative errors are made small, so that short messages count: seconds = latency + bytes / bandwidth.
    (latency, inverse), *_ = np.linalg.lstsq(
        np.stack([1 / seconds, messages / seconds], 1), np.ones(len(seconds)), None
    )
    latency = max(latency, 1e-7) if given.latency is None else 1e-6 * given.latency
    print_modelled(latency, 1 / inverse if given.bandwidth is None else 1e9 * given.bandwidth, alone)


if __name__ == "__main__":
    main()
