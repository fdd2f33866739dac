"""Every public entry called many times, with right and with wrong arguments: no memory, file or thread is left over."""

import ctypes
import gc
import inspect
import math
import os
import sys
import time
import warnings
from functools import partial

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, data, metrics, nn, optim
from fastnn import functional as F
from fastnn.nn.embedding_losses import SeveralInputsLoss
from fastnn.optim import lr_scheduler
from fastnn.testing.cases.ops import CASES, PARAMETERS, UPDATES

BYTES, BLOCKS = 16, 0.5  # a call: less than the smallest leak
libc = ctypes.CDLL(None)


class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )]  # fmt: skip


def allocated():
    """Bytes of C's allocator that are in use, and blocks of Python's."""
    libc.mallinfo2.restype = Mallinfo2
    gc.collect()
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd, sys.getallocatedblocks()


def opened():
    """The number of open files, and of threads."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def more_than(before):
    """Whether there are more files or threads than before; a thread that has ended takes a moment to vanish."""
    deadline = time.monotonic() + 5
    while any(now > old for now, old in zip(opened(), before, strict=True)):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.001)
    return False


@pytest.fixture(autouse=True, scope="module")
def quick_collections():
    """The garbage collector looks only at what these tests make; and threads that share work are made beforehand."""
    x = np.ones((256, 256), "float32")
    for _ in range(3):
        F.linear(x, x)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def growth(call, calls, looks):
    """The least growth between two looks, in bytes and in blocks of Python for each call."""
    files, least, before = opened(), (math.inf, math.inf), allocated()
    for _ in range(looks):
        for _ in range(calls):
            call()
        now = allocated()
        least = tuple(min(old, (b - a) / calls) for old, a, b in zip(least, before, now, strict=True))
        before = now
        assert not more_than(files)
        if least[0] < BYTES and least[1] < BLOCKS:
            break
    return least


def leaks(call):
    """Whether it does: a leak goes on growing, what fills a cache or is freed later does not."""
    for _ in range(5):
        call()
    for calls, looks in ((20, 3), (100, 6), (400, 4)):  # most are found clean at the first look
        least = growth(call, calls, looks)
        if least[0] < BYTES and least[1] < BLOCKS:
            return None
    return least


def failing(call, *args, **kwargs):
    """A call that raises."""

    def attempt():
        try:
            call(*args, **kwargs)
        except (ValueError, TypeError, RuntimeError, OSError):
            return
        raise AssertionError("nothing was raised")

    return attempt


def assert_no_leaks(calls):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: leak for name, call in calls.items() if (leak := leaks(call)) is not None}
    assert not found


def test_operations(backend):
    rng = np.random.default_rng(0)
    calls = {}
    in_place = [(op, options) for op in (*UPDATES, *PARAMETERS) for options in op.options]
    for op, options in (*CASES, *in_place):
        call = op.make(op.shape(9), np.dtype("float32"), rng, **options)
        step = {"step": 1} if "step" in inspect.signature(op.function).parameters else {}
        name = f"{op.name} {options}"
        calls[name] = lambda f=op.function, c=call, s=step: f(*c.args, **(c.kwargs | s))
        calls[f"wrong {name}"] = failing(op.function, object(), *call.args[1:], **(call.kwargs | step))
    some = slice(None) if backend == "native" else slice(None, None, 8)
    assert_no_leaks(dict(list(calls.items())[some]))


def small_data(rows=12):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 4)).astype("float32"), rng.integers(0, 3, rows)


def small_trainer(loss=None, rule=optim.Adam, **options):
    net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.2), nn.Linear(6, 3), seed=0)
    params = [p for p in net.parameters() if p.data.ndim == 2] if rule is optim.Muon else net.parameters()
    return fastnn.Trainer(net, loss or nn.CrossEntropyLoss(), rule(params), **options)


SIZES = {"in_features": 4, "out_features": 3, "num_features": 4, "features": 4, "num_embeddings": 3, "embedding_dim": 2,
         "num_groups": 2, "num_channels": 4, "threshold": 0.5, "value": 0.0}  # fmt: skip
OTHERS = {"Residual": lambda: nn.Residual(nn.Linear(4, 4)), "Concat": lambda: nn.Concat(nn.Identity(), nn.Tanh()),
          "Columns": lambda: nn.Columns([0, 2]), "Heads": lambda: nn.Heads(a=nn.Linear(4, 2), b=nn.Linear(4, 1)),
          "TabularInput": lambda: nn.TabularInput([0, 1], {2: (3, 2)}), "Embedding": None,
          "GraphModule": lambda: nn.GraphModule({"a": nn.Linear(4, 3)}, [["layer", "a", "%0"]]),
          "InstanceNorm1d": lambda: nn.InstanceNorm1d(2), "EmbeddingBag": None,
          "Bilinear": None, "CosineSimilarity": None, "PairwiseDistance": None,  # of two inputs
          "LinearInt8": None,  # without a gradient: test_frozen_networks
          "Module": None, "ModuleList": None, "Sequential": None}  # fmt: skip


def layers():
    for name, cls in vars(nn).items():
        if not (inspect.isclass(cls) and issubclass(cls, nn.Module)) or OTHERS.get(name, "") is None:
            continue
        parameters = inspect.signature(cls.__init__).parameters
        yield (
            name,
            OTHERS.get(name) or (lambda cls=cls, p=parameters: cls(**{n: s for n, s in SIZES.items() if n in p})),
        )


def test_layers():
    x = np.floor(np.abs(small_data()[0])) % 2  # codes of embeddings, too

    def run(make):
        net = nn.Sequential(make(), seed=0)
        out = net(x)
        net.backward(np.ones_like(out))
        net.predict(x)
        net.summary(4), repr(net)

    calls = {name: lambda make=make: run(make) for name, make in layers()}
    calls |= {f"wrong {name}": failing(nn.Sequential(make(), seed=0).predict, "x") for name, make in layers()}
    assert_no_leaks(calls)


def test_frozen_networks():
    x = small_data()[0]
    net = nn.Sequential(nn.Linear(4, 20), nn.Dropout(), nn.ReLU(), nn.Linear(20, 3), seed=0)
    assert_no_leaks({name: lambda dtype=name: net.freeze(dtype).report(x) for name in ("float32", "int8")})


SIGNED = ("hinge_loss", "soft_margin_loss", "hinge_embedding_loss")  # targets of -1 and 1


def test_losses():
    x, y = small_data()
    target, calls = np.abs(x[:, :3]) % 1, {}
    for name, cls in vars(nn).items():
        several = inspect.isclass(cls) and issubclass(cls, SeveralInputsLoss)
        others = ("Loss", "HeadsLoss", "GaussianNLLLoss")
        if inspect.isclass(cls) and issubclass(cls, nn.Loss) and not several and name not in others:
            labels = y if cls.classes else np.sign(target - 0.5) if cls.kernel in SIGNED else target
            trainer = small_trainer(cls())
            calls[name] = lambda cls=cls, y=labels: cls()(target, y)
            calls[f"step {name}"] = lambda trainer=trainer, y=labels: trainer.step(x, y)
            calls[f"wrong {name}"] = failing(trainer.step, x, "y")
    assert_no_leaks(calls)


def test_optimizers_and_schedules():
    x, y = small_data()
    calls = {}
    for name, rule in vars(optim).items():
        if inspect.isclass(rule) and issubclass(rule, optim.Optimizer) and rule not in (optim.Optimizer, optim.Muon):
            batch = None if rule is optim.LBFGS else 5
            trainer = small_trainer(rule=rule)
            calls[name] = lambda rule=rule, batch=batch: small_trainer(rule=rule).fit(x, y, batch_size=batch)
            calls[f"state {name}"] = lambda o=trainer.optimizer: o.load_state_dict(o.state_dict())
            calls[f"wrong {name}"] = failing(trainer.fit, x, y, batch_size="all")
    optimizer = small_trainer(rule=optim.SGD).optimizer
    for rule, argument in (("StepLR", 2), ("CosineAnnealingLR", 5), ("WarmupLR", 3), ("ReduceLROnPlateau", "min")):
        calls[rule] = partial(getattr(lr_scheduler, rule), optimizer, argument)
    assert_no_leaks(calls)


def test_training(tmp_path):
    x, y = small_data()
    trainer, path = small_trainer(metrics=["f1", "roc_auc"]), tmp_path / "run"
    trainer.net.save(tmp_path / "net")
    trainer.save_checkpoint(tmp_path / "checkpoint")
    (tmp_path / "broken").write_bytes((tmp_path / "net").read_bytes()[:-1])

    class Stops(fastnn.Callback):
        def on_epoch_end(self, run):
            raise RuntimeError

    def told():
        return [callbacks.EarlyStopping("loss"), callbacks.CSVLogger(path)]

    def batches():
        yield from [(x[:5], y[:5]), (x[5:], y[5:])]

    def broken():
        yield x[:5], y[:5]
        raise RuntimeError

    calls = {
        "step": lambda: trainer.step(x, y),
        "step with weights": lambda: trainer.step(x, y, np.ones(len(x))),
        "fit": lambda: trainer.fit(x, y, epochs=2, batch_size=5, validation_split=0.25, accumulate=2),
        "fit, callbacks": lambda: trainer.fit(
            x, y, callbacks=[callbacks.EarlyStopping("loss"), callbacks.CSVLogger(path)]
        ),
        "fit, checkpoint": lambda: trainer.fit(x, y, checkpoint=path, resume=False),
        "fit, stream": lambda: trainer.fit(batches, prefetch=2),
        "fit, mixup": lambda: trainer.fit(x, y, transform=data.Mixup(0.2)),
        "fit stopped": failing(trainer.fit, x, y, callbacks=[Stops()]),
        "stream stopped": failing(trainer.fit, broken, prefetch=2),
        "stream left": failing(trainer.fit, batches, prefetch=2, callbacks=[Stops()]),
        "evaluate": lambda: trainer.evaluate(x, y),
        "predict": lambda: trainer.net.predict(x),
        "wrong label": failing(trainer.step, x, y + 9),
        "wrong width": failing(trainer.step, x[:, 1:], y),
        "health": lambda: trainer.health(x, y),
        "find_lr": lambda: trainer.find_lr(x, y, steps=5, batch_size=4),
        "save": lambda: trainer.net.save(tmp_path / "net"),
        "save nowhere": failing(trainer.net.save, tmp_path / "no" / "net"),
        "load": lambda: fastnn.load(tmp_path / "net").predict(x),
        "load broken": failing(fastnn.load, tmp_path / "broken"),
        "save_checkpoint": lambda: trainer.save_checkpoint(tmp_path / "checkpoint"),
        "load_checkpoint": lambda: trainer.load_checkpoint(tmp_path / "checkpoint"),
        "load_checkpoint broken": failing(trainer.load_checkpoint, tmp_path / "broken"),
        "fold": lambda: trainer.net.fold(),
        "compile": lambda: str(trainer.compile(3)),
        "build": lambda: small_trainer(average=None),
        "settings": lambda: (fastnn.set_num_threads(fastnn.get_num_threads()), fastnn.show_config),
        "backend": lambda: fastnn.use_backend("native"),
    }
    assert_no_leaks(calls)


def test_metrics_and_data():
    x, y = small_data()
    two, probability = y % 2, np.linspace(0, 1, len(y))
    names = ("accuracy", "confusion_matrix", "f1", "mae", "mse", "precision", "r2", "recall", "rmse")
    calls = {name: partial(getattr(metrics, name), two, two) for name in names}
    calls |= {
        "roc_auc": lambda: metrics.roc_auc(two, probability),
        "wrong": failing(metrics.accuracy, two, two[1:]),
        "batches": lambda: list(data.batches(x, y, batch_size=5)),
        "class_weights": lambda: data.class_weights(y),
        "standardize": lambda: data.standardize(x, x),
        "train_test_split": lambda: data.train_test_split(x, y, seed=0, stratify=y),
        "make_blobs": lambda: data.make_blobs(20, seed=0),
        "make_moons": lambda: data.make_moons(20, seed=0),
        "load_digits": lambda: data.load_digits(),
    }
    assert_no_leaks(calls)
