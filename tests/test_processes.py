"""Processes, threads and signals around training: fork, spawn, Ctrl-C, and what an import costs."""

import gc
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import threads as core_threads
from support.runs import interrupted, interruptible

PATIENCE = 10.0  # seconds that a child may take; one that hangs would take for ever
ANSWER = 0.3  # seconds within which Ctrl-C ends a run: 200 ms on a quiet machine
HEAVY = {"tqdm", "safetensors", "sklearn", "matplotlib", "torch", "onnx", "scipy", "pandas", "multiprocessing"}


def trained(seed=0, width=64, dtype="float32", epochs=2):
    """The digest of a network after training."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((200, 20)).astype(dtype), rng.integers(0, 5, 200)
    layers = nn.Linear(20, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 5)
    net = nn.Sequential(*layers, seed=seed, dtype=dtype)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    trainer.fit(x, y, epochs=epochs, batch_size=50, seed=seed)
    return digest(net)


def digest(net):
    return hashlib.sha256(net.parameters().data.tobytes()).hexdigest()


def worker(queue, seed):
    """What a child of multiprocessing runs; at module level, so that spawn finds it."""
    queue.put((trained(seed), core_threads.forked()))


@pytest.fixture
def two_threads(cut_small_work):
    """Threads are at work before anything forks."""
    fastnn.set_num_threads(2)
    return trained()


def answer_of_a_fork():
    """What a forked child gets by training, or "" if it gives no answer in time."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(sender, f"{trained()} {core_threads.forked()}".encode())
        finally:
            os._exit(0)  # whatever happens: two processes must not go on with the tests
    os.close(sender)
    deadline = time.monotonic() + PATIENCE
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.01)
    with os.fdopen(receiver) as answer:
        return answer.read()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_forked_child_trains_to_the_same_bits(two_threads):
    assert answer_of_a_fork() == f"{two_threads} True"
    assert trained() == two_threads
    assert not core_threads.forked()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_forked_from_a_thread_trains_to_the_same_bits(two_threads):
    answers = []
    thread = threading.Thread(target=lambda: answers.append((trained(), answer_of_a_fork())))
    thread.start()
    thread.join(3 * PATIENCE)
    assert answers == [(two_threads, f"{two_threads} True")]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing_trains_to_the_same_bits(method, two_threads):
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    child = context.Process(target=worker, args=(queue, 0))
    child.start()
    child.join(3 * PATIENCE)  # spawn imports NumPy anew
    alive = child.is_alive()
    if alive:
        child.kill()
    assert not alive
    assert child.exitcode == 0
    assert queue.get() == (two_threads, method == "fork")


@pytest.mark.parametrize("count", [1, 2])
def test_threads_train_their_networks_at_the_same_time(count, cut_small_work):
    fastnn.set_num_threads(count)
    alone = [trained(seed, epochs=20) for seed in range(3)]
    together = [None] * 3
    barrier = threading.Barrier(3)

    def train(seed):
        barrier.wait()
        together[seed] = trained(seed, epochs=20)

    workers = [threading.Thread(target=train, args=(seed,)) for seed in range(3)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join(3 * PATIENCE)
    assert together == alone


def long_run(epochs=100_000):
    """A trainer and a fit that nobody waits for."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((512, 64)).astype("float32"), rng.integers(0, 10, 512)
    net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    return trainer, lambda epochs=epochs: interruptible(trainer, x, y, epochs=epochs, validation_data=(x[:64], y[:64]))


@pytest.fixture
def alarm():
    """A function that lets KeyboardInterrupt come, as by Ctrl-C, after so many seconds."""

    def interrupt(*_):
        raise KeyboardInterrupt

    # Hypothesis listens to the garbage collector, and Python drops what is raised in such a callback.
    gc.disable()
    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda delay: signal.setitimer(signal.ITIMER_REAL, delay)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    gc.enable()


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_a_signal_ends_a_run_between_two_batches(backend, alarm):
    trainer, run = long_run()
    with fastnn.use_backend(backend):
        for delay in np.random.default_rng(0).uniform(0.05, 0.2, 6):
            due = time.perf_counter() + delay
            alarm(delay)
            history = run()
            assert 0 <= time.perf_counter() - due < ANSWER
            assert history.interrupted
            assert np.isfinite(trainer.net.parameters().data).all()
            assert not run(epochs=1).interrupted


def test_an_epoch_that_was_cut_off_is_not_recorded(alarm, rng):
    """Epochs so short that many signals come while the records are written."""

    def loss(y_pred, y):
        if trainer.optimizer.step_count == 0:
            alarm(rng.uniform(1e-3, 2e-3))
        return 0.0, np.zeros_like(y_pred)

    x, y = np.zeros((1, 2), "float32"), np.zeros((1, 1), "float32")
    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    for _ in range(300):
        trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters()))
        history = interrupted(trainer, x, y, epochs=100_000, validation_data=(x, y))
        assert {name: len(record) for name, record in history.records.items()} == dict.fromkeys(history, history.epochs)


def test_ctrl_c_within_a_loss_in_python_ends_the_run():
    calls = []

    def loss(y_pred, y):
        calls.append(len(y))
        if len(calls) == 7:
            raise KeyboardInterrupt
        return float(((y_pred - y) ** 2).sum()), 2 * (y_pred - y)

    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters()))
    history = interrupted(trainer, np.ones((20, 3), "float32"), np.zeros((20, 2), "float32"), epochs=9, batch_size=5)
    assert (history.epochs, len(calls)) == (1, 7)
    assert trainer.optimizer.step_count == 6


CTRL_C = """
import json, signal, sys, time
import numpy as np
sys.path.insert(0, {tests!r})
from test_processes import long_run
signal.signal(signal.SIGINT, signal.default_int_handler)
trainer, run = long_run()
for _ in range(3):
    print("running", flush=True)
    history = run()
    ended = time.monotonic()
    finite = bool(np.isfinite(trainer.net.parameters().data).all())
    print(json.dumps([ended, history.interrupted, finite, run(epochs=1).interrupted]), flush=True)
"""


def test_ctrl_c_ends_a_run_and_the_next_one_works():
    script = CTRL_C.format(tests=os.path.dirname(__file__))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        for delay in np.random.default_rng(1).uniform(0.02, 0.3, 3):
            assert child.stdout.readline() == "running\n"
            time.sleep(delay)
            sent = time.monotonic()
            child.send_signal(signal.SIGINT)
            ended, *outcome = json.loads(child.stdout.readline())
            assert outcome == [True, True, False]
            assert 0 < ended - sent < ANSWER
        assert child.wait(PATIENCE) == 0


def python(code, **environment):
    """What a fresh interpreter prints; its error output where it fails."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("FASTNN_", "OMP_"))}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=clean | environment, capture_output=True, text=True, timeout=60
    )
    return run.stdout.strip() if run.returncode == 0 else run.stderr.strip()


