"""Arguments of `fit` that few runs have: drop_last, validation_freq, initial_epoch, steps_per_epoch."""

import itertools
import math

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, nn, optim
from fastnn.data import Shards
from fastnn.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from support.resumable import ROWS, bits, data, make_trainer
from support.runs import interrupted

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def values(trainer):
    return trainer.net.parameters().data.copy()


class Count(fastnn.Callback):
    """Counts what a run does."""

    def __init__(self):
        self.batches, self.epochs = 0, []

    def on_batch_end(self, run):
        self.batches += 1

    def on_epoch_end(self, run):
        self.epochs.append(run.epoch)


# -- drop_last ---------------------------------------------------------------------------------------------------------


def test_the_last_batch_is_dropped(dtype, backend):
    x, y, _ = data(dtype)
    trainer, twin, count = make_trainer(dtype), make_trainer(dtype), Count()
    kept = ROWS // 16 * 16
    trainer.fit(x, y, batch_size=16, epochs=2, shuffle=False, drop_last=True, callbacks=[count])
    twin.fit(x[:kept], y[:kept], batch_size=16, epochs=2, shuffle=False)
    assert bits(trainer) == bits(twin) and count.batches == 2 * (ROWS // 16)
    again = make_trainer(dtype)
    again.fit(x, y, batch_size=16, epochs=2, shuffle=False, drop_last=True)  # one compiled loop
    assert bits(again) == bits(trainer)


def test_what_is_dropped_differs_from_epoch_to_epoch():
    """An order of all samples is drawn, and its end is left out."""
    net = nn.Sequential(nn.Linear(1, 1), seed=0)
    seen = []

    def loss(y_pred, y):
        seen.extend(y[:, 0].tolist())
        return 0.0, np.zeros_like(y_pred)

    x = np.arange(10, dtype="float32")[:, None]
    fastnn.Trainer(net, loss, optim.SGD(net.parameters())).fit(x, x, batch_size=4, epochs=20, drop_last=True, seed=0)
    assert len(seen) == 160 and set(seen) == set(range(10))
    assert all(len(set(seen[i : i + 8])) == 8 for i in range(0, 160, 8))


def test_drop_last_makes_batches_that_can_be_normalized():
    x, y, _ = data()
    trainer = make_trainer(layers=[nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)])
    with pytest.raises(ValueError, match="the last of the batches of 17 from 120 rows has 1 row"):
        trainer.fit(x, y, batch_size=17)
    assert trainer.fit(x, y, batch_size=17, drop_last=True).epochs == 1


@pytest.mark.parametrize("rows", [50, 8])
def test_drop_last_of_shards(rows, tmp_path):
    x, y, _ = data()
    shards = Shards.write(tmp_path, x, y, rows=rows)
    size = min(16, rows)
    trainer, twin, count = make_trainer(), make_trainer(), Count()
    trainer.fit(shards, batch_size=size, shuffle=False, drop_last=True, callbacks=[count])
    pieces = np.split(np.arange(ROWS), range(rows, ROWS, rows))
    kept = np.concatenate([piece[: len(piece) // size * size] for piece in pieces])
    twin.fit(x[kept], y[kept], batch_size=size, shuffle=False)
    assert bits(trainer) == bits(twin) and count.batches == len(kept) // size


def test_drop_last_with_a_schedule_by_batch_accumulation_and_a_bar(capsys):
    x, y, _ = data()
    trainer = make_trainer()
    trainer.scheduler = StepLR(trainer.optimizer, 2, by="batch")
    trainer.fit(x, y, batch_size=16, drop_last=True, epochs=2, accumulate=2, progress=True)
    assert trainer.scheduler.last_epoch == 2 * math.ceil(ROWS // 16 / 2)
    assert "224/224" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"drop_last": 1}, TypeError, "drop_last must be True or False"),
        ({"drop_last": True, "batch_size": 121}, ValueError, "drop_last leaves no batch: there are at most 120 rows"),
        ({"validation_freq": 0, "validation_split": 0.5}, ValueError, "validation_freq must be at least 1, got 0"),
        ({"validation_freq": "2", "validation_split": 0.5}, TypeError, "validation_freq must be an integer, got str"),
        ({"validation_freq": [0], "validation_split": 0.5}, ValueError, "an epoch of validation_freq must be at least"),
        ({"validation_freq": 2}, ValueError, "validation_freq needs validation_data or validation_split"),
        ({"initial_epoch": -1}, ValueError, "initial_epoch must be at least 0, got -1"),
        ({"initial_epoch": 2}, ValueError, "initial_epoch must be at most epochs=1, got 2"),
        ({"steps_per_epoch": 0}, ValueError, "steps_per_epoch must be at least 1, got 0"),
        ({"steps_per_epoch": 3}, ValueError, "steps_per_epoch is for iterables of batches"),
    ],
)
def test_wrong_arguments_are_explained(arguments, error, message):
    trainer = make_trainer()
    before = values(trainer)
    with pytest.raises(error, match=message):
        trainer.fit(*data()[:2], **arguments)
    np.testing.assert_array_equal(values(trainer), before)


