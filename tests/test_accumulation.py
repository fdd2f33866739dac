"""Gradients of several batches for one update: what one large batch gives."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.runs import At
from support.torch_runs import values

LOSSES = {
    "mse": nn.MSELoss,
    "mse sum": lambda: nn.MSELoss("sum"),
    "huber": nn.HuberLoss,
    "cross-entropy": nn.CrossEntropyLoss,
    "cross-entropy sum": lambda: nn.CrossEntropyLoss("sum"),
    "bce": nn.BCEWithLogitsLoss,
    "class weights": lambda: nn.CrossEntropyLoss(weight=[0.5, 1.0, 2.0, 3.0], ignore_index=2),
    "batchmean": lambda: nn.KLDivLoss(reduction="batchmean"),
    "python": lambda: python_loss,
}


def python_loss(y_pred, y, weight=None):
    weight = np.ones(len(y)) if weight is None else weight
    share = weight[:, None] / weight.sum() / y.shape[1]
    return float((share * (y_pred - y) ** 2).sum()), 2 * share * (y_pred - y)


class Scale(nn.Module):
    """A layer written in Python."""

    def __init__(self):
        super().__init__()
        self.add_parameter("factor", (1,), init=1.5)

    def forward(self, x):
        self.x = x.copy()
        return self["factor"] * x

    def backward(self, grad_output):
        self.gradient("factor")[...] += (grad_output * self.x).sum()
        return self["factor"] * grad_output


def data(loss, n=23):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 3)), rng.random((n, 4))
    return x, rng.integers(4, size=n) if isinstance(loss, nn.CrossEntropyLoss) else y


def make(loss, **options):
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), Scale(), nn.Linear(5, 4), seed=0, dtype="float64")
    return fastnn.Trainer(net, loss, optim.Adam(net.parameters(), lr=0.01, **options))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_accumulated_batches_are_one_batch(name, weighted, backend):
    """23 rows in batches of 4, three an update: 12 rows, then 11 of an uneven number of batches."""
    loss = LOSSES[name]()
    x, y = data(loss)
    weight = np.random.default_rng(1).uniform(0, 3, 23) if weighted else None
    trainers = [make(loss, max_grad_norm=0.1) for _ in range(2)]
    large = trainers[0].fit(x, y, epochs=3, batch_size=12, sample_weight=weight)
    small = trainers[1].fit(x, y, epochs=3, batch_size=4, accumulate=3, sample_weight=weight)
    assert trainers[1].optimizer.step_count == 6
    np.testing.assert_allclose(values(trainers[1].net), values(trainers[0].net), rtol=1e-9)
    np.testing.assert_allclose(small["loss"], large["loss"], rtol=1e-9)
    assert trainers[1].optimizer.grad_norm == pytest.approx(trainers[0].optimizer.grad_norm, rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_heads_are_one_batch(weighted, backend):
    x, _ = data(nn.MSELoss())
    rng = np.random.default_rng(2)
    y = {"a": rng.normal(size=(23, 2)), "b": rng.integers(3, size=23)}
    weight = rng.uniform(0, 3, 23) if weighted else None
    nets = []
    for batch_size, accumulate in ((12, 1), (4, 3)):
        heads = nn.Heads(a=nn.Linear(5, 2), b=nn.Linear(5, 3))
        net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), heads, seed=0, dtype="float64")
        loss = nn.HeadsLoss(heads, weights={"b": 0.3}, a=nn.MSELoss(), b=nn.CrossEntropyLoss())
        trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1))
        trainer.fit(x, y, batch_size=batch_size, accumulate=accumulate, sample_weight=weight, epochs=2)
        nets.append(values(net))
    np.testing.assert_allclose(*nets, rtol=1e-9)


def test_gaussian_means_and_variances_are_one_batch(backend):
    x, y = data(nn.MSELoss())
    ends = []
    for batch_size, accumulate in ((12, 1), (4, 3)):
        trainer = make(nn.GaussianNLLLoss())
        trainer.fit(x, y[:, :2].copy(), batch_size=batch_size, accumulate=accumulate, epochs=2)
        ends.append(values(trainer.net))
    np.testing.assert_allclose(*ends, rtol=1e-9)


def test_gradients_of_rmse_are_averaged(backend):
    x, y = data(nn.MSELoss(), 7)
    trainer, twin = make(nn.RMSELoss()), make(nn.RMSELoss())
    trainer.fit(x, y, batch_size=4, accumulate=2, shuffle=False)
    for rows in (slice(0, 4), slice(4, 7)):
        _, grad = twin.loss(twin.net(x[rows]), y[rows])
        twin.net.backward(grad * len(x[rows]) / 7)
    twin.optimizer.step()
    np.testing.assert_allclose(values(trainer.net), values(twin.net), rtol=1e-10)


def test_accumulation_of_one_batch_changes_no_bit(backend):
    x, y = data(nn.MSELoss())
    ends = []
    for options in ({}, {"accumulate": 1}):
        trainer = make(nn.MSELoss())
        trainer.fit(x, y, epochs=2, batch_size=5, **options)
        ends.append(values(trainer.net))
    assert_same_bits(*ends)


@pytest.mark.filterwarnings("ignore:sample_weight is 0 for all samples")
def test_weights_of_zero(backend):
    """A group without weight has no gradient, one with some in one batch only that of this batch."""
    x, y = data(nn.MSELoss(), 8)
    trainer, twin = make(nn.MSELoss()), make(nn.MSELoss())
    before = values(trainer.net)
    trainer.fit(x, y, batch_size=2, accumulate=4, sample_weight=np.zeros(8))
    np.testing.assert_array_equal(values(trainer.net), before)
    trainer.optimizer.load_state_dict(twin.optimizer.state_dict())
    trainer.fit(x, y, batch_size=2, accumulate=4, sample_weight=np.repeat([0.0, 1.0], [6, 2]), shuffle=False)
    twin.step(x[6:], y[6:])
    np.testing.assert_allclose(values(trainer.net), values(twin.net), rtol=1e-9)


@pytest.mark.filterwarnings("ignore:the loss of batch")
@pytest.mark.parametrize("by", ["label", "norm", "signal"])
def test_running_statistics_and_metrics_follow_each_batch_of_a_group_that_is_done(by, backend):
    """As PyTorch's; a group that fails leaves them as they were."""
    x, y = data(nn.CrossEntropyLoss(), 12)

    def make_norm(**options):
        net = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 4), seed=0, dtype="float64")
        optimizer = optim.SGD(net.parameters(), lr=0.0, **options)
        return fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer, metrics=["f1"])

    trainers = [make_norm() for _ in range(2)]
    histories = [t.fit(x, y, batch_size=3, accumulate=n, shuffle=False) for t, n in zip(trainers, (1, 2), strict=True)]
    assert histories[0]["f1"] == histories[1]["f1"]
    buffers = [[view for _, view in t.net.named_buffers()] for t in trainers]
    for a, b in zip(*buffers, strict=True):
        assert_same_bits(a, b)

    trainer = make_norm(max_grad_norm=1.0, error_if_nonfinite=True)
    trainer.fit(x, y, batch_size=3, accumulate=2)
    before = [view.copy() for _, view in trainer.net.named_buffers()]
    if by == "label":
        y[4] = 7
    elif by == "norm":
        trainer.net[2].weight[...] = np.inf
    else:
        x[4] = np.nan
    with pytest.raises((ValueError, RuntimeError)):
        trainer.fit(x, y, batch_size=3, accumulate=2, shuffle=False)
    for (_, view), old in zip(trainer.net.named_buffers(), before, strict=True):
        assert_same_bits(view, old)


