"""Rules that average the parameters, ASGD and schedule-free AdamW, as functions of arrays."""

import numpy as np
import pytest

import fastnn
import fastnn.optim.functional as optim
from fastnn import nn, reference
from fastnn import optim as classes


def test_asgd_by_hand(backend):
    """eta is 0.5, then 0.5 / (1 + 0.5 * 0.5 * 1); the average begins after step t0 + 1."""
    param, ax, eta = np.ones(1), np.zeros(1), np.zeros(1)
    optim.asgd_step(param, np.array([0.5]), ax, step=1, eta=eta, lr=0.5, lambd=0.5, alpha=1.0, t0=0.0)
    assert (param[0], ax[0], eta[0]) == pytest.approx((0.75 - 0.25, 0.5, 0.4))
    optim.asgd_step(param, np.array([0.5]), ax, step=2, eta=eta, lr=0.5, lambd=0.5, alpha=1.0, t0=0.0)
    assert (param[0], eta[0]) == pytest.approx((0.5 * 0.8 - 0.2, 0.5 / 1.5))
    assert ax[0] == param[0]  # 1 / max(1, 2 - 1 - 0) is 1
    before = ax[0]
    optim.asgd_step(param, np.array([0.5]), ax, step=3, eta=eta, lr=0.5, lambd=0.5, alpha=1.0, t0=0.0)
    assert ax[0] == pytest.approx((before + param[0]) / 2)


@pytest.mark.parametrize("function", [optim.asgd_step, reference.asgd_step])
def test_the_rate_of_asgd_may_be_left_out(function, rng):
    """With the same hyperparameters at all steps it is that of the formula."""
    grads, eta = rng.normal(size=(9, 4)), np.zeros(1)
    with_eta, without = [np.ones(4), np.zeros(4)], [np.ones(4), np.zeros(4)]
    options = {"lr": 0.1, "lambd": 0.3, "t0": 3.0}
    for t, grad in enumerate(grads, start=1):
        function(with_eta[0], grad, with_eta[1], step=t, eta=eta, **options)
        function(without[0], grad, without[1], step=t, **options)
    np.testing.assert_allclose(with_eta, without, rtol=1e-13)


def test_the_average_of_asgd_reaches_the_bottom_of_a_noisy_parabola():
    rng, w = np.random.default_rng(0), np.array([3.0, -2.0])
    optimizer = classes.ASGD([w], lr=0.2, lambd=0.0, t0=100)
    for _ in range(2000):
        optimizer.step(grads=[w + rng.normal(size=2)])
    assert np.abs(optimizer.states["ax"][:2]).max() < 0.05 < np.abs(w).max()


def paper(start, gradient, steps, lr, beta1, beta2, eps, decay, warmup, r, power):
    """Algorithm 1 of Defazio et al. with AdamW's steps and the weights of section 4, x stored: (y, z, x) at the end."""
    z, x, v = start.copy(), start.copy(), np.zeros_like(start)
    total, largest = 0.0, 0.0
    for t in range(1, steps + 1):
        y = (1 - beta1) * z + beta1 * x
        g = gradient(y, t)
        v = beta2 * v + (1 - beta2) * g * g
        rate = lr * min(1.0, t / warmup) if warmup else lr
        largest = max(largest, rate)
        z = z - rate * (g / (np.sqrt(v / (1 - beta2**t)) + eps) + decay * y)
        weight = t**r * largest**power
        total += weight
        x = (1 - weight / total) * x + weight / total * z
    return (1 - beta1) * z + beta1 * x, z, x


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"betas": (0.95, 0.99), "weight_decay": 0.1, "warmup_steps": 10},
        {"betas": (0.5, 0.9), "warmup_steps": 25, "r": 0.75, "weight_lr_power": 1.0, "eps": 1e-3},
    ],
    ids=["default", "warm", "weights"],
)
def test_schedule_free_is_the_paper_over_sixty_steps(options, backend):
    rng = np.random.default_rng(0)
    start, noise = rng.normal(size=20), rng.normal(size=(61, 20))
    curvature = np.linspace(0.1, 3, 20)

    def gradient(y, t):
        return curvature * y + 0.1 * noise[t]

    settings = {"lr": 0.05, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "warmup_steps": 0, "r": 0.0}
    settings |= {"weight_lr_power": 2.0} | options
    beta1, beta2 = settings["betas"]
    names = "lr", "eps", "weight_decay", "warmup_steps", "r", "weight_lr_power"
    lr, eps, decay, warmup, r, power = (settings[name] for name in names)
    y, z, x = paper(start, gradient, 60, lr, beta1, beta2, eps, decay, warmup, r, power)
    w = start.copy()
    optimizer = classes.ScheduleFreeAdamW([w], **settings)
    for t in range(1, 61):
        optimizer.step(grads=[gradient(w, t)])
    np.testing.assert_allclose(w, y, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(optimizer.states["z"][:20], z, rtol=1e-9, atol=1e-12)
    optimizer.eval()
    np.testing.assert_allclose(optimizer.params["0"].data, x, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("function", [optim.schedulefreeadamw_step, reference.schedulefreeadamw_step])
@pytest.mark.parametrize("options", [{}, {"warmup_steps": 4}, {"r": 1.5, "warmup_steps": 30}], ids=str)
def test_the_sums_of_schedule_free_may_be_left_out(function, options, rng):
    grads, sums = rng.normal(size=(20, 4)), {"weight_sum": np.zeros(1), "lr_max": np.zeros(1)}
    ends = [[np.ones(4), np.zeros(4), np.zeros(4)] for _ in range(2)]
    for t, grad in enumerate(grads, start=1):
        for (y, z, v), more in zip(ends, (sums, {}), strict=True):
            function(y, grad, z, v, step=t, lr=0.1, **options, **more)
    for a, e in zip(*ends, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-12)


def test_wrong_numbers_of_schedule_free():
    arrays = [np.ones(3) for _ in range(4)]
    with pytest.raises(ValueError, match=r"betas\[0\] must be greater than 0"):
        optim.schedulefreeadamw_step(*arrays, step=1, betas=(0.0, 0.9))
    with pytest.raises(ValueError, match="weight_sum and lr_max must be given together"):
        optim.schedulefreeadamw_step(*arrays, step=1, weight_sum=np.zeros(1))
    with pytest.raises(TypeError, match="warmup_steps must be an integer"):
        optim.schedulefreeadamw_step(*arrays, step=1, warmup_steps=2.5)
    with pytest.raises(TypeError, match="eta must be an ndarray of float64"):
        optim.asgd_step(*arrays[:3], step=1, eta=0.1)
    assert all((array == 1).all() for array in arrays)


def test_asgd_keeps_its_rate_in_checkpoints_and_follows_schedules(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(2, 32, 3)).astype("float32")

    def make():
        net = nn.Sequential(nn.Linear(3, 3), seed=0)
        optimizer = classes.ASGD(net.parameters(), lr=0.1, lambd=0.1, t0=4)
        scheduler = classes.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        return fastnn.Trainer(net, nn.MSELoss(), optimizer, scheduler=scheduler)

    whole, parts, again = make(), make(), make()
    whole.fit(x, y, epochs=4, batch_size=8, seed=1)
    parts.fit(x, y, epochs=2, batch_size=8, seed=1, checkpoint=tmp_path / "run.safetensors")
    again.fit(x, y, epochs=4, batch_size=8, seed=1, checkpoint=tmp_path / "run.safetensors", resume=True)
    assert again.net.parameters().data.tobytes() == whole.net.parameters().data.tobytes()
    assert again.optimizer.states["ax"].tobytes() == whole.optimizer.states["ax"].tobytes()