# -- validation_freq ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("often", "epochs"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4]), ([1, 4], [1, 4]), (range(9), None)])
def test_validation_after_some_epochs(often, epochs):
    x, y, _ = data()
    trainer = make_trainer()
    if epochs is None:
        with pytest.raises(ValueError, match="must be at least 1"):
            trainer.fit(x, y, epochs=5, validation_data=(x, y), validation_freq=often)
        return
    history = trainer.fit(x, y, epochs=5, validation_data=(x, y), validation_freq=often)
    assert [i + 1 for i, value in enumerate(history["val_loss"]) if not math.isnan(value)] == epochs
    assert not np.isnan(history["loss"]).any()


def test_what_watches_validation_waits_for_it(tmp_path):
    x, y, _ = data()
    trainer = make_trainer()
    trainer.optimizer.lr = 0.0
    trainer.scheduler = ReduceLROnPlateau(trainer.optimizer, patience=1, monitor="val_loss")
    stopping = callbacks.EarlyStopping("val_loss", patience=2)
    saving = callbacks.ModelCheckpoint(tmp_path / "best", save_best_only=True, net_only=True)
    naming = callbacks.ModelCheckpoint(f"{tmp_path}/{{epoch}}-{{val_loss:.0f}}", net_only=True)
    logger = callbacks.CSVLogger(tmp_path / "log.csv")
    arguments = {"validation_data": (x, y), "validation_freq": 3, "callbacks": [stopping, saving, naming, logger]}
    history = trainer.fit(x, y, epochs=100, **arguments)
    assert history.epochs == 9 and stopping.best_epoch == 3
    assert trainer.scheduler.last_epoch == 3
    assert sorted(path.name[:2] for path in tmp_path.glob("[0-9]*")) == ["3-", "6-", "9-"]
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,seconds,lr,val_loss,val_accuracy"
    assert lines[1].endswith(",,") and not lines[3].endswith(",")
    with pytest.raises(ValueError, match="there is no 'val_f1'"):
        trainer.fit(x, y, validation_data=(x, y), callbacks=[callbacks.EarlyStopping("val_f1")])


# -- initial_epoch -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 5])
def test_a_run_in_two_parts_is_one_run(seed, dtype, backend):
    x, y, _ = data(dtype)
    whole, parts, count = make_trainer(dtype), make_trainer(dtype), Count()
    history = whole.fit(x, y, epochs=5, seed=seed)
    first = parts.fit(x, y, epochs=2, seed=seed)
    second = parts.fit(x, y, epochs=5, initial_epoch=2, seed=seed, callbacks=[count])
    assert first["loss"] + second["loss"] == history["loss"]
    np.testing.assert_array_equal(values(parts), values(whole))
    assert (second.epochs, second.initial_epoch, count.epochs) == (3, 2, [3, 4, 5])
    assert parts.fit(x, y, epochs=5, initial_epoch=5).epochs == 0


