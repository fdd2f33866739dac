"""Several epochs in one compiled call: the same numbers as epoch by epoch, which a callback asks for."""

import threading
import time

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.callbacks import Callback

RNG = np.random.default_rng(0)
X = RNG.normal(size=(75, 6)).astype("float32")
Y = (X.sum(1) > 0).astype("int64")


def trainer(schedule=True, x=X):
    net = nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2), seed=1, dtype=str(x.dtype)
    )
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000, by="batch") if schedule else None
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer, scheduler=scheduler, metrics=["accuracy", "f1"])


def state(t):
    """All that training goes on from."""
    history = [{name: value for name, value in row.items() if name != "seconds"} for row in t.history.rows]
    rates = (t.scheduler.last_epoch, t.optimizer.lr) if t.scheduler else ()
    return t.net.state_dict(), t.optimizer.state_dict(), history, t.engine.epochs, rates


def assert_equal(a, b):
    for one, other in zip(a, b, strict=True):
        if isinstance(one, dict):
            assert list(one) == list(other)
            assert_equal(one.values(), other.values())
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other


CASES = {
    "plain": {},
    "accumulate": {"accumulate": 3},
    "in order": {"shuffle": False},
    "short batch left out": {"drop_last": True},
    "all rows": {"batch_size": None},
    "own seed": {"seed": 5},
    "weights": {"sample_weight": np.linspace(0.5, 2, 75)},
    "later epochs": {"initial_epoch": 2},
}


@pytest.mark.parametrize("schedule", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_numbers_are_those_of_epochs_that_are_watched(case, schedule, dtype, backend):
    epochs = 21 if backend == "native" else 5
    results = []
    with fastnn.use_backend(backend):
        for callbacks in ([], [Callback()]):
            t = trainer(schedule, X.astype(dtype))
            given = {"batch_size": 16, "epochs": epochs} | CASES[case]
            t.fit(X.astype(dtype), Y, callbacks=callbacks, progress=False, **given)
            t.fit(X.astype(dtype), Y, callbacks=callbacks, progress=False, **(given | {"initial_epoch": epochs - 2}))
            results.append(state(t))
    assert_equal(*results)


def test_a_loss_that_is_not_finite_is_told_as_ever():
    y = np.zeros((75, 1), "float32")
    results = []
    for callbacks in ([], [Callback()]):
        net = nn.Sequential(nn.Linear(6, 1), seed=0)
        t = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=1e6))
        with pytest.warns(RuntimeWarning, match="the loss of batch 2 of epoch 2 is not finite") as told:
            t.fit(X, y, epochs=9, batch_size=25, callbacks=callbacks, progress=False)
        results.append((str(told[0].message), t.net.state_dict(), t.history.epochs))
    assert results[0][0] == results[1][0] and results[0][2] == results[1][2] == 9
    bad = X.copy()
    bad[60, 2] = np.nan
    t = trainer()
    with pytest.raises(ValueError, match=r"x\[60, 2\] is nan"):
        t.fit(bad, Y, epochs=9, batch_size=16, progress=False)


def test_a_label_out_of_range_is_named_and_what_came_before_is_noted():
    y = Y.copy()
    y[70] = 2
    t = trainer(schedule=False)
    with pytest.raises(ValueError, match=r"y\[70\] is 2"):
        t.fit(X, y, epochs=3, batch_size=16, progress=False)


def test_another_thread_can_interrupt_a_run(monkeypatch):
    """As Ctrl-C does in the main thread: between two batches, with the state of that place."""
    t, caught = trainer(schedule=False), []

    def fit():
        try:
            t.fit(X, Y, epochs=10**6, batch_size=16, progress=False)
        except KeyboardInterrupt as error:
            caught.append(str(error))

    thread = threading.Thread(target=fit)
    thread.start()
    while not t.engine.programs or t.net._tick[0] < 50:
        time.sleep(0.001)
    while thread.is_alive():
        t.engine.interrupt()
        thread.join(0.01)
    assert caught and "was interrupted in epoch" in caught[0]
    assert t.history.interrupted and t.history.epochs == t.net._tick[0] // 5
    t.fit(X, Y, epochs=1, batch_size=16, progress=False)
