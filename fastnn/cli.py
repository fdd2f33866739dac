"""The command `fastnn`.

`fastnn demo` trains on handwritten digits and shows the result, `fastnn course` runs the chapters of a course in
pictures, `fastnn playground` opens a page in which networks learn, `fastnn bench` measures, `fastnn vectors` writes
test vectors for other implementations, `fastnn info` shows versions and settings.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import fastnn
from fastnn import nn, optim
from fastnn.bench import cli as bench
from fastnn.course import cli as course

EPOCHS = 60
SHADES = " .:-=+*%@"


def build_parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="fastnn", description=fastnn.__doc__)
    parser.add_argument("--version", action="version", version=f"fastnn {fastnn.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    demo = commands.add_parser("demo", help="train a 64-128-10 network on handwritten digits and show the result")
    demo.add_argument("--backend", choices=("native", "reference"), default=fastnn.get_backend())
    demo.add_argument("--epochs", type=_positive, default=EPOCHS, help="passes over the data (default %(default)s)")
    demo.add_argument("--seed", type=_seed, default=0, help="decides weights and shuffling (default %(default)s)")
    course.add_parser(commands)
    bench.add_parser(commands, _positive)
    vectors = commands.add_parser("vectors", help="write the cases of operations as .npz files and an index.json")
    vectors.add_argument("folder")
    vectors.add_argument("--ops", nargs="+", metavar="NAME", help="operations (default: all)")
    vectors.add_argument("--seed", type=_seed, default=0, help="of the arguments (default %(default)s)")
    playground = commands.add_parser("playground", help="serve a page on this machine in which small networks learn")
    playground.add_argument("--port", type=_port, default=8765, help="0 takes one that is free (default %(default)s)")
    playground.add_argument("--no-browser", action="store_true", help="do not open the page in the browser")
    commands.add_parser("info", help="show version, instruction set, threads and what they are based on")
    return parser


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _positive(text: str) -> int:
    if not _is_number(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1, got {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not _is_number(text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to 65535, got {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not _is_number(text) or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"must be an integer in [0, 2^64), got {text!r}")
    return int(text)


def make_trainer(seed: int) -> fastnn.Trainer:
    """The demo's network with its loss and optimizer."""
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10), seed=seed)
    return fastnn.Trainer(net, loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(net.parameters(), lr=1e-3))


def demo(backend: str, epochs: int, seed: int) -> int:
    """Train on the digits, and print test accuracy, some predictions and the time of a step on both backends."""
    X, y = fastnn.data.load_digits()
    X_train, X_test, y_train, y_test = fastnn.data.train_test_split(X, y, test_size=0.25, seed=0, stratify=y)
    pixels = X_test
    X_train, X_test = fastnn.data.standardize(X_train, X_test)
    with fastnn.use_backend(backend):
        trainer = make_trainer(seed)
        print(f"{len(X_train)} handwritten digits to learn from, {len(X_test)} to test with; {backend} backend")
        print(trainer.net)
        started = time.perf_counter()
        history = trainer.fit(X_train, y_train, epochs=epochs, batch_size=32, seed=seed)
        seconds = time.perf_counter() - started
        scores = trainer.evaluate(X_test, y_test)
        predicted = trainer.net.predict(X_test).argmax(axis=1)
    print(f"\ntrained {epochs} epochs in {seconds:.2f} s, training loss {history['loss'][-1]:.4f}")
    _show_digits(pixels, y_test, predicted)
    print(f"test accuracy {scores['accuracy']:.2f}")
    times = {name: _step_time(name, X_train, y_train, seed) for name in ("native", "reference")}
    ratio = times["reference"] / times["native"]
    print(
        f"a training step of 32 digits: {times['native'] * 1e6:.0f} us compiled, "
        f"{times['reference'] * 1e6:.0f} us with the NumPy reference ({ratio:.1f} times as long)"
    )
    return 0


def _step_time(backend: str, X: Any, y: Any, seed: int) -> float:
    """Seconds of a training step: the fastest of a few epochs."""
    with fastnn.use_backend(backend):
        history = make_trainer(seed).fit(X, y, epochs=6, batch_size=32, seed=seed, progress=False)
    return min(history["seconds"]) / -(-len(X) // 32)


def _show_digits(X: Any, y: Any, predicted: Any) -> None:
    """Print some test digits as characters with the predicted class, wrong predictions first."""
    wrong = [i for i in range(len(y)) if predicted[i] != y[i]][:2]
    right = [i for i in range(len(y)) if predicted[i] == y[i]][: 7 - len(wrong)]
    chosen = wrong + right
    for row in range(8):
        pixels = (X[i].reshape(8, 8)[row] for i in chosen)
        print("   ".join("".join(SHADES[int(v * (len(SHADES) - 1))] for v in line) for line in pixels))
    print("   ".join(f"{f'{predicted[i]} (is {y[i]})' if predicted[i] != y[i] else predicted[i]!s:<8}" for i in chosen))


def vectors(folder: str, ops: list[str] | None, seed: int) -> int:
    """Write test vectors; returns the exit code."""
    from fastnn.testing import write_vectors

    paths = write_vectors(folder, ops, seed)
    print(f"{len(paths)} files in {folder}: docs/testing.md has the schema")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (0 done, 1 an error, 2 wrong usage, 130 interrupted)."""
    arguments = build_parser().parse_args(argv)
    try:
        if arguments.command == "info":
            fastnn.show_config()
            return 0
        if arguments.command == "bench":
            return bench.run(arguments)
        if arguments.command == "vectors":
            return vectors(arguments.folder, arguments.ops, arguments.seed)
        if arguments.command == "course":
            return course.run(arguments)
        if arguments.command == "playground":
            from .playground import serve

            serve(arguments.port, browser=not arguments.no_browser)
            return 0
        return demo(arguments.backend, arguments.epochs, arguments.seed)
    except KeyboardInterrupt as error:
        print(error if error.args else "interrupted", file=sys.stderr)
        return 130
    except (ImportError, OSError, ValueError) as error:
        print(f"fastnn: {error}", file=sys.stderr)
        return 1
