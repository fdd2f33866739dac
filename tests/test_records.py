"""Callbacks that write down a run: CSVLogger, LearningRateMonitor and TensorBoard."""

import csv
import math
import sys
import types

import pytest

from fastnn import Callback, callbacks
from support.runs import At, bits, make


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_logger_writes_the_bits_of_the_history(tmp_path):
    trainer, x, y = make("float64")
    path = tmp_path / "log.csv"
    seen = []
    follow = At("on_epoch_end", lambda run: seen.append(len(read(path))))
    history = trainer.fit(
        x, y, epochs=3, validation_split=0.2, callbacks=[callbacks.CSVLogger(path), follow], progress=False
    )
    assert seen == [1, 2, 3]
    rows = read(path)
    assert list(rows[0]) == ["epoch", *history]
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for name in history:
        assert [float(row[name]) for row in rows] == history[name]


def test_a_csv_logger_begins_anew_or_appends(tmp_path):
    trainer, x, y = make()
    path = tmp_path / "log.csv"
    trainer.fit(x, y, epochs=2, callbacks=[callbacks.CSVLogger(path)])
    trainer.fit(x, y, epochs=1, callbacks=[callbacks.CSVLogger(path, append=True)])
    assert [row["epoch"] for row in read(path)] == ["1", "2", "1"]
    trainer.fit(x, y, epochs=1, callbacks=[callbacks.CSVLogger(path)])
    assert [row["epoch"] for row in read(path)] == ["1"]
    empty = tmp_path / "empty.csv"
    trainer.fit(x, y, epochs=1, callbacks=[callbacks.CSVLogger(empty, append=True)])
    assert [row["epoch"] for row in read(empty)] == ["1"]


def test_a_csv_logger_without_a_place_to_write_is_an_error(tmp_path):
    trainer, x, y = make()
    before = bits(trainer)
    with pytest.raises(FileNotFoundError):
        trainer.fit(x, y, callbacks=[callbacks.CSVLogger(tmp_path / "no" / "log.csv")])
    assert bits(trainer) == before
    assert math.isfinite(trainer.fit(x, y)["loss"][0])


class Resume(Callback):
    """Gives a run the state of another one."""

    def __init__(self, state):
        self.state = state

    def on_train_begin(self, run):
        run.load_state_dict(self.state | {"callbacks": {f"{i}.{type(c).__name__}": c.state_dict()
                                                        for i, c in enumerate(run.callbacks)}})  # fmt: skip


def test_a_resumed_run_writes_its_table_from_the_beginning(tmp_path):
    trainer, x, y = make()
    path, states = tmp_path / "log.csv", []
    keep = At("on_epoch_end", lambda run: states.append(run.state_dict()))
    whole = trainer.fit(x, y, epochs=4, seed=1, callbacks=[callbacks.CSVLogger(path), keep])
    resumed = trainer.fit(x, y, epochs=3, seed=1, callbacks=[Resume(states[1]), callbacks.CSVLogger(path)])
    rows = read(path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert resumed["loss"][:2] == whole["loss"][:2]
    assert [float(row["loss"]) for row in rows] == resumed["loss"]


def test_the_learning_rate_of_each_epoch_is_recorded():
    trainer, x, y = make(lr=0.5)

    def halve(run):
        run.optimizer.lr /= 2

    history = trainer.fit(x, y, epochs=3, callbacks=[callbacks.LearningRateMonitor(), At("on_epoch_end", halve)])
    assert history["lr"] == [0.5, 0.25, 0.125]


class FakeWriter:
    """Stands for torch.utils.tensorboard.SummaryWriter."""

    def __init__(self, log_dir):
        self.log_dir, self.scalars, self.histograms, self.open = log_dir, [], [], True
        FakeWriter.last = self

    def add_scalar(self, tag, scalar_value, global_step):
        self.scalars.append((tag, scalar_value, global_step))

    def add_histogram(self, tag, values, global_step):
        self.histograms.append((tag, values.shape, global_step))

    def flush(self):
        assert self.open

    def close(self):
        self.open = False


@pytest.mark.parametrize("name", ["torch.utils.tensorboard", "tensorboardX"])
def test_tensorboard_gets_every_record(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    module = types.ModuleType(name)
    module.SummaryWriter = FakeWriter
    parts = name.split(".")
    for i in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:i]), types.ModuleType(".".join(parts[:i])))
    monkeypatch.setitem(sys.modules, name, module)
    trainer, x, y = make()
    history = trainer.fit(x, y, epochs=2, callbacks=[callbacks.TensorBoard("logs", histograms=True)])
    writer = FakeWriter.last
    assert writer.scalars == [(record, history[record][i], i + 1) for i in range(2) for record in history]
    assert writer.histograms[:2] == [("0.weight", (3, 8), 1), ("0.bias", (8,), 1)]
    assert (writer.log_dir, writer.open) == ("logs", False)


def test_tensorboard_without_a_writer_says_what_to_install(monkeypatch):
    for name in ("torch", "torch.utils", "torch.utils.tensorboard", "tensorboardX"):
        monkeypatch.setitem(sys.modules, name, None)
    trainer, x, y = make()
    with pytest.raises(ImportError, match="TensorBoard needs a writer: pip install tensorboardX"):
        trainer.fit(x, y, callbacks=[callbacks.TensorBoard("logs")])
