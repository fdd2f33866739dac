"""How many instructions kernels, steps of training and calls take: a measure of speed that needs no clock.

PYTHONPATH=tests python -m support.instructions

Rewrites recorded/instructions.json, with which test_instructions.py compares, and says what changed. Counting takes
valgrind, x86-64 with AVX2, and some seconds.
"""

import gc
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastnn
import fastnn.functional as F
from fastnn import nn, optim
from fastnn._core import dispatch
from fastnn.optim.functional import adam_step

BASELINE = Path(__file__).parents[1] / "recorded" / "instructions.json"  # runs without support on the path, too
ISA = "avx2"  # valgrind does not know AVX-512
MARK = "getppid"  # a function of the C library that nothing calls but `mark`
WARM_UP = 3  # calls: the interpreter specializes code that has run
TIMEOUT = 300  # seconds


class Case(NamedTuple):
    """What to count: prepare(amount) makes a function without arguments that does so many units of work.

    A unit takes what the larger of two amounts takes more than the smaller, divided by their difference. So a call from
    Python, its checks and the allocation of its result count only where the unit is itself a call.
    """

    prepare: Callable[[int], Callable[[], Any]]
    unit: str
    amounts: tuple[int, int]


# -- what is counted ---------------------------------------------------------------------------------------------------


def numbers(*shape):
    """A maker of arguments: numbers in (0, 1), always the same; None stands for the amount."""

    def make(amount):
        drawn = np.random.default_rng(0).uniform(size=[amount if n is None else n for n in shape])
        return drawn.astype("float32")

    return make


def labels(amount):
    return np.arange(amount) % 10


def call(function, *makers, **options):
    """One call on arguments made for the amount."""
    return lambda amount: partial(function, *(make(amount) for make in makers), **options)


def elements(function, *makers, **options):
    return Case(call(function, *makers, **options), "element", (2**14, 2**16))


def rows(function, *makers, amounts=(256, 1024)):
    return Case(call(function, *makers), "row", amounts)


def steps(trainer, *makers, amounts):
    """Steps of training on 32 rows each, in one epoch."""

    def prepare(amount):
        data = (make(32 * amount) for make in makers)
        return partial(trainer.fit, *data, batch_size=32, seed=0, progress=False)

    return Case(prepare, "step", amounts)


def calls(function, *args):
    """Calls from Python, with all that they cost."""

    def prepare(amount):
        def work():
            for _ in repeat(None, amount):
                function(*args)

        return work

    return Case(prepare, "call", (16, 48))


def small_trainer():
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid(), seed=0)
    return fastnn.Trainer(net, loss=nn.MSELoss(), optimizer=optim.SGD(net.parameters(), lr=0.1))


def digits_trainer():
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10), seed=0)
    return fastnn.Trainer(net, loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(net.parameters()))


def cases():
    """Every case, by a name that says what it is."""
    vector, wide, weight = numbers(None), numbers(None, 64), numbers(64, 64)
    policy = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2), seed=0)
    batch = numbers(32, 2)(0), numbers(32, 1)(0)
    return {
        "exp": elements(F.exp, vector),
        "sigmoid": elements(F.sigmoid, vector),
        "tanh": elements(F.tanh, vector),
        "relu": elements(F.relu, vector),
        "adam_step": elements(adam_step, vector, vector, vector, vector, step=3),
        "softmax of 64 columns": rows(F.softmax, wide),
        "cross_entropy of 10 columns": rows(F.cross_entropy, numbers(None, 10), labels),
        "linear 64x64": rows(F.linear, wide, weight, numbers(64), amounts=(32, 160)),
        "linear_backward 64x64": rows(F.linear_backward, wide, wide, weight, amounts=(32, 160)),
        # Without input features, what is left is the gradient of the bias.
        "column_sums of 64 columns": rows(F.linear_backward, wide, numbers(None, 0), numbers(0, 64)),
        "fit 2-4-2-1": steps(small_trainer(), numbers(None, 2), numbers(None, 1), amounts=(16, 64)),
        "fit 64-128-10": steps(digits_trainer(), wide, labels, amounts=(4, 16)),
        "Trainer.step 2-4-2-1": calls(small_trainer().step, *batch),
        "predict 8-16-2, one row": calls(policy.predict, numbers(1, 8)(0)),
        "relu of 32 numbers": calls(F.relu, numbers(32)(0)),
    }


# -- counting ----------------------------------------------------------------------------------------------------------


def mark():
    """Make valgrind write down what it has counted since it last did."""
    os.getppid()


def work():
    """Run everything that is to be counted, each amount between two marks."""
    gc.disable()
    for case in cases().values():
        for amount in case.amounts:
            function = case.prepare(amount)
            for _ in range(WARM_UP):
                function()
            mark()
            function()
            mark()


def environment():
    """This process's, without what would trace or change the other one, and with one thread."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "FASTNN_", "PYTHON", "VALGRIND"))}
    settings = {"FASTNN_ISA": ISA, "FASTNN_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    return kept | settings | {"PYTHONPATH": str(Path(fastnn.__file__).parent.parent)}


def count():
    """Instructions of a unit of each case, to four digits."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "callgrind.out"
        options = ["--tool=callgrind", f"--dump-before={MARK}", "--combine-dumps=yes", f"--callgrind-out-file={report}"]
        command = ["valgrind", *options, sys.executable, "-P", __file__, "work"]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode != 0:
            raise RuntimeError(f"counting failed: {done.stderr}")
        totals = [int(total) for total in re.findall(r"^totals: (\d+)", report.read_text(), re.MULTILINE)]
    counted = totals[1::2]  # the others are of what is between two works
    counts = {}
    for (name, case), small, large in zip(cases().items(), counted[::2], counted[1::2], strict=True):
        counts[name] = float(f"{(large - small) / (case.amounts[1] - case.amounts[0]):.4g}")
    return counts


def compiler():
    """Name and version of the compiler of the kernels, as it left them in the library; "unknown" if it did not."""
    library = Path(dispatch.__file__).read_bytes()
    # What comes with a compiler may be made by another one: by GCC for clang, by an older GCC for GCC.
    for name, pattern in (("clang", rb"clang version (\d+)([\d.]*)"), ("GCC", rb"GCC: \([^)]*\) (\d+)([\d.]*)")):
        versions = [(int(major), minor.decode()) for major, minor in re.findall(pattern, library)]
        if versions:
            return "{} {}{}".format(name, *max(versions))
    return "unknown"


# -- the baseline ------------------------------------------------------------------------------------------------------


def main():
    """Count, say what changed, and rewrite the baseline."""
    before = json.loads(BASELINE.read_text())["instructions"] if BASELINE.exists() else {}
    counts = count()
    for name, value in counts.items():
        change = f"{value / before[name] - 1:+.1%}" if name in before else "new"
        print(f"{name:<28} {value:>10g}  {change}")
    baseline = {"compiler": compiler(), "python": sys.version, "instructions": counts}
    BASELINE.write_text(json.dumps(baseline, indent=4) + "\n")


if __name__ == "__main__":
    work() if sys.argv[1:] == ["work"] else main()