def test_epochs_are_numbered_from_the_initial_one(tmp_path, capsys):
    x, y, _ = data()
    trainer = make_trainer()
    saving, logger = callbacks.ModelCheckpoint(f"{tmp_path}/{{epoch}}"), callbacks.CSVLogger(tmp_path / "log.csv")
    history = trainer.fit(x, y, epochs=5, initial_epoch=3, callbacks=[saving, logger], progress=True)
    assert {path.name for path in tmp_path.iterdir()} == {"4", "5", "log.csv"}
    assert [line.split(",")[0] for line in (tmp_path / "log.csv").read_text().splitlines()] == ["epoch", "4", "5"]
    assert history.best("loss")["epoch"] in (4, 5)
    history.to_csv(tmp_path / "table.csv")
    assert [line.split(",")[0] for line in (tmp_path / "table.csv").read_text().splitlines()] == ["epoch", "4", "5"]
    last = capsys.readouterr().err.split("\r")[-1]
    assert "epoch 5/5" in last and "240/240" in last


# -- steps_per_epoch ---------------------------------------------------------------------------------------------------


def endless(x, y, size=16):
    """Batches without end, each of the next rows."""
    for i in itertools.count():
        rows = np.arange(i * size, (i + 1) * size) % len(x)
        yield x[rows], y[rows]


@pytest.mark.parametrize("prefetch", [0, 1, 4])
@pytest.mark.parametrize("kind", ["generator", "function", "list"])
def test_epochs_of_some_batches(kind, prefetch, dtype):
    x, y, _ = data(dtype)
    pieces = list(itertools.islice(endless(x, y), 15))  # twice through the data
    source = {"generator": endless(x, y), "function": lambda: endless(x, y), "list": pieces}[kind]
    trainer, twin = make_trainer(dtype), make_trainer(dtype)
    history = trainer.fit(source, epochs=6, steps_per_epoch=5, prefetch=prefetch)
    batches = itertools.cycle(pieces)
    for _ in range(6):
        twin.fit(list(itertools.islice(batches, 5)))
    assert history.epochs == 6
    np.testing.assert_array_equal(values(trainer), values(twin))
    if kind == "generator":  # no batch was read that was not used
        np.testing.assert_array_equal(next(source)[0], pieces[0][0])


def test_an_iterator_that_ends_too_early():
    x, y, _ = data()
    trainer = make_trainer()
    with pytest.raises(ValueError, match="x ended after 7 batches: 2 epochs with steps_per_epoch=5 take 10"):
        trainer.fit(itertools.islice(endless(x, y), 7), epochs=2, steps_per_epoch=5)
    assert trainer.history.epochs == 1
    with pytest.raises(ValueError, match="x gave no batches"):
        trainer.fit([], steps_per_epoch=5)
    with pytest.raises(ValueError, match="drop_last is for arrays and shards"):
        trainer.fit(endless(x, y), steps_per_epoch=5, drop_last=True)
    with pytest.raises(ValueError, match="steps_per_epoch is for iterables"):
        trainer.fit(x, y, steps_per_epoch=5)


def test_a_run_of_steps_that_is_stopped_leaves_no_thread():
    class Stop(fastnn.Callback):
        def on_batch_end(self, run):
            if run.epoch == 1:
                run.stop("enough")

    x, y, _ = data()
    history = make_trainer().fit(endless(x, y), epochs=9, steps_per_epoch=5, prefetch=3, callbacks=[Stop()])
    assert (history.epochs, history.stopped) == (1, "enough")


def test_a_schedule_knows_the_steps():
    x, y, _ = data()
    trainer = make_trainer()
    trainer.scheduler = optim.lr_scheduler.OneCycleLR(trainer.optimizer, max_lr=0.1, total_steps=9)
    with pytest.raises(ValueError, match="9"):
        trainer.fit(endless(x, y), epochs=2, steps_per_epoch=5)


