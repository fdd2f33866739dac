"""What C is told is true, whatever attributes are set to, arrays consist of, and other threads write meanwhile."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core.program import BadLabel, NativeProgram
from fastnn.compiler.batch_run import BatchRun

ROOT = Path(__file__).parent.parent
STRINGS = np.array(["a", "b"] * 4, np.dtypes.StringDType())
OBJECTS = np.array([1.0, None] * 4, object)
RECORDS = np.zeros(8, [("a", "O"), ("b", "f4")])


def mean(y_pred, y):
    return 0.0, np.zeros_like(y_pred)


@pytest.mark.parametrize("y", [OBJECTS, STRINGS, RECORDS], ids=["object", "StringDType", "record"])
def test_targets_with_references_are_refused(backend, y):
    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    trainer = fastnn.Trainer(net, mean, optim.SGD(net.parameters()))
    x = np.zeros((8, 2), "float32")
    calls = [
        lambda: trainer.fit(x, y),
        lambda: trainer.step(x, y),
        lambda: trainer.evaluate(x, y),
        lambda: trainer.fit([(x, y)]),
        lambda: trainer.fit(x, np.zeros(8), validation_data=(x, y)),
        lambda: trainer.fit(x, y, transform=fastnn.data.Mixup()),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="y must be an array of numbers"):
            call()
    for batch, rows in zip(fastnn.data.batches(x, y, batch_size=3), (3, 3, 2), strict=True):
        assert len(batch[1]) == rows  # gathered by NumPy


@pytest.mark.parametrize("y", [np.zeros(8, "S0"), np.array(["a"] * 8), np.zeros(8, "M8[s]"), np.zeros((8, 0))])
def test_targets_without_references_reach_a_python_loss(backend, y):
    seen = []

    def loss(y_pred, y):
        seen.append(y.copy())
        return mean(y_pred, y)

    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    fastnn.Trainer(net, loss, optim.SGD(net.parameters())).fit(np.zeros((8, 2)).astype("f4"), y, shuffle=False)
    np.testing.assert_array_equal(np.concatenate(seen), y)


def test_a_python_loss_of_the_inputs_themselves(backend):
    net = nn.Sequential(nn.Identity(), seed=0)
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 2), "float32")
    trainer = fastnn.Trainer(net, lambda p, t: (float((p - t).sum()), np.ones_like(p)), optim.SGD(net.parameters()))
    assert trainer.step(x, y) == 8.0
    assert trainer.evaluate(x, y)["loss"] == 8.0


def misaligned(array):
    moved = np.frombuffer(b"x" + array.tobytes(), "uint8")[1:].view(array.dtype).reshape(array.shape)
    assert not moved.flags.aligned
    return moved


def test_misaligned_arrays_are_copied(backend):
    labels, weights = np.arange(6) % 3, np.arange(6, dtype="float32")
    x = np.random.default_rng(0).standard_normal((6, 3)).astype("float32")
    loss = nn.CrossEntropyLoss()
    y, _ = loss.prepare_target(misaligned(labels), 6, 3, np.dtype("float32"))
    assert y.flags.aligned
    net = nn.Sequential(nn.Linear(3, 3), seed=0)
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters()), metrics=["f1"])
    right = trainer.evaluate(x, labels, sample_weight=weights)
    assert trainer.evaluate(misaligned(x), misaligned(labels), sample_weight=misaligned(weights)) == right
    assert F.cross_entropy(misaligned(x), misaligned(labels)) == F.cross_entropy(x, labels)


def test_orders_and_lengths_are_checked_where_they_are_used(backend):
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
    data = trainer.engine.data(np.zeros((4, 3), "float32"), np.zeros(4, "int64"))
    for order in ([0, 1, 2, 4], [0, 1, 2, 10**12]):
        with pytest.raises((IndexError, ValueError)):
            trainer.engine.run("step", data, np.array(order), 0, 4, 4, np.zeros(5))


def native_run(trainer, data, **changed):
    program = trainer.engine.get("step", data, 4)
    given = {"x": data.x, "target": data.y, "sample_weight": None, "order": None, "start": 0, "stop": 4}
    given |= {"batch_size": 4, "staging": None, "sums": np.zeros(5), "train": True}
    return program.executor.run_batches(*program.span("forward", "statistics"), BatchRun(**(given | changed)))


@pytest.mark.parametrize(
    "changed",
    [
        {"sums": np.zeros(0)},
        {"stop": 5},
        {"start": -1},
        {"batch_size": 0},
        {"x": np.zeros((4, 2), "float32")},
        {"x": np.zeros((4, 3))},
        {"target": np.zeros(3, "int64")},
        {"target": np.zeros(4, "int32")},
        {"sample_weight": np.zeros(4)},
        {"order": np.arange(3)},
        {"order": np.arange(4), "staging": (np.zeros((1, 3), "float32"), np.zeros(1, "int64"), None)},
    ],
    ids=str,
)
def test_the_compiled_core_refuses_what_does_not_fit(changed):
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
    data = trainer.engine.data(np.zeros((4, 3), "float32"), np.zeros(4, "int64"))
    before = net.state_dict()["0.weight"]
    with pytest.raises(ValueError, match="must"):
        native_run(trainer, data, **changed)
    np.testing.assert_array_equal(net.state_dict()["0.weight"], before)


def racing(array, wild, work, seconds=0.3):
    """Call `work` while another thread switches the elements of `array` between good and wild ones."""
    good, over, said = array.copy(), threading.Event(), set()

    def write():
        while not over.is_set():
            array[...] = wild
            array[...] = good

    thread = threading.Thread(target=write)
    thread.start()
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            try:
                work()
            except (ValueError, BadLabel, IndexError, RuntimeError) as error:
                said.add(str(error))
    finally:
        over.set()
        thread.join()
    assert all(any(word in text for word in ("must be", "index", "finite")) for text in said), said
    assert not any("out of bounds" in text for text in said), said


WILD = [10**12, -(10**12)]


@pytest.mark.filterwarnings("ignore:the loss of batch")
@pytest.mark.parametrize("wild", WILD)
@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(weight=[1.0, 2.0, 1.0]), nn.NLLLoss(), nn.MultiMarginLoss()])
@pytest.mark.parametrize("backend", ["native", "reference"])
def test_labels_that_another_thread_changes(loss, wild, backend):
    with fastnn.use_backend(backend):
        race_for_labels(loss, wild)


def race_for_labels(loss, wild):
    net = nn.Sequential(nn.Linear(3, 3), seed=0)
    trainer = fastnn.Trainer(
        net, loss, optim.SGD(net.parameters(), lr=1e-9), metrics=["f1", fastnn.metrics.TopKAccuracy(2)]
    )
    y = np.arange(4096) % 3
    x = np.ones((len(y), 3), "float32")
    racing(y, wild, lambda: trainer.fit(x, y, epochs=3, batch_size=512, shuffle=False))
    racing(y, wild, lambda: trainer.fit(x, y, epochs=3, batch_size=512), 0.1)
    racing(y, wild, lambda: F.cross_entropy(x, y), 0.1)
    racing(y, wild, lambda: F.multi_margin_loss_backward(1.0, x, y), 0.1)


@pytest.mark.filterwarnings("ignore:the loss of batch")
@pytest.mark.parametrize("wild", WILD)
@pytest.mark.parametrize("backend", ["native", "reference"])
def test_codes_that_another_thread_changes(wild, backend):
    with fastnn.use_backend(backend):
        race_for_codes(wild)


def race_for_codes(wild):
    net = nn.Sequential(nn.Embedding(8, 4), nn.Linear(8, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=1e-9))
    x = (np.arange(8192).reshape(-1, 2) % 8).astype("float32")
    y = np.zeros((len(x), 1), "float32")
    racing(x, wild, lambda: trainer.fit(x, y, epochs=3, batch_size=512, shuffle=False))
    racing(x, wild, lambda: net.predict(x))
    racing(x, wild, lambda: F.embedding(x, net.layers[0].weight), 0.1)
    g = np.ones((*x.shape, 4), "float32")
    racing(x, wild, lambda: F.embedding_backward(g, x, net.layers[0].weight), 0.1)


# -- attributes --------------------------------------------------------------------------------------------------------


ATTRIBUTES = """
import copy, inspect, sys
import numpy as np
import fastnn
from fastnn import nn, optim
arguments = {"Linear": (3, 3), "Embedding": (5, 2), "LayerNorm": (3,), "RMSNorm": (3,), "BatchNorm1d": (3,),
             "PReLU": (3,), "Columns": ([0, 2],), "Maxout": (3,), "GroupNorm": (3, 3),
             "LinearInt8": (3, 3), "InstanceNorm1d": (1,), "EmbeddingBag": (5, 2), "Threshold": (0.5, 0.0),
             "GraphModule": ({"a": nn.Linear(3, 3)}, [["layer", "a", "%0"]]),
             "TabularInput": ([0], {1: (5, 2)})}