def test_schedules_by_batch_go_on_with_each_update(backend):
    x, y = data(nn.MSELoss(), 23)  # 8 batches, 3 updates an epoch
    trainer = make(nn.MSELoss())
    trainer.scheduler = optim.lr_scheduler.ExponentialLR(trainer.optimizer, 0.5, by="batch")
    trainer.fit(x, y, batch_size=3, accumulate=3, epochs=2)
    assert trainer.optimizer.lr == pytest.approx(0.01 * 0.5**6)
    twin = make(nn.MSELoss())
    twin.scheduler = optim.lr_scheduler.ExponentialLR(twin.optimizer, 0.5, by="batch")
    twin.fit(x, y, batch_size=9, epochs=2)
    np.testing.assert_allclose(values(trainer.net), values(twin.net), rtol=1e-9)


def test_a_group_that_fails_was_none(backend):
    x, y = data(nn.CrossEntropyLoss(), 12)
    trainer = make(nn.CrossEntropyLoss())
    trainer.fit(x, y, batch_size=2, accumulate=3)
    before, tick = values(trainer.net), trainer.net._tick.copy()
    bad = y.copy()
    bad[4] = 4
    with pytest.raises(ValueError, match=r"y\[4\] is 4: class indices must be between 0 and 3"):
        trainer.fit(x, bad, batch_size=2, accumulate=3, shuffle=False)
    assert_same_bits(values(trainer.net), before)
    assert trainer.net._tick == tick