SMALL = {"_plugged", "_core", "_settings", "_frames", "_locks", "_validation", "_version", "gradcheck"}


def test_import_loads_nothing_heavy_and_takes_little_time(tmp_path):
    code = """
import sys, time, json
import numpy
before, began = set(sys.modules), time.perf_counter()
import fastnn
print(json.dumps([time.perf_counter() - began, sorted({m.split(".")[0] for m in set(sys.modules) - before})]))
"""
    # The first run compiles the modules, as an installer does; the others find them compiled.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    runs = [json.loads(python(code, **compiled)) for _ in range(4)]
    assert not HEAVY & set(runs[0][1])
    assert min(seconds for seconds, _ in runs) < 0.1


def test_import_loads_what_is_used():
    """The package itself is small; layers, optimizers and the trainer come with their names, data sets do not."""
    loaded = "print(*sorted(m for m in sys.modules if m.startswith('fastnn') or m in UNUSED))"
    unused = {"tempfile", "shutil", "urllib.parse", "json", "csv", "inspect", "dataclasses", "fastnn.reference"}
    begin = f"import sys, numpy; UNUSED = {unused} - set(sys.modules); import fastnn"
    bare = python(f"{begin}; {loaded}")
    assert {name.split(".")[1] for name in bare.split() if "." in name} <= SMALL
    assert not unused & set(bare.split())
    used = set(python(f"{begin}; fastnn.nn.Linear(2, 1); fastnn.Trainer; fastnn.optim.SGD; {loaded}").split())
    assert {"fastnn.nn", "fastnn.optim", "fastnn.training"} <= used
    assert not {"fastnn.data", "fastnn.files", "fastnn.metrics", "fastnn.reference", "tempfile", "json", "csv"} & used


def test_a_training_without_a_bar_loads_nothing_heavy():
    code = """
import sys, numpy as np, fastnn
from fastnn import nn, optim
net = nn.Sequential(nn.Linear(2, 1))
trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
trainer.fit(np.zeros((4, 2), "f"), np.zeros(4, "f"), progress=False)
print(*sorted({m.split(".")[0] for m in sys.modules}))
"""
    assert not HEAVY & set(python(code).split())


TINY = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from test_processes import trained
def kept():
    halves = [np.full(9, np.finfo(t).smallest_normal) / 2 for t in ("float32", "float64")]
    return all((half > 0).all() and (half * 2 == np.finfo(half.dtype).smallest_normal).all() for half in halves)
print(kept(), len(trained(dtype="float32")), len(trained(dtype="float64")), kept())
"""


def test_training_leaves_the_floating_point_environment_as_it_was():
    """Numbers below the normal range go on to exist: flushed neither as results nor as operands."""
    assert python(TINY.format(tests=os.path.dirname(__file__))) == "True 64 64 True"
