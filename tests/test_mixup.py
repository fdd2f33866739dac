"""Mixup: what a batch becomes, in which distribution, and that it is the same for every backend, thread and resume."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import data, nn, optim
from fastnn.data.mixup import symmetric_beta
from fastnn.reference.random import permutation
from support.runs import BATCH, At, N, bits, make


def mixed_by_hand(x, y, order, partner, shares):
    """The samples of an epoch, mixed, in its order."""
    share = np.repeat(shares, BATCH)[: len(x), None].astype(x.dtype)
    one_hot = np.eye(2, dtype=x.dtype)[y] if y.ndim == 1 else y
    return [share * a[order] + (1 - share) * a[order[partner]] for a in (x, one_hot)]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("target", ["indices", "rows"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.usefixtures("backend")
def test_an_epoch_is_one_over_the_mixed_samples(shuffle, target, weighted, dtype):
    mixup = data.Mixup(0.7)
    trainer, x, y = make(dtype)
    twin, *_ = make(dtype)
    weight = np.random.default_rng(1).uniform(0, 2, N).astype(dtype) if weighted else None
    y = y if target == "indices" else np.random.default_rng(2).dirichlet([1, 1], N).astype(dtype)
    history = trainer.fit(x, y, epochs=2, batch_size=BATCH, seed=9, shuffle=shuffle, sample_weight=weight,
                          transform=mixup)  # fmt: skip
    tolerance = 1e3 * float(np.finfo(dtype).eps)  # the mean weights, of samples and of mixtures, differ by rounding
    for epoch in range(2):
        partner, shares = mixup.draw(9, epoch, 0, N, BATCH)
        order = permutation(9, epoch, N) if shuffle else np.arange(N)
        mixed_x, mixed_y = mixed_by_hand(x, y, order, partner, shares)
        mixed_weight = None
        if weighted:
            share = np.repeat(shares, BATCH)[:N].astype(dtype)
            mixed_weight = share * weight[order] + (1 - share) * weight[order[partner]]
        expected = twin.fit(mixed_x, mixed_y, batch_size=BATCH, shuffle=False, sample_weight=mixed_weight)
        if weighted:
            assert history["loss"][epoch] == pytest.approx(expected["loss"][0], rel=tolerance)
        else:
            assert history["loss"][epoch] == expected["loss"][0]
        assert history["accuracy"][epoch] == expected["accuracy"][0]
    if weighted:
        values = (t.net.parameters().data for t in (trainer, twin))
        np.testing.assert_allclose(*values, rtol=0, atol=tolerance)
    else:
        assert bits(trainer) == bits(twin)


def test_both_backends_mix_alike():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((N, 3)).astype("float32"), rng.standard_normal((N, 1)).astype("float32")
    losses = []
    for backend in ("native", "reference"):
        with fastnn.use_backend(backend):
            net = nn.Sequential(nn.Linear(3, 1), seed=0)
            trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
            losses.append(trainer.fit(x, y, batch_size=8, transform=data.Mixup())["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 7, 8, 100])
def test_partners_are_a_permutation_of_each_batch(rows):
    partner, shares = data.Mixup().draw(1, 2, 0, rows, 8)
    for start in range(0, rows, 8):
        batch = np.arange(start, min(rows, start + 8))
        assert sorted(partner[batch]) == batch.tolist()
    assert shares.shape == (-(-rows // 8),)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (shares.astype("float32") == shares).all()


def test_draws_depend_on_seed_epoch_and_place_alone():
    mixup = data.Mixup(0.4)
    whole, shares = mixup.draw(3, 5, 0, 64, 8)
    part, part_shares = mixup.draw(3, 5, 24, 40, 8)
    np.testing.assert_array_equal(part + 24, whole[24:])
    np.testing.assert_array_equal(part_shares, shares[3:])
    for other in (mixup.draw(4, 5, 0, 64, 8), mixup.draw(3, 6, 0, 64, 8)):
        assert (other[0] != whole).any()
        assert (other[1] != shares).all()


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5, 1.0, 4.0])
def test_shares_have_the_beta_distribution(alpha):
    u, v = np.random.default_rng(0).uniform(size=(2, 200_000))
    share = symmetric_beta(alpha, u, v)
    # Moments of Beta(a, a): 1/2, the variance 1 / (4 (2a + 1)), the fourth central one 3 / (16 (2a + 1) (2a + 3)).
    assert share.mean() == pytest.approx(0.5, abs=0.005)
    assert share.var() == pytest.approx(0.25 / (2 * alpha + 1), rel=0.02)
    assert ((share - 0.5) ** 4).mean() == pytest.approx(3 / 16 / (2 * alpha + 1) / (2 * alpha + 3), rel=0.02)
    if alpha == 1:
        counts = np.histogram(share, 10, (0, 1))[0]
        assert abs(counts - 20_000).max() < 600


def test_shares_at_the_ends_of_the_uniform_numbers():
    ends = np.array([0.0, 2.0**-53, 0.5, 1 - 2.0**-53])
    u, v = (grid.ravel() for grid in np.meshgrid(ends, np.r_[ends, 0.25]))
    for alpha in (1e-3, 0.2, 1.0, 1e3):
        share = symmetric_beta(alpha, u, v)
        assert ((share >= 0) & (share <= 1)).all()


@pytest.mark.usefixtures("backend")
def test_a_mixed_run_looked_at_and_resumed_has_the_same_bits():
    settings = {"epochs": 2, "batch_size": BATCH, "seed": 5, "transform": data.Mixup()}
    trainer, x, y = make()
    whole = trainer.fit(x, y, **settings)
    kept = []

    def keep(run):
        if (run.epoch, run.batch) == (1, 3):
            kept.extend([run.state_dict(), run.net.state_dict(), run.optimizer.state_dict(), run.net._tick.copy()])

    twin, *_ = make()
    twin.fit(x, y, **settings, callbacks=[At("on_batch_end", keep)])
    assert bits(twin) == bits(trainer)
    state, weights, optimizer, tick = kept
    other, *_ = make()
    other.net.load_state_dict(weights)
    other.optimizer.load_state_dict(optimizer)
    other.net._tick[...] = tick
    load = At("on_train_begin", lambda run: run.load_state_dict(state | {"callbacks": {"0.At": {}}}))
    assert other.fit(x, y, **settings, callbacks=[load])["loss"] == whole["loss"]
    assert bits(other) == bits(trainer)
    with pytest.raises(ValueError, match=r"mixing must be 'Mixup.alpha=0.2.' as in the run to go on with, got 'None'"):
        other.fit(x, y, **(settings | {"transform": None}), callbacks=[load])


@pytest.mark.usefixtures("backend")
def test_metrics_and_validation_of_a_mixed_run(dtype):
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), seed=0, dtype=dtype)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05), metrics=["f1"])
    x, y = data.make_moons(200, noise=0.1, seed=0, dtype=dtype)
    history = trainer.fit(x, y, epochs=30, validation_data=(x, y), transform=data.Mixup())
    assert history["val_accuracy"][-1] == trainer.evaluate(x, y)["accuracy"] > 0.9
    assert all(0 < value < 1 for value in history["f1"])
    assert history["loss"][-1] > history["val_loss"][-1]
    assert math.isfinite(trainer.step(x, y))


@pytest.mark.usefixtures("backend")
def test_bad_labels_and_numbers_are_named_by_their_rows():
    trainer, x, y = make()
    wrong = y.copy()
    wrong[23] = 2
    with pytest.raises(ValueError, match=r"y\[23\] is 2: class indices must be between 0 and 1"):
        trainer.fit(x, wrong, batch_size=BATCH, transform=data.Mixup())
    x[17, 1] = np.nan
    with pytest.raises(ValueError, match=r"x\[17, 1\] is nan: x must be finite"):
        trainer.fit(x, y, batch_size=BATCH, transform=data.Mixup())
    assert np.isfinite(trainer.net.parameters().data).all()


@pytest.mark.usefixtures("backend")
def test_a_loss_in_python_gets_mixed_targets():
    seen = []

    def loss(y_pred, y):
        seen.append(y.copy())
        return float(((y_pred - y) ** 2).sum()), 2 * (y_pred - y)

    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.0))
    _, x, y = make()
    trainer.fit(x, y, batch_size=N, shuffle=False, seed=0, transform=data.Mixup(1.0))
    partner, shares = data.Mixup(1.0).draw(0, 0, 0, N, N)
    one_hot = np.eye(2)[y]
    np.testing.assert_allclose(seen[0], shares * one_hot + (1 - shares) * one_hot[partner], rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "y", "transform", "error", "message"),
    [
        (nn.NLLLoss(), np.arange(N) % 2, data.Mixup(), TypeError, "mixed class indices are probabilities, NLLLoss"),
        (nn.CrossEntropyLoss(), np.arange(N) % 2, np.roll, TypeError, "transform must be a fastnn.data.Mixup, got"),
        (lambda p, y: (0.0, p), np.array(["a"] * N), data.Mixup(), TypeError, "transform: y must be class indices or"),
    ],
    ids=["labels", "function", "text"],
)  # fmt: skip
def test_what_cannot_be_mixed_is_explained(loss, y, transform, error, message):
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters()))
    with pytest.raises(error, match=message):
        trainer.fit(np.zeros((N, 3), "f"), y, transform=transform)


@pytest.mark.parametrize("alpha", [0, -1, math.nan])
def test_alpha_is_positive(alpha):
    with pytest.raises(ValueError, match=r"alpha must be greater than 0.0"):
        data.Mixup(alpha)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("loss", [nn.SoftmaxFocalLoss, nn.MultiMarginLoss, nn.NLLLoss])
@pytest.mark.parametrize(("index", "labels"), [(1, [0, 1, 2, 0]), (-1, [0, -1, 2, 1]), (2, [0, 1, 1, 0])])
def test_losses_of_class_indices_cannot_be_mixed(loss, index, labels):
    layers = [nn.LogSoftmax()] if loss is nn.NLLLoss else []
    net = nn.Sequential(nn.Linear(2, 3), *layers, seed=0)
    trainer = fastnn.Trainer(net, loss(ignore_index=index), optim.SGD(net.parameters()))
    before = net.parameters().data.copy()
    with pytest.raises((TypeError, ValueError), match=r"^transform: .*takes none"):
        trainer.fit(np.zeros((4, 2), "float32"), np.array(labels), transform=data.Mixup())
    np.testing.assert_array_equal(net.parameters().data, before)


@pytest.mark.usefixtures("backend")
def test_a_class_that_would_be_ignored_but_is_not_there_does_no_harm():
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
    trainer.fit(np.zeros((4, 2), "float32"), np.array([0, 1, 2, 0]), transform=data.Mixup())
    with pytest.raises(ValueError, match="ignore_index=-100 means nothing"):
        trainer.fit([(np.zeros((4, 2), "float32"), np.array([0, -100, 2, 0]))], transform=data.Mixup())
    with pytest.raises(ValueError, match="all class indices are ignore_index=-100"):
        trainer.fit(np.zeros((4, 2), "float32"), np.full(4, -100), transform=data.Mixup())


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("index", [-100, 1])
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_samples_that_are_ignored_are_left_out(index, share):
    """Training is that on the others alone."""
    x, y = np.random.default_rng(0).standard_normal((40, 2)).astype("float32"), np.arange(40) % 3
    if index < 0:
        y[5:15] = index
    ends, kept = [], y != index
    for inputs, labels in ((x, y), (x[kept], y[kept])):
        net = nn.Sequential(nn.Linear(2, 3), seed=0)
        trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(ignore_index=index), optim.SGD(net.parameters(), lr=0.1))
        held = {"validation_data": (x, y)} if share else {}
        trainer.fit(inputs, labels, epochs=2, batch_size=8, transform=data.Mixup(), shuffle=False, **held)
        ends.append(net.parameters().data.tobytes())
    assert ends[0] == ends[1]
