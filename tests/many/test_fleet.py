"""fit_many: each network has the bits of `fit` alone; groups, callbacks, errors, Ctrl-C and checkpoints."""

import signal
import threading
import time

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.callbacks import Callback, EarlyStopping

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 5)).astype("float32")
LABELS = (X[:, 0] + X[:, 1] > 0).astype("int64")
NUMBERS = X @ RNG.normal(size=(5, 1)).astype("float32")


def classifier(seed, width=8, rule=optim.Adam, dtype="float32", **more):
    net = nn.Sequential(nn.Linear(5, width), nn.Tanh(), nn.Dropout(0.2), nn.Linear(width, 2), seed=seed, dtype=dtype)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), rule(net.parameters(), lr=0.01), **more)


def regressor(seed, width=4):
    net = nn.Sequential(nn.Linear(5, width), nn.ReLU(), nn.Linear(width, 1), seed=seed)
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000, by="batch")
    return fastnn.Trainer(net, nn.MSELoss(), optimizer, scheduler=scheduler)


def mixed():
    """Trainers of different architectures, dtypes, rules and schedules."""
    trainers = [classifier(0), classifier(1, 33, optim.RMSprop), classifier(2, dtype="float64", metrics=["f1"])]
    optimizer = trainers[1].optimizer
    trainers[1].scheduler = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    return trainers


def records(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]


def assert_same(trainers, others):
    for a, b in zip(trainers, others, strict=True):
        for name, value in a.net.state_dict().items():
            np.testing.assert_array_equal(value, b.net.state_dict()[name])
        assert records(a.history) == records(b.history)
        assert a.engine.epochs == b.engine.epochs and a.run is b.run is None


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    "more",
    [{}, {"validation_split": 0.25, "seed": 7}, {"accumulate": 2, "shuffle": False}, {"validation_data": (X, LABELS)}],
    ids=["plain", "split", "accumulate", "validation"],
)
def test_bits_are_those_of_fit_alone(threads, more, backend):
    together, alone = mixed(), mixed()
    before = fastnn.get_num_threads()
    fastnn.set_num_threads(threads)
    try:
        with fastnn.use_backend(backend):
            fleet = fastnn.fit_many(together, X, LABELS, epochs=5, batch_size=16, **more)
            fastnn.fit_many(together, X, LABELS, epochs=3, batch_size=16, **more)
            for trainer in alone:
                trainer.fit(X, LABELS, epochs=5, batch_size=16, progress=False, **more)
                trainer.fit(X, LABELS, epochs=3, batch_size=16, progress=False, **more)
    finally:
        fastnn.set_num_threads(before)
    assert len(fleet) == 3 and [history.epochs for history in fleet] == [5, 5, 5]
    assert_same(together, alone)


def test_each_has_its_own_data_and_seed():
    parts = np.array_split(np.arange(96), 4)
    together, alone = ([regressor(i) for i in range(4)] for _ in range(2))
    inputs, targets = [X[p] for p in parts], [NUMBERS[p] for p in parts]
    fastnn.fit_many(together, inputs, targets, epochs=4, batch_size=8, seed=[3, 1, 4, 1])
    for trainer, x, y, seed in zip(alone, inputs, targets, [3, 1, 4, 1], strict=True):
        trainer.fit(x, y, epochs=4, batch_size=8, seed=seed, progress=False)
    assert_same(together, alone)
    shared, several = [regressor(0), regressor(1)], [NUMBERS, -NUMBERS]  # one X, a target each
    fleet = fastnn.fit_many(shared, X, several, epochs=2)
    assert fleet[0]["loss"] != fleet[1]["loss"] and fleet.nets == [trainer.net for trainer in shared]


def test_groups_are_the_rows_of_each_value():
    groups = np.array(["b", "a", "c"])[np.arange(96) % 3]
    weight = np.linspace(1, 2, 96)
    more = {"epochs": 3, "batch_size": 8}
    fleet = fastnn.fit_many(lambda g: regressor(ord(g)), X, NUMBERS, groups=groups, sample_weight=weight, **more)
    assert fleet.groups == ["a", "b", "c"]
    alone = [regressor(ord(g)) for g in "abc"]
    for trainer, g in zip(alone, "abc", strict=True):
        rows = groups == g
        trainer.fit(X[rows], NUMBERS[rows], sample_weight=weight[rows], progress=False, **more)
    assert_same(fleet.trainers, alone)
    table = fleet.table()
    assert (
        table["group"] == ["a", "b", "c"]
        and table["epochs"] == [3, 3, 3]
        and table["loss"] == [h["loss"][-1] for h in fleet]
    )
    given = {g: regressor(ord(g)) for g in "cab"}
    assert_same(fastnn.fit_many(given, X, NUMBERS, groups=groups, sample_weight=weight, **more).trainers, alone)


