"""Sample weights in `fit`: any batch size minimizes the weighted loss of the data."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.data import Mixup, Shards

N = 12


def mean_square(y_pred, y, sample_weight=None):
    """nn.MSELoss in Python."""
    error = y_pred - y
    share = np.ones(len(y)) / len(y) if sample_weight is None else sample_weight / sample_weight.sum()
    return float((share[:, None] * error**2).sum() / y.shape[1]), 2 * share[:, None] * error / y.shape[1]


def labels(rng):
    return rng.integers(3, size=N)


LOSSES = {
    "mse": (nn.MSELoss(), lambda rng: rng.normal(size=(N, 3))),
    "huber": (nn.HuberLoss(), lambda rng: rng.normal(size=(N, 3))),
    "batchmean": (nn.KLDivLoss("batchmean"), lambda rng: rng.uniform(0.1, 0.5, (N, 3))),
    "bce": (nn.BCEWithLogitsLoss(pos_weight=2.0), lambda rng: rng.integers(2, size=(N, 3))),
    "hinge": (nn.HingeLoss(), lambda rng: rng.choice([-1, 1], (N, 3))),
    "cosine": (nn.CosineSimilarityLoss(), lambda rng: rng.normal(size=(N, 3))),
    "cross_entropy": (nn.CrossEntropyLoss(), labels),
    "python": (mean_square, lambda rng: rng.normal(size=(N, 3)).astype("float64")),
    "heads": (None, lambda rng: {"a": rng.normal(size=(N, 1)), "b": rng.integers(2, size=N)}),
}


def make(name, dtype):
    loss = LOSSES[name][0]
    if name == "heads":
        heads = nn.Heads(a=nn.Linear(3, 1), b=nn.Linear(3, 2))
        net = nn.Sequential(nn.Linear(2, 3), heads, seed=1, dtype=dtype)
        loss = nn.HeadsLoss(heads, a=nn.MSELoss(), b=nn.CrossEntropyLoss(), weights={"b": 0.5})
    else:
        net = nn.Sequential(nn.Linear(2, 3), seed=1, dtype=dtype)
    return fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=1e-3))


def arrays(name, dtype):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(N, 2)).astype(dtype), LOSSES[name][1](rng)
    y = {k: v.astype(dtype) if v.dtype.kind == "f" else v for k, v in y.items()} if isinstance(y, dict) else y
    y = y.astype(dtype) if not isinstance(y, dict) and y.dtype.kind == "f" else y
    return x, y, rng.uniform(0, 3, N)


def rows_of(y, rows):
    return {name: part[rows] for name, part in y.items()} if isinstance(y, dict) else y[rows]


def test_a_weight_of_nine_to_one_counts_so_in_batches_of_any_size(backend, dtype):
    """The constant that minimizes 9 (c - 0)^2 + (c - 1)^2 is 0.1; weights that do nothing give 0.5."""
    x, y = np.zeros((2, 1), dtype), np.array([[0], [1]], dtype)
    for batch_size in (1, 2, None):
        net = nn.Sequential(nn.Linear(1, 1), seed=0, dtype=dtype)
        trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.01))
        trainer.fit(x, y, sample_weight=[9, 1], batch_size=batch_size, epochs=1000, seed=0)
        assert net.predict(x)[0, 0] == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
def test_gradients_of_the_batches_add_up_to_that_of_the_data(name, batch_size, backend, dtype):
    """Batches that do not move the network (a rate of 0): the mean of their gradients is that of one batch of all."""
    x, y, weight = arrays(name, dtype)
    whole, trainer = make(name, dtype), make(name, dtype)
    whole.optimizer.lr = trainer.optimizer.lr = 0.0
    whole.fit(x, y, sample_weight=weight, batch_size=None, shuffle=False)
    expected = whole.net.parameters().grad.copy()
    seen = []

    class Keep(fastnn.Callback):
        every = 1

        def on_batch_end(self, run):
            seen.append(run.net.parameters().grad.astype("float64"))

    trainer.fit(x, y, sample_weight=weight, batch_size=batch_size, shuffle=False, callbacks=[Keep()])
    assert len(seen) == N // batch_size
    tolerance = 16 * np.finfo(dtype).eps * max(1, abs(expected).max())
    np.testing.assert_allclose(np.mean(seen, axis=0), expected, rtol=0, atol=tolerance)
    assert trainer.history["loss"] == pytest.approx(whole.history["loss"], rel=1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_groups_of_batches_are_one_batch(name, backend, dtype):
    x, y, weight = arrays(name, dtype)
    one, several = make(name, dtype), make(name, dtype)
    one.fit(x, y, sample_weight=weight, batch_size=6, epochs=2)
    several.fit(x, y, sample_weight=weight, batch_size=2, accumulate=3, epochs=2)
    values = (trainer.net.parameters().data for trainer in (one, several))
    np.testing.assert_allclose(*values, rtol=0, atol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ["mse", "cross_entropy", "python", "heads"])
def test_weights_of_one_number_are_no_weights(name, backend, dtype):
    x, y, _ = arrays(name, dtype)
    plain, weighted = make(name, dtype), make(name, dtype)
    plain.fit(x, y, batch_size=5, epochs=2)
    weighted.fit(x, y, sample_weight=np.full(N, 4.0), batch_size=5, epochs=2)
    values = (trainer.net.parameters().data for trainer in (plain, weighted))
    np.testing.assert_allclose(*values, rtol=0, atol=32 * np.finfo(dtype).eps)


def test_weights_of_classes_keep_their_rule(backend, dtype):
    """As in PyTorch, the mean over a batch is divided by the weights of its classes."""
    x, _, weight = arrays("mse", dtype)
    y = np.array([0, 0, 0, 1] * 3)
    net, twin = (nn.Sequential(nn.Linear(2, 2), seed=1, dtype=dtype) for _ in range(2))
    loss = nn.CrossEntropyLoss(weight=[1.0, 5.0])
    fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1)).fit(
        x, y, sample_weight=weight, batch_size=4, shuffle=False
    )
    optimizer = optim.SGD(twin.parameters(), lr=0.1)
    for i in range(0, N, 4):
        _, grad = loss(twin(x[i : i + 4]), y[i : i + 4], weight[i : i + 4].astype(dtype))
        of_batch = (weight[i : i + 4] * [1, 1, 1, 5]).sum() / (8 * weight.mean())  # classes: 1 + 1 + 1 + 5
        optimizer.zero_grad()
        twin.backward((grad * of_batch).astype(dtype))
        optimizer.step()
    np.testing.assert_allclose(net.parameters().data, twin.parameters().data, rtol=0, atol=8 * np.finfo(dtype).eps)


def test_a_step_divides_by_the_weights_of_its_batch(backend, dtype):
    x, y, weight = arrays("mse", dtype)
    heavy, light = make("mse", dtype), make("mse", dtype)
    heavy.step(x, y, 4 * weight)
    light.step(x, y, weight)
    np.testing.assert_array_equal(heavy.net.parameters().data, light.net.parameters().data)


def test_shards_know_the_weights_of_all(backend, dtype, tmp_path):
    x, y, weight = arrays("mse", dtype)
    shards = Shards.write(tmp_path / "shards", x, y, weight.astype(dtype), rows=4)
    of_shards, of_arrays = make("mse", dtype), make("mse", dtype)
    of_shards.fit(shards, batch_size=2, shuffle=False, epochs=2)
    of_arrays.fit(x, y, sample_weight=weight, batch_size=2, shuffle=False, epochs=2)
    np.testing.assert_array_equal(of_shards.net.parameters().data, of_arrays.net.parameters().data)


def test_the_samples_that_are_held_back_have_no_say(backend, dtype):
    x, y, weight = arrays("mse", dtype)
    cut, kept = make("mse", dtype), make("mse", dtype)
    weight[8:] = 100
    cut.fit(x, y, sample_weight=weight, validation_split=4 / 12, batch_size=2, shuffle=False)
    kept.fit(x[:8], y[:8], sample_weight=weight[:8], batch_size=2, shuffle=False)
    np.testing.assert_array_equal(cut.net.parameters().data, kept.net.parameters().data)


def test_mixed_samples_and_range_tests_take_weights(backend, dtype):
    x, y, weight = arrays("mse", dtype)
    trainer = make("mse", dtype)
    trainer.fit(x, y, sample_weight=weight, batch_size=3, transform=Mixup(0.4))
    losses = [trainer.find_lr(x, y, sample_weight=w, steps=5, batch_size=3).losses for w in (weight, 7 * weight)]
    np.testing.assert_allclose(*losses, rtol=64 * np.finfo(dtype).eps)