# -- resuming ----------------------------------------------------------------------------------------------------------


class Break(fastnn.Callback):
    """Ends a run with an error at some batch."""

    in_checkpoints = False

    def __init__(self, epoch, batch):
        self.at = epoch, batch

    def on_batch_end(self, run):
        if (run.epoch, run.batch) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", [(2, 1), (2, 3), (3, 2), (3, 5), (4, 5)])
@pytest.mark.parametrize("kind", ["steps", "dropped", "begun"])
def test_a_run_that_was_cut_off_is_resumed(kind, at, path):
    x, y, _ = data()
    rare = {
        "steps": {"steps_per_epoch": 5},
        "dropped": {"drop_last": True, "batch_size": 22},
        "begun": {"initial_epoch": 1, "batch_size": 22},
    }[kind]
    other = {"steps_per_epoch": 4} if kind == "steps" else {"batch_size": 22}
    arrays = (lambda: (endless(x, y),)) if kind == "steps" else lambda: (x, y)
    more = {"epochs": 6, "checkpoint": path, "checkpoint_every": 1}
    whole, first, second = make_trainer(), make_trainer(), make_trainer()
    whole.fit(*arrays(), epochs=6, **rare)
    interrupted(first, *arrays(), **more, **rare, callbacks=[Break(*at)])
    with pytest.raises(ValueError, match=r"must be .* as in the run to go on with, got"):
        second.fit(*arrays(), **more, resume=True, **other)
    history = second.fit(*arrays(), **more, resume=True, **rare)
    assert bits(second) == bits(whole) and history["loss"] == whole.history["loss"]


# -- weights of zero ---------------------------------------------------------------------------------------------------

ZEROS = np.zeros(ROWS, "float32")


def refused_weights(x, y):
    first = np.where(np.arange(ROWS) < ROWS // 2, 1.0, 0.0)  # those at the end have none
    return {
        "classes": ({"class_weight": [0.0] * 3}, "class_weight must be above 0 for at least one of 3 classes"),
        "dict": ({"class_weight": dict.fromkeys(range(3), 0)}, "class_weight must be above 0 for at least one"),
        "absent": (
            {"class_weight": {0: 0}, "sample_weight": y == 0},
            "class_weight is 0 for the classes of all samples to train on",
        ),
        "empty": ({"validation_data": (x[:0], y[:0])}, "validation_data must have at least one row"),
        "validation": ({"validation_data": (x, y, ZEROS)}, "sample_weight of validation_data must be above 0"),
        "split": (
            {"validation_split": 0.25, "shuffle": False, "sample_weight": first},
            r"sample_weight is 0 for all samples that validation_split=0\.25 keeps",
        ),
    }


@pytest.mark.parametrize("name", ["classes", "dict", "absent", "empty", "validation", "split"])
def test_weights_that_leave_nothing_are_refused_before_anything_happens(name, backend):
    x, y, _ = data("float32")
    options, message = refused_weights(x, y)[name]
    trainer, count = make_trainer("float32"), Count()
    before = bits(trainer)
    with pytest.raises(ValueError, match=message):
        trainer.fit(x, y, epochs=2, batch_size=8, callbacks=[count], **options)
    assert bits(trainer) == before
    assert count.batches == 0


@pytest.mark.parametrize("batch_size", [8, None])
def test_sample_weights_of_zero_are_warned_of(batch_size, tmp_path, backend):
    x, y, _ = data("float32")
    trainer = make_trainer("float32")
    with pytest.warns(RuntimeWarning, match="^sample_weight is 0 for all samples to train on") as warned:
        history = trainer.fit(x, y, batch_size=batch_size, sample_weight=ZEROS)
    assert [w.filename for w in warned] == [__file__]
    assert math.isnan(history["loss"][0])
    with pytest.warns(RuntimeWarning, match="^sample_weight is 0 for all samples to train on"):
        trainer.fit(Shards.write(tmp_path / "a", x, y, ZEROS, rows=8), batch_size=batch_size)