def test_a_code_out_of_range_is_told_from_within_a_group(backend):
    net = nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 1), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
    codes, y = np.arange(12.0).reshape(12, 1) % 4, np.ones((12, 1))
    codes[9] = 7
    messages = []
    for accumulate in (1, 3):
        with pytest.raises(ValueError, match="7") as error:
            trainer.fit(codes, y, batch_size=2, shuffle=False, accumulate=accumulate)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_dropout_draws_for_each_batch(backend):
    """As in batches that are trained by themselves: the random numbers go on from batch to batch."""
    net = nn.Sequential(nn.Linear(3, 50), nn.Dropout(0.5), nn.Linear(50, 4), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
    x, y = data(nn.MSELoss(), 12)
    losses = [trainer.fit(x, y, batch_size=4, accumulate=n, shuffle=False, epochs=2)["loss"] for n in (1, 3)]
    assert net._tick == 12
    assert len({*losses[0], *losses[1]}) == 4


class Seen(fastnn.Callback):
    """Keeps what it sees between batches."""

    def __init__(self, every):
        self.every, self.seen = every, []

    def on_batch_end(self, run):
        self.seen.append((run.batch, int(run.optimizer.step_count[0]), run.trainer.net._tick.item()))


def test_callbacks_see_the_run_between_two_updates(backend):
    x, y = data(nn.MSELoss(), 23)  # 8 batches, 3 updates
    for every, expected in ((1, [3, 6, 8]), (4, [6, 8]), (6, [6]), (7, [8]), (9, [])):
        trainer, seen = make(nn.MSELoss()), Seen(every)
        trainer.fit(x, y, batch_size=3, accumulate=3, callbacks=[seen])
        assert [batch for batch, _, _ in seen.seen] == expected
        assert all(steps == -(-batch // 3) and ticks == batch for batch, steps, ticks in seen.seen)


def test_a_run_goes_on_from_its_checkpoint(tmp_path, backend):
    x, y = data(nn.MSELoss(), 23)
    ends = []
    for stops in (False, True):
        trainer = make(nn.MSELoss(), max_grad_norm=0.5, groups=[{"params": "*.bias", "lr": 0.02}])
        trainer.average = optim.ExponentialMovingAverage(trainer.net.parameters(), 0.9)
        path, options = tmp_path / str(stops), {"epochs": 3, "batch_size": 3, "accumulate": 3, "seed": 1}
        if stops:
            stop = At("on_batch_end", lambda run: run.epoch == 1 and run.stop("for today", pause=True))
            stop.in_checkpoints = False
            trainer.fit(x, y, checkpoint=path, callbacks=[stop], **options)
            assert trainer.history.stopped == "for today"
            trainer = make(nn.MSELoss(), max_grad_norm=0.5, groups=[{"params": "*.bias", "lr": 0.02}])
            trainer.average = optim.ExponentialMovingAverage(trainer.net.parameters(), 0.9)
        trainer.fit(x, y, checkpoint=path, resume=stops, **options)
        ends.append((values(trainer.net), trainer.average.data, trainer.optimizer.states["exp_avg"]))
        with pytest.raises(ValueError, match="accumulate must be 3 as in the run to go on with, got 2"):
            trainer.fit(x, y, checkpoint=path, resume=True, **options | {"accumulate": 2})
    for a, b in zip(*ends, strict=True):
        assert_same_bits(a, b)


def test_wrong_numbers_of_batches():
    trainer = make(nn.MSELoss())
    x, y = data(nn.MSELoss())
    for bad, error in ((0, ValueError), (1.5, TypeError)):
        with pytest.raises(error, match="accumulate must be"):
            trainer.fit(x, y, accumulate=bad)
    with pytest.raises(ValueError, match="accumulate is for arrays and shards"):
        trainer.fit([(x, y)], accumulate=2)
    trainer.optimizer = optim.LBFGS(trainer.net.parameters())
    with pytest.raises(ValueError, match="LBFGS looks at all samples in each step: accumulate must be 1"):
        trainer.fit(x, y, batch_size=None, accumulate=2)
