"""What a run leaves behind: its history, tables, saved networks and what TensorBoard shows."""

import csv
import math
import sys
import types

import numpy as np
import pytest

import fastnn
from fastnn import Callback, callbacks, data
from fastnn.training import History
from support.runs import At, bits, make

ROWS = [{"loss": 3.0, "val_f1": 0.5}, {"loss": 1.0, "val_f1": math.nan}, {"loss": 1.0, "val_f1": 0.25}, {"loss": 2.0}]


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_epoch_of_a_history():
    history = History([dict(row) for row in ROWS])
    assert history.best("loss") == {"epoch": 2, "loss": 1.0, "val_f1": pytest.approx(math.nan, nan_ok=True)}
    assert history.best("loss", "max")["epoch"] == 1
    assert history.best("val_f1") == {"epoch": 1, "loss": 3.0, "val_f1": 0.5}
    assert history.best("val_f1", mode="min")["epoch"] == 3
    with pytest.raises(KeyError, match="no record 'val_loss'; there are loss, val_f1"):
        history.best()
    with pytest.raises(ValueError, match="no epoch has a val_f1 that is a number"):
        History([{"val_f1": math.nan}]).best("val_f1")


def test_a_history_as_a_table(tmp_path):
    path = tmp_path / "history.csv"
    History([dict(row) for row in ROWS]).to_csv(path)
    assert path.read_text() == "epoch,loss,val_f1\n1,3.0,0.5\n2,1.0,nan\n3,1.0,0.25\n4,2.0,nan\n"
    History().to_csv(path)
    assert path.read_text() == "epoch\n"


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


class Saved:
    """Stands in for the methods that save."""

    def __init__(self, monkeypatch, trainer):
        self.paths = []
        monkeypatch.setattr(trainer, "save_checkpoint", lambda path: self.paths.append(("run", path)), raising=False)
        monkeypatch.setattr(trainer.net, "save", lambda path: self.paths.append(("net", path)), raising=False)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [("run", "a-1"), ("run", "a-2"), ("run", "a-3"), ("run", "a-4")]),
        ({"every_epochs": 2, "net_only": True}, [("net", "a-2"), ("net", "a-4")]),
        ({"save_best_only": True, "monitor": "score", "mode": "min"}, [("run", "a-1"), ("run", "a-3")]),
        ({"save_best_only": True, "monitor": "score", "mode": "max"}, [("run", "a-1"), ("run", "a-2"), ("run", "a-4")]),
    ],
)
def test_model_checkpoint_saves_when_it_should(arguments, expected, monkeypatch):
    trainer, x, y = make()
    saved = Saved(monkeypatch, trainer)

    def score(run):
        run.logs["score"] = [2.0, 3.0, 1.0, 4.0][run.epoch - 1]

    checkpoint = callbacks.ModelCheckpoint("a-{epoch}", **arguments)
    for _ in range(2):  # each run has a best of its own
        trainer.fit(x, y, epochs=4, callbacks=[At("on_epoch_end", score), checkpoint])
    assert saved.paths == expected * 2
    assert checkpoint.last_path == expected[-1][1]


def test_model_checkpoint_fills_in_the_path(tmp_path, monkeypatch):
    trainer, x, y = make()
    saved = Saved(monkeypatch, trainer)
    history = trainer.fit(x, y, callbacks=[callbacks.ModelCheckpoint(tmp_path / "e{epoch:03d}-{loss:.2f}")])
    assert saved.paths == [("run", str(tmp_path / f"e001-{history['loss'][0]:.2f}"))]
    with pytest.raises(ValueError, match="asks for 'val_loss', there are epoch, loss, accuracy, seconds"):
        trainer.fit(x, y, callbacks=[callbacks.ModelCheckpoint("{val_loss}")])
    with pytest.raises(ValueError, match="monitor: there is no 'val_loss'"):
        trainer.fit(x, y, callbacks=[callbacks.ModelCheckpoint("a", save_best_only=True)])
    with pytest.raises(TypeError, match="save_best_only must be True or False, got 1"):
        callbacks.ModelCheckpoint("a", save_best_only=1)
    with pytest.raises(ValueError, match="every_epochs must be at least 1, got 0"):
        callbacks.ModelCheckpoint("a", every_epochs=0)


def test_a_run_goes_on_from_what_model_checkpoint_saved(tmp_path):
    def run(epochs, **options):
        trainer, x, y = make()
        watch = [callbacks.EarlyStopping("val_loss", patience=3), callbacks.CSVLogger(tmp_path / "log.csv")]
        last = callbacks.ModelCheckpoint(tmp_path / "e{epoch}", every_epochs=2)
        if options:
            trainer.load_checkpoint(tmp_path / "e4")
        history = trainer.fit(x, y, epochs=epochs, validation_split=0.2, transform=data.Mixup(),
                              callbacks=[*watch, last], **options)  # fmt: skip
        return trainer, history, watch[0]

    trainer, history, watch = run(6)
    other, resumed, resumed_watch = run(6, resume=True)
    assert bits(other) == bits(trainer)
    assert resumed["val_loss"] == history["val_loss"]
    assert (resumed_watch.best, resumed_watch.best_epoch) == (watch.best, watch.best_epoch)
    assert [float(row["val_loss"]) for row in read(tmp_path / "log.csv")] == history["val_loss"]


def test_model_checkpoint_saves_networks(tmp_path):
    trainer, x, y = make()
    saver = callbacks.ModelCheckpoint(tmp_path / "best", "loss", save_best_only=True, net_only=True)
    trainer.fit(x, y, epochs=3, callbacks=[saver, callbacks.EarlyStopping("loss")])
    np.testing.assert_array_equal(fastnn.load(tmp_path / "best").predict(x), trainer.net.predict(x))
