"""Data that comes piece by piece trains as arrays do, is read ahead, and leaves no thread behind."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext

import numpy as np
import pytest

import fastnn
from fastnn.data import batches
from support.resumable import bits, data, make_trainer, reading
from support.runs import interrupted

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def pieces(size=16, dtype="float32", weighted=True):
    arrays = data(dtype)[: 2 + weighted]
    return [tuple(array[i : i + size] for array in arrays) for i in range(0, len(arrays[0]), size)]


@pytest.mark.parametrize("prefetch", [0, 1, 5])
@pytest.mark.parametrize("kind", ["list", "function", "generator"])
def test_batches_train_as_arrays_do(kind, prefetch, dtype, backend):
    whole, trainer = make_trainer(dtype), make_trainer(dtype)
    x, y, _ = data(dtype)
    epochs = 1 if kind == "generator" else 3
    held = {"validation_data": (x, y)}
    whole.fit(x, y, epochs=epochs, batch_size=16, shuffle=False, **held)
    parts = pieces(dtype=dtype, weighted=False)
    source = {"list": parts, "function": lambda: iter(parts)}.get(kind) or (piece for piece in parts)
    history = trainer.fit(source, epochs=epochs, prefetch=prefetch, **held)
    assert history["loss"] == whole.history["loss"] and history["val_loss"] == whole.history["val_loss"]
    assert bits(trainer) == bits(whole)


def test_batches_divide_by_their_own_weights(dtype, backend):
    """The weights of those to come are not known."""
    trainer, twin = make_trainer(dtype), make_trainer(dtype)
    trainer.fit(pieces(dtype=dtype)[:3])
    for piece in pieces(dtype=dtype)[:3]:
        twin.step(*piece)
    np.testing.assert_array_equal(trainer.net.parameters().data, twin.net.parameters().data)


def test_batches_may_differ_in_size():
    trainer, twin = make_trainer(), make_trainer()
    x, y, _ = data()
    cuts = [0, 1, 30, 31, 120]
    trainer.fit([(x[a:b], y[a:b]) for a, b in itertools.pairwise(cuts)])
    for a, b in itertools.pairwise(cuts):
        twin.step(x[a:b], y[a:b])
    assert bits(trainer)[0] != bits(make_trainer())[0]
    np.testing.assert_array_equal(trainer.net.parameters().data, twin.net.parameters().data)
    trainer.fit(lambda: batches(x, y, batch_size=32, shuffle=True, seed=0), epochs=2)


def test_callbacks_see_batches_of_an_iterable():
    seen = []

    class Look(fastnn.Callback):
        def on_batch_end(self, run):
            seen.append((run.epoch, run.batch, run.position, run.samples, run.batch_size))

    make_trainer().fit(pieces(50), epochs=2, callbacks=[Look()], progress=True)
    assert seen == [(e, b, p, None, None) for e in range(2) for b, p in ((1, 50), (2, 100), (3, 120))]


@pytest.mark.parametrize("kind", ["arrays", "batches", "shards"])
def test_metrics_and_schedules_go_with_streams(kind, shards, tmp_path):
    """Interrupted and resumed at the end of an epoch, too."""
    x, y, weight = data()

    def make():
        trainer = make_trainer()
        trainer = fastnn.Trainer(trainer.net, trainer.loss, trainer.optimizer, metrics=["f1", "accuracy"])
        trainer.scheduler = fastnn.optim.lr_scheduler.StepLR(trainer.optimizer, 3, by="batch")
        return trainer

    source = {"arrays": (x, y), "batches": (pieces(50, weighted=False),), "shards": (shards,)}[kind]
    weights = {"sample_weight": weight} if kind == "arrays" else {}
    settings = {"batch_size": 50, "shuffle": False, "epochs": 3, "validation_data": (x, y), **weights}
    whole, cut, resumed = make(), make(), make()
    history = whole.fit(*source, **settings)
    assert len(history["f1"]) == 3 and len(history["val_f1"]) == 3
    cut.fit(*source, **settings | {"epochs": 2}, checkpoint=tmp_path / "c")
    again = resumed.fit(*source, **settings, checkpoint=tmp_path / "c", resume=True)
    assert bits(resumed) == bits(whole) and again["f1"] == history["f1"]
    arrays = make()
    arrays.fit(x, y, **settings | ({} if kind == "batches" else {"sample_weight": weight}))
    assert bits(arrays) == bits(whole)


BROKEN = [
    (
        lambda: iter([(1, 2, 3, 4)]),
        TypeError,
        r"batch 0 must be \(x, y\) or \(x, y, sample_weight\), got \(1, 2, 3, 4\)",
    ),
    (lambda: [np.ones((3, 6))], TypeError, r"batch 0 must be \(x, y\)"),
    (lambda: [*pieces(), (np.ones((3, 5), "f"), [0, 1, 2])], ValueError, "batch 8: Linear: x has 5 features"),
    (lambda: [(np.ones((3, 6), "f"), [0, 1])], ValueError, r"batch 0: y must have shape \(3,\)"),
    (lambda: [(np.ones((3, 6), "D"), [0, 1, 2])], TypeError, "batch 0: x must be float32 or float64, got complex128"),
    (lambda: [(np.ones((0, 6), "f"), np.zeros(0, int))], ValueError, "batch 0: x must have at least one row"),
    (lambda: [(np.ones((2, 6), "f"), [0, 3])], ValueError, r"y\[1\] is 3: class indices must be between 0 and 2"),
    (lambda: [(np.full((1, 6), np.nan, "f"), [0])], ValueError, r"x\[0, 0\] is nan"),
    (list, ValueError, "x gave no batches"),
]


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize(("make", "error", "message"), BROKEN)
def test_what_is_wrong_with_a_batch_is_said(make, error, message, prefetch):
    with pytest.raises(error, match=message):
        make_trainer().fit(make, prefetch=prefetch)


def test_arguments_that_do_not_go_with_an_iterable(shards):
    trainer = make_trainer()
    x, _, weight = data()
    for arguments, error, message in (
        ({"x": iter(pieces()), "epochs": 2}, ValueError, "x is a list_iterator, which gives its batches once: pass a"),
        ({"x": 3}, TypeError, "x must be an iterable of batches where y is not given, got int"),
        ({"x": x}, ValueError, "y must be given with an array x"),
        ({"x": pieces(), "sample_weight": weight}, ValueError, "sample_weight must be part of the batches"),
        ({"x": shards, "validation_split": 0.1}, ValueError, "give validation_data instead of validation_split"),
        ({"x": pieces(), "prefetch": -1}, ValueError, "prefetch must be at least 0"),
    ):
        with pytest.raises(error, match=message):
            trainer.fit(**arguments)
    assert bits(trainer) == bits(make_trainer())


@pytest.mark.parametrize("source", ["shards", "function"])
@pytest.mark.parametrize("count", range(1, 25, 4))
def test_a_stream_goes_on_from_a_checkpoint(source, count, shards, tmp_path):
    class Stop(fastnn.Callback):
        in_checkpoints = False

        def on_batch_end(self, run):
            if run.net._tick[0] == count:
                run.stop("now", pause=True)

    x = shards if source == "shards" else lambda: iter(pieces())
    whole = make_trainer()
    whole.fit(x, epochs=3, batch_size=16)
    make_trainer().fit(x, epochs=3, batch_size=16, callbacks=[Stop()], checkpoint=tmp_path / "c")
    trainer = make_trainer()
    trainer.fit(x, epochs=3, batch_size=16, checkpoint=tmp_path / "c", resume=True)
    assert bits(trainer) == bits(whole)


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_when_a_run_ends(error, shards):
    """The thread is gone when `fit` is, however it ends (see the fixture above)."""

    class End(fastnn.Callback):
        def on_batch_end(self, run):
            if run.batch == 2 and error is None:
                run.stop("enough")
            if run.batch == 2 and error is not None:
                raise error("now")

    for source in (shards, pieces(), lambda: iter(pieces())):
        trainer = make_trainer()
        with nullcontext() if error is None else pytest.raises(error, match="now"):
            trainer.fit(source, epochs=3, callbacks=[End()], prefetch=3)
        assert trainer.history.interrupted == (error is KeyboardInterrupt)
        assert not reading()


def test_ctrl_c_ends_the_wait_for_a_slow_source():
    waiting, over = threading.Event(), threading.Event()

    def slow():
        yield pieces()[0]
        waiting.set()
        over.wait(60)
        yield pieces()[1]

    def interrupt():
        waiting.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.warns(RuntimeWarning, match="the thread that reads ahead still waits for the next batch of x"):
        interrupted(make_trainer(), slow, prefetch=2)
    over.set()
    thread.join()
    assert_thread_ends()


def assert_thread_ends():
    """The thread that reads ahead, within a minute."""
    for thread in reading():
        thread.join(60)
    assert not reading()


@pytest.mark.parametrize("end", ["stop", "error"])
def test_a_source_that_waits_for_ever_holds_nobody_up(end, backend):
    """`fit` returns with a warning; the generator is closed, and its thread over, as soon as it goes on."""
    going, closed = threading.Event(), threading.Event()

    def blocked():
        try:
            yield pieces()[0]
            going.wait(60)
            yield pieces()[1]
        finally:
            closed.set()

    class End(fastnn.Callback):
        def on_batch_end(self, run):
            if end == "error":
                raise KeyError("of the user")
            run.stop("now")

    raised = pytest.raises(KeyError, match="of the user") if end == "error" else nullcontext()
    began = time.perf_counter()
    with raised, pytest.warns(RuntimeWarning, match="still waits for the next batch of x.*prefetch=0"):
        make_trainer().fit(blocked, callbacks=[End()])
    assert time.perf_counter() - began < 30
    assert all(thread.daemon for thread in reading()) and not closed.is_set()
    going.set()
    assert closed.wait(60)
    assert_thread_ends()


LARGE = """
import resource, sys
import numpy as np
from support.resumable import make_trainer
rows, features = 400_000, 256
x = np.memmap(sys.argv[1], "float32", mode="w+", shape=(rows, features))  # 410 MB, of nothing: a sparse file
x[::1000, 0] = np.arange(rows // 1000) % 3
x.flush()
x = np.memmap(sys.argv[1], "float32", mode="r", shape=(rows, features))
y = np.memmap(sys.argv[1], "int64", mode="r", shape=(rows,))
import fastnn
from fastnn import nn, optim
net = nn.Sequential(nn.Linear(features, 4), nn.ReLU(), nn.Linear(4, 3), seed=0)
trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
used = int([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmData")][0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 200_000_000,) * 2)  # what is mapped from a file does not count
y = np.zeros(rows, "int64")
trainer.fit(x, y, batch_size=256, validation_split=0.1)
trainer.evaluate(x, y)
assert net.predict(x).shape == (rows, 3)
shards = fastnn.data.Shards.write(sys.argv[2], x[:150_000], y[:150_000], rows=10_000)
trainer.fit(shards, epochs=1)
try:
    np.array(x)
except MemoryError:
    print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_training_takes_no_more_memory_than_a_piece(tmp_path):
    command = [sys.executable, "-c", LARGE, str(tmp_path / "x"), str(tmp_path / "shards")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "2"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
