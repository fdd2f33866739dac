"""Files with a right checksum and hostile content: an error that says what is wrong, and nothing has changed."""

import contextlib
import copy
import gc
import time
import tracemalloc

import numpy as np
import pytest
from resumable import make_trainer
from test_checkpoints import fit

import fastnn
from fastnn import nn, optim
from fastnn.files import format as files
from fastnn.files.checkpoint import _state
from fastnn.optim import lr_scheduler


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


class Pause(fastnn.Callback):
    """Stops amid an epoch."""

    in_checkpoints = False

    def on_batch_end(self, run):
        if (run.epoch, run.batch) == (2, 3):
            run.stop("for now", pause=True)


def rich_trainer(seed=1):
    """One that has everything a checkpoint can hold."""
    trainer = make_trainer(
        seed=seed,
        layers=[nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)],
        optimizer=lambda p: optim.AdamW(p, lr=0.01, groups=[{"params": "*.bias", "weight_decay": 0.0}]),
    )
    trainer.average = optim.SWA(trainer.net.parameters())
    trainer.scheduler = lr_scheduler.CosineAnnealingLR(trainer.optimizer, T_max=30, by="batch")
    return trainer


def callbacks(path):
    best = fastnn.callbacks.ModelCheckpoint(f"{path}.best", save_best_only=True, net_only=True)
    return [fastnn.callbacks.EarlyStopping(patience=9), best]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The tensors and the description of one."""
    path = tmp_path_factory.mktemp("hostile") / "run"
    trainer = rich_trainer()
    fit(trainer, callbacks=[*callbacks(path), Pause()], checkpoint=path)
    return files.read(path, "checkpoint")


def plain(state):
    """A state as something that can be compared, with NaN in it."""
    if isinstance(state, dict):
        return {key: plain(item) for key, item in state.items()}
    return (state.dtype, state.shape, state.tobytes()) if isinstance(state, np.ndarray) else repr(state)


def entries(spec, way=()):
    """All places in a description: (way, value)."""
    yield way, spec
    items = spec.items() if isinstance(spec, dict) else enumerate(spec) if isinstance(spec, list) else ()
    for key, item in items:
        yield from entries(item, (*way, key))


def changed(content, way, value):
    """A copy with another value at a place."""
    content = copy.deepcopy(content)
    at = content
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = value
    return content


def place_of(content, *names):
    """The way to a value by the names of dicts, which are lists of pairs in a file."""
    way, at = ["state"], content["state"]
    for name in names:
        i = next(i for i, (key, _) in enumerate(at["dict"]) if key == name)
        way += ["dict", i, 1]
        at = at["dict"][i][1]
    return tuple(way)


def write(path, tensors, content):
    content = {key: content[key] for key in content if key not in ("kind", "format", "fastnn")}
    files.write(path, "checkpoint", tensors, content)


def refused(path, tensors, content, resume=True):
    """The message by which a file is refused, by loading and by resuming; nothing changes."""
    write(path, tensors, content)
    trainer = rich_trainer(seed=7)
    trainer.fit(np.ones((8, 6), "float32"), np.arange(8) % 3)
    before = plain(_state(trainer))
    with pytest.raises(ValueError, match=r"[a-z]") as caught:
        fit(trainer, callbacks=callbacks(path), checkpoint=path, resume=True)
    assert plain(_state(trainer)) == before
    assert type(caught.value) in (ValueError, fastnn.FileFormatError)
    return str(caught.value)


RUN = [
    ("position", -800000, "position must be at least 0"),
    ("position", 10**9, "position must be that after 3 batches of 16 rows"),
    ("position", 47, "position must be that after 3 batches of 16 rows"),
    ("batch", -1, "batch must be at least 0"),
    ("batch", 7, "position must be that after 7 batches"),
    ("epoch", 2 * 10**9, "history has no records of 2000000000 epochs"),
    ("epoch", 1, "history"),
    ("epoch", 10**30, "epoch must be at most"),
    ("first", 2**63, "first must be at most"),
    ("seed", "abc", "seed must be an integer"),
    ("seed", 2**64, "seed must be at most"),
    ("batch_size", 0, "batch_size must be at least 1"),
    ("samples", -5, "samples must be at least 1"),
    ("shuffle", 1, "shuffle must be True or False"),
    ("seconds", {"float": "nan"}, "seconds must be at least 0"),
    ("lr", -1.0, "lr must be at least 0"),
    ("lr", None, "lr must be a number"),
    ("stopped", 3, "stopped must be text"),
    ("history", 3, "history must be a dict"),
    ("callbacks", [], "callbacks must be a dict"),
    ("metrics", "accuracy", "metrics must be a list"),
    ("sums", 3, "sums must be an array"),
]


@pytest.mark.parametrize(("name", "value", "message"), RUN)
def test_the_place_of_a_run(name, value, message, checkpoint, path):
    tensors, content = checkpoint
    way = place_of(content, "run", name)
    assert message in refused(path, without_orphans(tensors, content, way, value), changed(content, way, value))


def without_orphans(tensors, content, way, value):
    """The tensors that a changed description still refers to."""
    used = {item["array"] for _, item in entries(changed(content, way, value)["state"])
            if isinstance(item, dict) and "array" in item}  # fmt: skip
    return {name: array for name, array in tensors.items() if name in used}


TENSORS = [
    ("run.sums", np.zeros(0), "sums must have 5 numbers"),
    ("run.sums", np.zeros(4), "sums must have 5 numbers"),
    ("run.sums", np.zeros(10**4), "sums must have 5 numbers"),
    ("run.sums", np.zeros(5, "float32"), "sums must be of float64"),
    ("run.sums", np.zeros((5, 1)), "sums must have 1 axes"),
    ("run.history.loss.epoch", np.array([0, 2 * 10**9]), "history.loss is not of epochs below 2"),
    ("run.history.loss.epoch", np.array([-1, 0]), "history.loss is not of epochs below 2"),
    ("run.history.loss.epoch", np.array([1, 0]), "history.loss is not of epochs below 2"),
    ("run.history.loss.epoch", np.array([0]), "history.loss is not of epochs below 2"),
    ("run.history.loss.value", np.zeros(2, "int64"), "value must be of float64"),
    ("run.callbacks.0.EarlyStopping.best_state.0.weight", np.zeros(3, "float32"), "0.weight has shape (3,)"),
    ("run.callbacks.0.EarlyStopping.best_state.0.weight", np.zeros((6, 8)), "0.weight is float64"),
    ("parts.optimizer.state.states.exp_avg", np.zeros(3, "float32"), "exp_avg must have shape"),
    ("parts.optimizer.state.states.exp_avg", np.zeros(3, "int8"), "exp_avg must be float32 or float64"),
    ("parts.average.state.data", np.zeros(3, "float32"), "data must have shape"),
    ("net.values.1.running_mean", np.zeros(3, "float32"), "'1.running_mean' of shape (3,)"),
]


@pytest.mark.parametrize(("name", "array", "message"), TENSORS)
def test_arrays(name, array, message, checkpoint, path):
    tensors, content = checkpoint
    assert name in tensors
    assert message in refused(path, tensors | {name: array}, content)


OTHERS = [
    (("net", "seed"), "abc", "net.seed must be an integer"),
    (("net", "tick"), -5, "net.tick must be at least 0"),
    (("net", "tick"), 2**62, "net.tick must be at most"),
    (("epochs",), -1, "epochs must be at least 0"),
    (("parts", "optimizer", "state", "step"), 2**63, "step must be at most"),
    (("parts", "optimizer", "state", "step"), 1.5, "step must be an integer"),
    (("parts", "optimizer", "state", "groups"), 3, "groups must be a list"),
    (("parts", "optimizer", "state", "clipping"), {"dict": [["a", 1]]}, "clipping must be of"),
    (("parts", "optimizer", "state", "hyper"), {"dict": []}, "hyper must be"),
    (("parts", "optimizer", "state", "hyper", "lr"), -1.0, "lr must be at least 0"),
    (("parts", "optimizer", "state", "hyper", "lr"), "x", "lr must be a number"),
    (("parts", "scheduler", "state", "last_epoch"), -1, "last_epoch must be at least 0"),
    (("parts", "scheduler", "state", "settings"), 3, "settings must be a dict"),
    (("parts", "scheduler", "state", "base_lrs"), 3, "base_lrs must be a list"),
    (("parts", "average", "state", "seen"), -1, "seen must be at least 0"),
    (("parts", "average", "state", "settings"), ["x"], "settings[0] must be a number"),
    (("parts", "average", "class"), 3, "class must be text"),
    (("run", "callbacks", "0.EarlyStopping", "best"), "x", "best must be a number"),
    (("run", "callbacks", "0.EarlyStopping", "best_epoch"), -1, "best_epoch must be at least 0"),
    (("run", "callbacks", "0.EarlyStopping", "waited"), None, "waited must be an integer"),
    (("run", "callbacks", "1.ModelCheckpoint"), {"dict": []}, "has no 'best'"),
]


@pytest.mark.parametrize(("names", "value", "message"), OTHERS)
def test_everything_else(names, value, message, checkpoint, path):
    tensors, content = checkpoint
    way = place_of(content, *names)
    assert message in refused(path, without_orphans(tensors, content, way, value), changed(content, way, value))


JUNK = [None, -1, 2**70, 0.5, "x", [], {"dict": []}, {"tuple": []}, {"float": "nan"}, {"array": "run.sums"}, {"x": 1}]


def test_junk_everywhere(checkpoint, path, rng):
    """At every place of the description in turn: an error that is one of ours, or a value that is as good."""
    tensors, content = checkpoint
    trainer = rich_trainer(seed=7)
    before = plain(_state(trainer))
    for way, _ in entries(content):
        if way[:1] in ((), ("kind",), ("format",), ("fastnn",)):
            continue
        write(path, tensors, changed(content, way, JUNK[rng.integers(len(JUNK))]))
        try:
            with fastnn.use_backend("reference" if rng.integers(2) else "native"):
                fit(trainer, callbacks=callbacks(path), checkpoint=path, resume=True)
            trainer = rich_trainer(seed=7)
        except ValueError:
            assert plain(_state(trainer)) == before


def test_a_tensor_that_nothing_refers_to_is_refused(checkpoint, path):
    tensors, content = checkpoint
    message = refused(path, tensors | {"more": np.zeros(3)}, content)
    assert "nothing refers to the tensor 'more'" in message


def test_each_tensor_is_one_array(checkpoint, path):
    """Else a few bytes each would stand for all of its numbers again and again."""
    tensors, content = checkpoint
    way = place_of(content, "run", "history", "loss", "value")
    value = {"array": "run.history.seconds.value"}
    message = refused(path, without_orphans(tensors, content, way, value), changed(content, way, value))
    assert "nothing that fastnn writes" in message


# States given by hand


def spoiled(state):
    """Copies of a nested state with one value replaced, or missing, each."""
    for way, _ in entries(state):
        if way:
            for junk in (None, -1, 2**70, "x", [], {}, np.zeros(0), np.zeros(3, "c8"), float("nan")):
                yield changed(state, way, junk)
            less = copy.deepcopy(state)
            at = less
            for key in way[:-1]:
                at = at[key]
            if isinstance(at, dict):
                del at[way[-1]]
                yield less
                at["more"] = 1
                yield less


def assert_all_or_nothing(thing, rng):
    state = thing.state_dict()
    for wrong in [None, 3, [], {}, *spoiled(state)]:
        try:
            thing.load_state_dict(wrong)
        except (TypeError, ValueError):
            assert plain(thing.state_dict()) == plain(state)
        else:
            thing.load_state_dict(state)


OPTIMIZERS = [optim.Adam, optim.SGD, optim.LBFGS, optim.NAdam, optim.Rprop, optim.Adagrad]


@pytest.mark.parametrize("make", OPTIMIZERS, ids=lambda cls: cls.__name__)
def test_states_of_optimizers(make, rng, dtype):
    net = nn.Sequential(nn.Linear(2, 3), seed=0, dtype=dtype)
    optimizer = make(net.parameters(), lr=0.1)
    x = rng.random((4, 2)).astype(dtype)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
    for _ in range(3):
        trainer.step(x, x @ np.ones((2, 3), dtype))
    assert_all_or_nothing(optimizer, rng)


def schedulers(o):
    s = lr_scheduler
    yield s.StepLR(o, 2)
    yield s.MultiStepLR(o, [1, 3])
    yield s.CosineAnnealingLR(o, 7)
    yield s.CosineAnnealingWarmRestarts(o, 3, 2)
    yield s.CyclicLR(o, 0.1, 0.2)
    yield s.OneCycleLR(o, 0.3, total_steps=9)
    yield s.ReduceLROnPlateau(o)
    yield s.ExponentialLR(o, 0.9)
    yield s.LinearLR(o)
    yield s.PolynomialLR(o)
    yield s.MultiplicativeLR(o, lambda step: 0.9)
    yield s.LambdaLR(o, lambda step: 0.9)
    yield s.SequentialLR(o, [s.ConstantLR(o), s.ExponentialLR(o, 0.5)], [2])
    yield s.ChainedScheduler([s.ExponentialLR(o, 0.5), s.StepLR(o, 2)])


def scheduler(i):
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    return list(schedulers(optim.SGD(net.parameters(), lr=0.1, momentum=0.5)))[i]


@pytest.mark.parametrize("i", range(14))
def test_states_of_schedulers(i, rng):
    made = scheduler(i)
    made.step(*([1.0] if isinstance(made, lr_scheduler.ReduceLROnPlateau) else []))
    assert_all_or_nothing(made, rng)


@pytest.mark.parametrize("i", range(14))
def test_no_step_number_takes_long(i):
    made = scheduler(i)
    started = time.process_time()
    for step in (10**8, 2**40, 2**53):
        state = made.state_dict() | {"last_epoch": step}
        with contextlib.suppress(ValueError):
            made.load_state_dict(state)
    assert time.process_time() - started < 1


def test_states_of_averages_and_callbacks(rng, path):
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    for thing in (optim.SWA(net.parameters()), optim.ExponentialMovingAverage(net.parameters()), *callbacks(path)):
        assert_all_or_nothing(thing, rng)


# Little files that ask for much


MODELS = [
    {"layer": "Columns", "arguments": {"columns": {"range": [0, 3 * 10**9, 1]}}},
    {"layer": "Columns", "arguments": {"columns": {"range": [0, -(2**70), -1]}}},
    {"layer": "Columns", "arguments": {"columns": {"slice": [0, 2**70, 1]}}},
    {"layer": "BatchNorm1d", "arguments": {"num_features": 4 * 10**8, "affine": False}},
    {"layer": "BatchNorm1d", "arguments": {"num_features": 4 * 10**8, "track_running_stats": False}},
    {"layer": "BatchNorm1d", "arguments": {"num_features": 10**18}},
    {"layer": "LayerNorm", "arguments": {"features": 4 * 10**8}},
    {"layer": "PReLU", "arguments": {"num_parameters": 4 * 10**8}},
    {"layer": "Embedding", "arguments": {"num_embeddings": 2**24, "embedding_dim": 2**24}},
    {"layer": "TabularInput", "arguments": {"numeric": {"range": [0, 10**10, 1]}}},
    {"layer": "TabularInput", "arguments": {"numeric": [0], "categorical": {"dict": [[1, [10**7, 10**7]]]}}},
    {"layer": "Dropout", "arguments": {"p": {"array": [1.0], "dtype": "V999999999", "shape": [1]}}},
    {"layer": "Maxout", "arguments": {"pieces": 10**18}},
]


def cost(call):
    gc.collect()
    tracemalloc.start()
    started = time.process_time()
    with contextlib.suppress(fastnn.FileFormatError):
        call()
    seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


@pytest.mark.parametrize("i", range(len(MODELS)))
def test_little_models_ask_for_little(i, path):
    net = {"layer": "Sequential", "arguments": {"layers": [MODELS[i]] * 50, "seed": 0, "dtype": "float32"}}
    files.write(path, "model", {}, {"architecture": net, "tick": 0})
    seconds, peak = cost(lambda: fastnn.load(path))
    assert seconds < 2 and peak < 10**7


def test_tuples_around_a_list_are_not_copied_again_and_again(path):
    spec = list(range(10**5))
    for _ in range(190):
        spec = {"tuple": spec}
    net = {"layer": "Dropout", "arguments": {"p": spec}}
    files.write(path, "model", {}, {"architecture": net, "tick": 0})
    assert cost(lambda: fastnn.load(path))[0] < 2
    with pytest.raises(fastnn.FileFormatError, match="nothing that fastnn writes"):
        fastnn.load(path)


LAYERS = {
    "Linear": lambda: nn.Linear(1, 1),
    "ReLU": nn.ReLU,
    "BatchNorm1d": lambda: nn.BatchNorm1d(1),
    "empty": nn.Sequential,
    "nested": lambda: nn.Sequential(nn.Linear(1, 1)),
    "Residual": lambda: nn.Residual(nn.Linear(1, 1)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_many_layers_take_time_in_proportion(name, path):
    """Four times as many, four times as long; with quadratic work it would be sixteen times."""
    seconds = []
    for count in (200, 800):
        nn.Sequential(*(LAYERS[name]() for _ in range(count)), seed=0).save(path)
        times = []
        for _ in range(3):
            started = time.process_time()
            assert len(fastnn.load(path)) == count
            times.append(time.process_time() - started)
        seconds.append(min(times))
    assert seconds[1] < 9 * seconds[0] + 0.1


def test_layers_in_layers_take_time_in_proportion(path):
    layer = nn.Linear(1, 1)
    for _ in range(20):
        layer = nn.Residual(nn.Sequential(layer))
    nn.Sequential(layer, seed=0).save(path)
    assert cost(lambda: fastnn.load(path))[0] < 2


def test_lack_of_memory_is_a_memory_error(path, monkeypatch):
    nn.Sequential(nn.Linear(2, 3), seed=0).save(path)

    def fail(*args, **keywords):
        raise MemoryError("no memory")

    monkeypatch.setattr(nn.Linear, "add_parameter", fail)
    with pytest.raises(MemoryError):
        fastnn.load(path)
