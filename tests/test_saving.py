"""ModelCheckpoint: when it saves, where, and what."""

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, data
from support.runs import At, bits, make
from test_records import read


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


def test_what_is_better_by_little_is_not_saved(tmp_path):
    trainer, x, y = make()
    script = At("on_epoch_end", lambda run: run.logs.update(val_loss=[100.0, 95.0, 89.0, 85.0][run.epoch - 1]))
    path = f"{tmp_path}/{{epoch}}"
    saving = callbacks.ModelCheckpoint(path, save_best_only=True, min_delta=0.1, relative=True)
    trainer.fit(x, y, epochs=4, callbacks=[script, saving])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1", "3"]
    with pytest.raises(TypeError, match="relative must be True or False"):
        callbacks.ModelCheckpoint(path, relative=1)
