"""Files with a right checksum and hostile content: an error that says what is wrong, and nothing has changed."""

import copy

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.compiler.batch_run import BatchRun
from fastnn.files import format as files
from fastnn.optim import lr_scheduler
from fastnn.training.checkpoint import _state
from support.resumable import make_trainer
from test_checkpoint import fit


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


@pytest.mark.filterwarnings("ignore:the loss of batch:RuntimeWarning")  # a rate of 2**70 is junk, but valid
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


# What C is given


def batches(**changes):
    """Run batches of a program, with one argument that does not fit."""
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    metrics = [fastnn.metrics.F1("macro")]
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), metrics=metrics)
    x, y = np.ones((10, 2), "float32"), np.arange(10) % 3
    data = trainer.engine.data(x, y)
    program = trainer.engine.get("step", data, 4)
    first, last = program.span("forward", "statistics")
    given = {
        "first": first, "last": last, "x": x, "target": y, "sample_weight": None, "order": np.arange(10), "start": 0,
        "stop": 10, "batch_size": 4, "staging": data.staging(4), "sums": trainer.engine.scoring.new_sums(data),
        "train": True, "losses": np.zeros(3),
    }  # fmt: skip
    given |= changes
    return program.executor.run_batches(given.pop("first"), given.pop("last"), BatchRun(**given))


@pytest.mark.parametrize(
    "changes",
    [
        {"start": -800000}, {"stop": 10**9}, {"stop": 11}, {"start": 2**62, "stop": 2**62 + 1}, {"batch_size": 0},
        {"batch_size": -1}, {"batch_size": 2**40}, {"batch_size": 5}, {"first": -1}, {"last": 1000},
        {"first": 5, "last": 2},
        {"sums": np.zeros(0)}, {"sums": np.zeros(4)}, {"sums": np.zeros(6)}, {"losses": np.zeros(2)},
        {"order": np.arange(9)}, {"order": np.arange(10) - 1}, {"order": np.arange(10) * 10**12},
        {"order": None, "stop": 11},
        {"x": np.ones((9, 2), "float32")}, {"x": np.ones((10, 1), "float32")}, {"x": np.ones(10, "float32")},
        {"target": np.zeros(9, "int64")}, {"sample_weight": np.ones(3, "float32")}, {"staging": None},
        {"accumulate": 0}, {"divisor": np.zeros(0)}, {"divisor": np.zeros(2)}, {"divisor": np.zeros(1, "float32")},
        {"schedule": (np.zeros(3), np.array([5]), np.zeros((3, 1)))},
        {"schedule": (np.zeros(3), np.array([0]), np.zeros((2, 1)))},
        {"mix": (np.arange(9), np.ones(3))}, {"mix": (np.arange(10), np.ones(2))},
        {"mix": (np.arange(10) + 1, np.ones(3))},
    ],
    ids=str,
)  # fmt: skip
def test_compiled_loops_read_nothing_out_of_bounds(changes):
    assert batches() == 10
    with pytest.raises(ValueError, match=r"[a-z]"):
        batches(**changes)


@pytest.mark.parametrize("position", [(0, 5, 5), (-1, 1, 1), (0, 10**6, 1), (0, 1, -3), (0, 1, 10**9)])
def test_sections_of_programs_neither(position):
    program = nn.Sequential(nn.Linear(2, 3), seed=0).compile(4)
    first, last, rows = position
    slots = {"input": np.zeros((4, 2), "float32"), "output": np.zeros((4, 3), "float32")}
    with pytest.raises(ValueError, match="operations"):
        program.executor.run(first, last, rows, slots, np.zeros(5))
    with pytest.raises(ValueError, match="sums must have 5 numbers"):
        program.executor.run(0, 1, 1, slots, np.zeros(3))