def test_callbacks_are_copies_and_a_member_stops_early():
    trainers = [regressor(0), regressor(1, 16)]
    stopping = EarlyStopping("val_loss", patience=2, min_delta=0.2)
    seen = [[], []]

    class Note(Callback):
        def __init__(self, index):
            self.index = index

        def on_epoch_end(self, run):
            seen[self.index].append(threading.get_ident())

    fleet = fastnn.fit_many(
        trainers,
        X,
        NUMBERS,
        epochs=50,
        validation_split=0.25,
        callbacks=lambda i: [EarlyStopping("val_loss", patience=2, min_delta=0.2), Note(i)],
    )
    assert all(history.stopped for history in fleet) and [len(s) for s in seen] == [h.epochs for h in fleet]
    copies = [regressor(0), regressor(1, 16)]
    again = fastnn.fit_many(copies, X, NUMBERS, epochs=50, validation_split=0.25, callbacks=[stopping])
    assert_same(trainers, copies)
    assert again.table()["stopped"] == fleet.table()["stopped"]


CASES = [
    ({"trainers": [1]}, TypeError, r"trainers\[0\] must be a Trainer, got int"),
    ({"trainers": "twice"}, ValueError, r"trainers\[0\] and trainers\[2\] are the same trainer: each needs a network"),
    ({"trainers": "shared"}, ValueError, r"trainers\[0\] and trainers\[1\] train the same network"),
    ({"X": [X, X]}, ValueError, r"X must be one array, or a list of one for each of 3 trainers, got 2"),
    ({"X": [X, X[:, :4], X]}, ValueError, r"trainers\[1\]: .*4 features"),
    ({"seed": [1, 2]}, ValueError, r"seed must have one item for each of 3 trainers, got 2"),
    ({"groups": np.zeros(4)}, ValueError, r"groups must have shape \(96,\) one a row of X, got \(4,\)"),
    (
        {"groups": np.r_[np.arange(95) % 2, 7]},
        ValueError,
        r"groups: the group .*7.* has one row, each needs two",
    ),
    ({"groups": np.arange(96) % 2}, ValueError, r"trainers must have one for each of 2 groups, got 3"),
    (
        {"trainers": {0: None}, "groups": np.arange(96) % 2},
        ValueError,
        r"trainers has none for 1 groups, the first is",
    ),
    ({"trainers": {}}, TypeError, r"trainers must be a list of trainers; a mapping or a function goes with groups="),
    ({"resume": True}, ValueError, r"resume=True needs checkpoint=path"),
    ({"epochs": -1}, ValueError, r"trainers\[0\]: epochs must be at least 0"),
    ({"progress": "maybe"}, ValueError, r"progress must be True, False or 'auto'"),
]


@pytest.mark.parametrize(("given", "error", "message"), CASES, ids=[str(i) for i in range(len(CASES))])
def test_errors_come_before_anything_is_trained(given, error, message):
    trainers = mixed()
    if given.get("trainers") == "twice":
        given = given | {"trainers": [trainers[0], trainers[1], trainers[0]]}
    elif given.get("trainers") == "shared":
        net = trainers[0].net
        other = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
        given = given | {"trainers": [trainers[0], other, trainers[2]]}
    before = [trainer.net.parameters().data.copy() for trainer in trainers]
    with pytest.raises(error, match=message):
        fastnn.fit_many(**({"trainers": trainers, "X": X, "y": LABELS} | given))
    for trainer, values in zip(trainers, before, strict=True):
        np.testing.assert_array_equal(trainer.net.parameters().data, values)
    fastnn.fit_many(trainers, X, LABELS)  # nothing is claimed


def test_an_error_in_training_names_the_member_and_leaves_all_whole():
    labels = [LABELS, LABELS.copy(), LABELS]
    labels[1][90] = 9
    trainers = mixed()
    with pytest.raises(ValueError, match=r"trainers\[1\]: y\[90\] is 9"):
        fastnn.fit_many(trainers, X, labels, epochs=10**4, batch_size=16)
    for trainer in trainers:
        batches = int(trainer.net._tick[0])
        assert batches // 6 == trainer.history.epochs and np.isfinite(trainer.net.parameters().data).all()
    fastnn.fit_many(trainers, X, LABELS)