wild = [10**6, -1, 0, 2**70, float("nan"), float("inf"), 1e300, None, "abc", "softmax", (), [10**6], [-1], {}, True,
        np.zeros(1), np.zeros((0, 4)), object()]
if fastnn.get_backend() == "reference":  # a hundred times slower
    wild = wild[::5]
x = np.ones((4, 3), "float32")
done, others = 0, ("Module", "ModuleList", "Concat", "Residual", "Heads")
others += ("Bilinear", "CosineSimilarity", "PairwiseDistance")  # of two inputs
for name in nn.__all__:
    kind = getattr(nn, name)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)) or name in others:
        continue
    layer = kind(*arguments.get(name, ()))
    width = 4 if "GLU" in name else 3
    x = np.ones((4, width), "float32")
    for attribute in dir(layer):
        if attribute.startswith("_") or callable(getattr(kind, attribute, None)) and attribute != "forward":
            continue
        for value in wild:
            net = nn.Sequential(copy.deepcopy(layer), seed=0)
            n_out = net.out_features_for(width)
            trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters()))
            net.predict(x)
            try:
                setattr(net.layers[0], attribute, value)
            except Exception:
                continue
            for call in (lambda: net.predict(x), lambda: net(x), lambda: net.backward(np.ones((4, n_out), "float32")),
                         lambda: trainer.step(x, np.ones((4, n_out), "float32")), lambda: net.summary()):
                try:
                    call()
                except Exception as error:
                    assert str(error), (name, attribute, value)
                done += 1
