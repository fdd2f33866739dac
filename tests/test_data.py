"""The data of a run: the order of the samples in each epoch, their weights, and those that are held back."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.reference.random import permutation
from test_trainer import N, make, weights


@pytest.mark.parametrize("case", ["cross_entropy_int64", "cross_entropy_one_hot", "mse_one_output", "python"])
@pytest.mark.parametrize("batch_size", [None, 1, 8, N - 1, N, N + 100])
def test_fit_is_the_steps_in_the_order_of_the_permutation(case, batch_size):
    net, trainer, x, y = make(case)
    twin, twin_trainer, *_ = make(case)
    history = trainer.fit(x, y, epochs=2, batch_size=batch_size, seed=11)
    size = min(N, batch_size or N)
    for epoch in range(2):
        order = permutation(11, epoch, N)
        losses = [
            (twin_trainer.step(x[rows], y[rows]), len(rows))
            for rows in (order[i : i + size] for i in range(0, N, size))
        ]
        total = sum(loss * rows for loss, rows in losses)
        assert history["loss"][epoch] == pytest.approx(total / N)
    assert weights(net) == weights(twin)


def test_fit_without_shuffling_takes_the_samples_as_they_come():
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    trainer.fit(x, y, epochs=2, batch_size=10, shuffle=False)
    for start in (0, 10, 20, 30) * 2:
        twin_trainer.step(x[start : start + 10], y[start : start + 10])
    assert weights(net) == weights(twin)


def test_fit_shuffles_by_the_seed_of_the_network_unless_told():
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    other, other_trainer, *_ = make()
    trainer.fit(x, y, epochs=2, batch_size=10)
    twin_trainer.fit(x, y, epochs=2, batch_size=10, seed=net.seed)
    other_trainer.fit(x, y, epochs=2, batch_size=10, seed=net.seed + 1)
    assert weights(net) == weights(twin) != weights(other)


def test_sample_weights_follow_their_samples_when_shuffled():
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    weight = np.random.default_rng(2).uniform(0, 3, N)
    trainer.fit(x, y, sample_weight=weight, batch_size=8, seed=1)
    order = permutation(1, 0, N)
    twin_trainer.fit(x[order], y[order], sample_weight=weight[order], batch_size=8, shuffle=False)
    assert weights(net) == weights(twin)


@pytest.mark.parametrize(("share", "kept"), [(0.25, 27), (0.5, 18), (0.01, 36)])
def test_validation_split_keeps_the_last_samples_without_shuffling(share, kept):
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    weight = np.random.default_rng(2).uniform(0, 3, N)
    settings = {"batch_size": 8, "epochs": 2, "shuffle": False}
    history = trainer.fit(x, y, sample_weight=weight, validation_split=share, **settings)
    validation = x[kept:], y[kept:], weight[kept:]
    expected = twin_trainer.fit(x[:kept], y[:kept], sample_weight=weight[:kept], validation_data=validation, **settings)
    assert weights(net) == weights(twin)
    assert history["val_loss"] == expected["val_loss"]
    assert history["val_loss"][-1] == twin_trainer.evaluate(*validation[:2], sample_weight=validation[2])["loss"]


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_validation_split_of_sorted_labels_has_all_classes(backend):
    """As many of each class as its share, the same ones for the same seed, the rest trained on in place."""
    y = np.repeat(np.arange(3), (60, 30, 10))
    x = np.random.default_rng(0).standard_normal((100, 4)).astype("float32")
    seen = []
    with fastnn.use_backend(backend):
        for seed in (0, 0, 1):
            net = nn.Sequential(nn.Linear(4, 3), seed=0)
            trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
            train, held = trainer.engine.data(x, y).split(0.2, seed)
            assert (len(train), len(held)) == (80, 20)
            assert np.bincount(held.y).tolist() == [12, 6, 2]
            assert sorted(
                [*train.rows.tolist(), *(int(np.flatnonzero((x == row).all(1))[0]) for row in held.x)]
            ) == list(range(100))
            history = trainer.fit(x, y, epochs=2, batch_size=16, validation_split=0.2, seed=seed, progress=False)
            twin = nn.Sequential(nn.Linear(4, 3), seed=0)
            twin_trainer = fastnn.Trainer(twin, nn.CrossEntropyLoss(), optim.SGD(twin.parameters(), lr=0.1))
            expected = twin_trainer.fit(
                x[train.rows], y[train.rows], epochs=2, batch_size=16, seed=seed, validation_data=(held.x, held.y)
            )
            assert history["val_loss"] == expected["val_loss"]
            assert weights(net) == weights(twin)
            seen.append(held.x.tobytes())
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(("share", "n", "count"), [(0.14, 50, 7), (0.07, 100, 7), (0.29, 100, 29), (0.1, 5, 1)])
def test_validation_split_rounds_decimal_shares(share, n, count):
    """0.07 * 100 is 7.000000000000001 in floating point."""
    _, trainer, *_ = make()
    x = np.zeros((n, trainer.net.in_features))
    for seed in (None, 0):
        train, held = trainer.engine.data(x, np.zeros((n, 3))).split(share, seed)
        assert (len(train), len(held)) == (n - count, count)


def test_one_target_a_sample_is_a_column():
    net, trainer, x, y = make("mse_one_output")
    twin, twin_trainer, *_ = make("mse_one_output")
    assert trainer.step(x, y) == twin_trainer.step(x, y[:, None])
    assert weights(net) == weights(twin)
