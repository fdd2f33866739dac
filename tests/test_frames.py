"""Errors of use show the caller's line, and at most two frames of the package."""

import inspect
import os
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, data, metrics, nn, optim
from fastnn import functional as F
from fastnn.optim import lr_scheduler

PACKAGE = str(Path(fastnn.__file__).parent)
X, Y = np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32")


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), seed=0)


def trainer(loss=None, **more):
    network = net()
    return fastnn.Trainer(network, loss or nn.MSELoss(), optim.SGD(network.parameters()), **more)


def schedule(name, *args):
    return getattr(lr_scheduler, name)(optim.SGD(net().parameters()), *args)


MISTAKES = {
    "fit: columns": lambda: trainer().fit(X[:, :1], Y),
    "fit: rows": lambda: trainer().fit(X, Y[:2]),
    "fit: dtype": lambda: trainer().fit(X.astype("complex64"), Y),
    "fit: list": lambda: trainer().fit([["a", "b"]], Y),
    "fit: y": lambda: trainer(nn.CrossEntropyLoss()).fit(X, np.full(4, -1)),
    "fit: binary": lambda: trainer(nn.BCEWithLogitsLoss()).fit(X, Y - 1),
    "fit: batch_size": lambda: trainer().fit(X, Y, batch_size="all"),
    "fit: sample_weight": lambda: trainer().fit(X, Y, sample_weight=[-1, 1, 1, 1]),
    "fit: validation": lambda: trainer().fit(X, Y, validation_split=1.5),
    "fit: callbacks": lambda: trainer().fit(X, Y, callbacks=[3]),
    "fit: transform": lambda: trainer().fit(X, Y, transform=3),
    "step": lambda: trainer().step(X, Y[:1]),
    "step: nan": lambda: trainer().step(X * np.nan, Y),
    "evaluate": lambda: trainer().evaluate(X[:, :1], Y),
    "predict": lambda: net().predict(X[:, :1]),
    "call": lambda: net()(X[:, :1]),
    "backward": lambda: net().backward(Y),
    "trainer: loss": lambda: fastnn.Trainer(net(), nn.MSELoss, optim.SGD(net().parameters())),
    "trainer: metrics": lambda: trainer(metrics=["acc"]),
    "linear": lambda: nn.Linear("2", 3),
    "sequential": lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1)),
    "dropout": lambda: nn.Dropout(2.0),
    "loss: keyword": lambda: nn.BCELoss(weight=3.0),
    "loss: reduction": lambda: nn.CrossEntropyLoss(np.ones(10)),
    "loss: call": lambda: nn.MSELoss()(X, Y),
    "adam": lambda: optim.Adam(net().parameters(), learning_rate=0.1),
    "sgd": lambda: optim.SGD(net().parameters(), lr=-1),
    "scheduler": lambda: schedule("StepLR", 0),
    "plateau": lambda: schedule("ReduceLROnPlateau", "least"),
    "stopping": lambda: callbacks.EarlyStopping("val_loss", patience=-1),
    "load": lambda: fastnn.load(b"abc"),
    "load: type": lambda: fastnn.load(3),
    "state": lambda: net().load_state_dict({"0.weight": X}),
    "metrics": lambda: metrics.accuracy([1, 2], ["a", "b"]),
    "r2": lambda: metrics.r2([1, 2], [1, 2, 3]),
    "split": lambda: data.train_test_split(X, test_size=2.0),
    "weights": lambda: data.class_weights(Y),
    "relu": lambda: F.relu(["a"]),
    "relu_backward": lambda: F.relu_backward(X, Y),
    "softmax": lambda: F.softmax(X, axis=5),
    "softmax_backward": lambda: F.softmax_backward(X, Y),
    "F.linear": lambda: F.linear(X, Y),
    "F.linear_backward": lambda: F.linear_backward(X, Y, Y),
    "layer_norm": lambda: F.layer_norm(X, X),
    "batch_norm": lambda: F.batch_norm(X, None, None),
    "F.dropout": lambda: F.dropout(X, 3, seed=1),
    "glu": lambda: F.glu(Y),
    "prelu": lambda: F.prelu(X, np.ones(3, "float32")),
    "embedding": lambda: F.embedding(np.array([7]), X),
    "cross_entropy": lambda: F.cross_entropy(X, np.array([0, 1, 2, 1])),
    "mse_loss": lambda: F.mse_loss(X, Y),
    "mse_loss_backward": lambda: F.mse_loss_backward(1.0, X, Y),
    "out": lambda: F.softmax(X, out=Y),
    "sgd_step": lambda: optim.functional.sgd_step(X, Y),
    "lr_finder": lambda: fastnn.lr_finder(trainer(), X, Y, start=-1),
}


def inner_frames(error):
    return [frame for frame in traceback.extract_tb(error.__traceback__) if is_inner(frame.filename)]


def is_inner(name):
    return name.startswith((PACKAGE, "fastnn/"))


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("name", MISTAKES)
def test_at_most_two_inner_frames(name, backend):
    with fastnn.use_backend(backend), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((TypeError, ValueError, RuntimeError, OSError)) as caught:
            MISTAKES[name]()
    error = caught.value
    frames = traceback.extract_tb(error.__traceback__)
    outer = [frame for frame in frames if not is_inner(frame.filename)]
    assert len(inner_frames(error)) <= 2, "".join(traceback.format_tb(error.__traceback__))
    assert outer[-1].filename == __file__
    assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)


class Broken(fastnn.Callback):
    def on_epoch_begin(self, run):
        [][1]


class Mistaken(fastnn.Callback):
    def on_epoch_begin(self, run):
        raise ValueError("of the user")


def mistaken_loss(y_pred, y):
    raise ValueError("of the user")


def test_errors_in_code_of_a_user_keep_all_frames():
    with pytest.raises(IndexError) as caught:
        trainer().fit(X, Y, callbacks=[Broken()])
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "on_epoch_begin"
    for call in (lambda: trainer().fit(X, Y, callbacks=[Mistaken()]), lambda: trainer(mistaken_loss).step(X, Y)):
        with pytest.raises(ValueError, match="of the user") as caught:
            call()
        frames = traceback.extract_tb(caught.value.__traceback__)
        assert frames[-1].name in ("on_epoch_begin", "mistaken_loss") and len(frames) > 4


@pytest.mark.parametrize("call", ["nn.Linear('2', 3)", "F.relu(['a'])", "trainer.fit(x[:, :1], x)"])
def test_all_frames_are_shown_on_request(call):
    code = f"""
import numpy as np
import fastnn
from fastnn import nn, optim, functional as F
x, net = np.zeros((4, 2), "float32"), nn.Sequential(nn.Linear(2, 2))
trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
{call}
"""
    frames = {}
    for value in ("", "full"):
        environment = {
            **os.environ,
            "FASTNN_TRACEBACK": value,
            "PYTHONPATH": str(Path(PACKAGE).parent),
            "PYTHONSAFEPATH": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1 and "Error: " in done.stderr
        frames[value] = done.stderr.count("  File ") - 1
    assert frames[""] <= 2 < frames["full"]


def test_signatures_are_those_of_the_functions():
    assert list(inspect.signature(nn.Linear).parameters)[:2] == ["in_features", "out_features"]
    assert "test_size" in inspect.signature(data.train_test_split).parameters
    with pytest.raises(TypeError, match=r"^Linear.__init__\(\) missing 1 required positional argument"):
        nn.Linear(3)