for thing in ("net", "params", "optimizer", "average", "trainer", "loss"):
    def make():
        net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2), seed=0)
        optimizer, average = optim.Adam(net.parameters()), optim.ExponentialMovingAverage(net.parameters())
        loss = nn.CrossEntropyLoss(weight=[1.0, 2.0])
        trainer = fastnn.Trainer(net, loss, optimizer, average=average)
        return dict(net=net, params=net.parameters(), optimizer=optimizer, average=average, trainer=trainer, loss=loss)
    x, y = np.ones((4, 3), "float32"), np.arange(4) % 2
    names = [n for n in dir(make()[thing]) if not n.startswith("_")]
    others = [nn.Sequential(nn.Linear(3, 5), seed=0), nn.Sequential(nn.Linear(2, 2), seed=0)]
    for attribute in names:
        for value in wild + others + [o.parameters() for o in others]:
            all_of_it = make()
            try:
                setattr(all_of_it[thing], attribute, value)
            except Exception:
                continue
            net, trainer, optimizer = all_of_it["net"], all_of_it["trainer"], all_of_it["optimizer"]
            for call in (lambda: net.predict(x), lambda: net(x), lambda: net.backward(np.ones((4, 2), "float32")),
                         lambda: optimizer.step(), lambda: trainer.step(x, y), lambda: all_of_it["average"].update(),
                         lambda: trainer.evaluate(x, y), lambda: trainer.fit(x, y, epochs=1)):
                try:
                    call()
                except Exception:
                    pass
                done += 1
optimizer = optim.Adam(others[0].parameters())
for states in ({}, {"exp_avg": np.zeros(1, "float32")}, {"exp_avg": np.zeros(1), "exp_avg_sq": np.zeros(1)}):
    try:
        optimizer.states = states
        optimizer.step()
    except (AttributeError, ValueError):
        done += 1
print("done", done > 5000 // (1 + 9 * (fastnn.get_backend() == "reference")))
"""


@pytest.mark.parametrize("name", ["native", "reference"])
def test_wild_attributes_crash_nothing(name):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "FASTNN_BACKEND": name}
    command = [sys.executable, "-W", "ignore", "-X", "faulthandler", "-c", ATTRIBUTES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "done True\n"), done.stderr[-3000:]


# -- building ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not (ROOT / "src_c").exists(), reason="there are no sources")
@pytest.mark.parametrize("flags", ["-ffast-math", "-Ofast", "-ffinite-math-only", "-funsafe-math-optimizations"])
def test_flags_that_change_results_do_not_compile(flags, tmp_path):
    compiler = os.environ.get("CC", "gcc").split()
    command = [*compiler, "-std=gnu11", "-c", "-o", str(tmp_path / "x.o"), str(ROOT / "src_c" / "process.c")]
    assert subprocess.run(command, capture_output=True).returncode == 0
    done = subprocess.run([*command, flags], capture_output=True, text=True)
    assert done.returncode != 0 and "compiled without -ffast-math" in done.stderr


# -- environment -------------------------------------------------------------------------------------------------------

DIGITS = ["٣", "²", "1²", "+1", "1_0", "9" * 5000, "0", "00", " ", "-1", "1.5", "\udcff"]


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "FASTNN_NUM_THREADS"])
@pytest.mark.parametrize("value", DIGITS)
def test_odd_numbers_in_the_environment(monkeypatch, variable, value):
    from fastnn._core import threads

    for name in ("OMP_NUM_THREADS", "FASTNN_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    if variable == "FASTNN_NUM_THREADS" and value.strip() and value != "9" * 5000:
        with pytest.raises(ValueError, match="FASTNN_NUM_THREADS must be an integer of at least 1"):
            threads.default_num_threads()
    else:
        number, _ = threads.default_num_threads()
        assert 1 <= number <= 1024


def test_without_a_stream_for_errors(monkeypatch):
    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
    x, y = np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32")
    monkeypatch.setattr(sys, "stderr", None)
    for progress in ("auto", True, False):
        assert trainer.fit(x, y, progress=progress).epochs == 1


def test_an_error_at_the_begin_of_a_run_keeps_no_turn():
    """A tick that is no number of 64 bits is refused before the program is locked."""
    executor = nn.Sequential(nn.Linear(2, 2), seed=0).compile(4).executor
    if not isinstance(executor, NativeProgram):
        pytest.skip("the reference takes any tick")
    with pytest.raises(OverflowError):
        executor.run(0, 0, 1, {}, np.zeros(5), 2**70)
    executor.run(0, 0, 1, {}, np.zeros(5), None)