def test_ctrl_c_ends_all_between_two_batches():
    trainers = [classifier(i) for i in range(4)]
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        fastnn.fit_many(trainers, X, LABELS, epochs=10**7, batch_size=16)
    timer.join()
    assert time.perf_counter() - began < 20
    assert sum(trainer.history.interrupted for trainer in trainers) >= 1
    for trainer in trainers:
        assert trainer.run is None and int(trainer.net._tick[0]) // 6 == trainer.history.epochs


@pytest.mark.parametrize("watched", [False, True])
def test_a_fleet_that_was_interrupted_goes_on_with_the_same_bits(watched, tmp_path):
    path = tmp_path / "fleet.safetensors"

    class Stop(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 3 and stops:
                raise KeyboardInterrupt

    def callbacks(i):
        return [EarlyStopping("loss", patience=50), Stop()] if watched or (stops and i == 1) else []

    more = {"epochs": 8, "batch_size": 16, "checkpoint": path}
    interrupted, whole = mixed(), mixed()
    stops = watched
    if watched:
        with pytest.raises(KeyboardInterrupt):
            fastnn.fit_many(interrupted, X, LABELS, callbacks=callbacks, **more)
        assert [trainer.history.epochs < 8 for trainer in interrupted].count(True) >= 1
    else:
        fastnn.fit_many(interrupted, X, LABELS, **(more | {"epochs": 3}))
    stops, again = False, mixed()
    fastnn.fit_many(again, X, LABELS, callbacks=callbacks if watched else (), resume=True, **more)
    stops = False
    fastnn.fit_many(whole, X, LABELS, callbacks=callbacks if watched else (), epochs=8, batch_size=16)
    assert_same(again, whole)
    with pytest.raises(ValueError, match="is of 3 networks, there are 2 trainers"):
        fastnn.fit_many(mixed()[:2], X, LABELS, resume=True, **more)
    others = [classifier(0), classifier(1), classifier(2)]
    before = others[0].net.state_dict()
    with pytest.raises(ValueError, match=r"trainers\[1\]: .* does not fit"):
        fastnn.fit_many(others, X, LABELS, callbacks=callbacks if watched else (), resume=True, **more)
    for name, value in before.items():
        np.testing.assert_array_equal(others[0].net.state_dict()[name], value)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(fastnn.FileFormatError, match="truncated or damaged"):
        fastnn.fit_many(mixed(), X, LABELS, resume=True, **more)


def test_a_checkpoint_is_written_while_members_are_trained(tmp_path):
    path, trainers = tmp_path / "fleet", [classifier(i) for i in range(3)]
    fastnn.fit_many(trainers, X, LABELS, epochs=3000, batch_size=16, checkpoint=path, checkpoint_every=0.0)
    other = [classifier(i) for i in range(3)]
    fastnn.fit_many(other, X, LABELS, epochs=3000, batch_size=16, checkpoint=path, resume=True)
    assert_same(trainers, other)


def test_members_that_wait_keep_what_they_were_resumed_from(tmp_path):
    path = tmp_path / "fleet"
    trainers = [classifier(i) for i in range(4)]
    fastnn.fit_many(trainers, X, LABELS, epochs=5, checkpoint=path)
    calls = []

    class Stop(Callback):
        in_checkpoints = False

        def on_train_begin(self, run):
            calls.append(run)
            raise KeyboardInterrupt

    again = [classifier(i) for i in range(4)]
    with pytest.raises(KeyboardInterrupt):
        fastnn.fit_many(again, X, LABELS, epochs=9, checkpoint=path, resume=True, callbacks=[Stop()])
    assert len(calls) < 4
    last = [classifier(i) for i in range(4)]
    fastnn.fit_many(last, X, LABELS, epochs=5, checkpoint=path, resume=True)  # all had finished these
    assert_same(last, trainers)


def test_a_path_that_cannot_be_written_is_an_error_before_training(tmp_path):
    trainers = [classifier(0), classifier(1)]
    with pytest.raises(FileNotFoundError):
        fastnn.fit_many(trainers, X, LABELS, epochs=5, checkpoint=tmp_path / "no" / "fleet")
    assert all(trainer.net._tick[0] == 0 for trainer in trainers)


def test_a_bar_counts_the_epochs_of_all(capsys):
    fastnn.fit_many([classifier(0), classifier(1)], X, LABELS, epochs=3, progress=True)
    shown = capsys.readouterr().err
    assert "2/2 networks" in shown and "6/6" in shown


def test_no_trainers_are_no_work():
    fleet = fastnn.fit_many([], X, LABELS)
    assert len(fleet) == 0 and fleet.table() == {"epochs": [], "stopped": []}
