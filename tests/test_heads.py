"""Several outputs of one network: Heads and HeadsLoss."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import threads as core_threads
from fastnn.testing.measure import assert_same_bits

N = 23


def make(dtype="float64", weights=None, **losses):
    heads = nn.Heads(price=nn.Linear(8, 2), kind=nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 3)))
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), heads, seed=0, dtype=dtype)
    losses = {"price": nn.HuberLoss(delta=0.5), "kind": nn.CrossEntropyLoss()} | losses
    loss = nn.HeadsLoss(heads, weights=weights, **losses)
    return heads, fastnn.Trainer(net, loss, optim.Adam(net.parameters(), lr=0.01))


def data(dtype="float64"):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 4)).astype(dtype)
    return x, {"price": rng.normal(size=(N, 2)).astype(dtype), "kind": rng.integers(0, 3, N)}


def by_hand(heads, trainer, x, y, weights, sample_weight=None):
    """The loss of each head, and their weighted sum."""
    outputs = heads.split(trainer.net.predict(x))
    single = {
        name: float(trainer.loss.losses[name](np.ascontiguousarray(outputs[name]), y[name], sample_weight)[0])
        for name in outputs
    }
    return single, sum(weights[name] * single[name] for name in single)


@pytest.mark.parametrize("weighted", [False, True])
def test_losses_of_heads_are_weighted_and_added(weighted, backend):
    weights = {"price": 2.0, "kind": 0.25}
    heads, trainer = make(weights=weights)
    x, y = data()
    sample_weight = np.random.default_rng(1).uniform(0, 2, N) if weighted else None
    single, total = by_hand(heads, trainer, x, y, weights, sample_weight)
    scores = trainer.evaluate(x, y, sample_weight=sample_weight, batch_size=7)
    assert scores["loss"] == pytest.approx(total, rel=1e-12)
    for name, value in single.items():
        assert scores[f"{name}_loss"] == pytest.approx(value, rel=1e-12)
    value, gradient = trainer.loss(trainer.net.predict(x), y, sample_weight)
    assert value == pytest.approx(total, rel=1e-12)
    assert gradient.shape == (N, 5)
    assert fastnn.gradcheck(trainer.loss, trainer.net.predict(x), y)
    assert trainer.step(x, y, sample_weight) == pytest.approx(total, rel=1e-12)


def test_a_step_is_a_loop_by_hand(backend):
    x, y = data()
    _, trainer = make(weights={"kind": 0.5})
    _, twin = make(weights={"kind": 0.5})
    for _ in range(3):
        trainer.step(x, y)
        twin.optimizer.zero_grad()
        _, gradient = twin.loss(twin.net(x), y)
        twin.net.backward(gradient)
        twin.optimizer.step()
    np.testing.assert_allclose(trainer.net.parameters().data, twin.net.parameters().data, rtol=1e-10, atol=1e-13)


def test_backends_and_threads_agree(dtype, cut_small_work):
    x, y = data(dtype.name)
    ends = []
    for backend, n in (("native", 1), ("native", 3), ("reference", 1)):
        core_threads.set_num_threads(n)
        with fastnn.use_backend(backend):
            _, trainer = make(dtype.name)
            history = trainer.fit(x, y, epochs=4, batch_size=5, seed=1, validation_data=(x, y))
        ends.append((trainer.net.parameters().data.copy(), history))
    assert_same_bits(ends[0][0], ends[1][0])
    np.testing.assert_allclose(ends[0][0], ends[2][0], rtol=1e-3 if dtype == "float32" else 1e-9, atol=1e-6)
    assert list(ends[0][1]) == ["loss", "price_loss", "kind_loss", "accuracy", "seconds", "val_loss", "val_price_loss",
                                "val_kind_loss", "val_accuracy"]  # fmt: skip
    assert ends[0][1]["kind_loss"][-1] < ends[0][1]["kind_loss"][0]


def test_losses_of_every_kind_go_together(backend):
    heads = nn.Heads(a=nn.Linear(4, 1), b=nn.Linear(4, 3), c=nn.Linear(4, 1), d=nn.Linear(4, 3))
    net = nn.Sequential(heads, seed=0, dtype="float64")
    ignoring = nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0], ignore_index=1)
    loss = nn.HeadsLoss(heads, a=nn.RMSELoss(), b=ignoring, c=nn.BCEWithLogitsLoss(), d=nn.CrossEntropyLoss())
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1))
    x, _ = data()
    y = {"a": x[:, 0], "b": np.arange(N) % 3, "c": np.arange(N) % 2, "d": np.full((N, 3), 1 / 3)}
    single = {name: loss.losses[name](*_pair(heads, net, loss, x, y, name))[0] for name in y}
    assert trainer.evaluate(x, y)["loss"] == pytest.approx(sum(map(float, single.values())), rel=1e-12)
    first = trainer.fit(x, y, epochs=30, batch_size=None)
    assert first["loss"][-1] < first["loss"][0]
    y["b"] = np.ones(N, int)  # all ignored: this head teaches nothing, the others do
    assert np.isfinite(trainer.step(x, y))


def _pair(heads, net, loss, x, y, name):
    outputs = np.ascontiguousarray(heads.split(net.predict(x))[name])
    return outputs, loss.losses[name].prepare_target(y[name], N, outputs.shape[1], x.dtype)[0]


def test_files_and_copies(tmp_path):
    _, trainer = make()
    x, _ = data()
    trainer.net.save(tmp_path / "net.safetensors")
    twin = fastnn.load(tmp_path / "net.safetensors")
    assert_same_bits(twin.predict(x), trainer.net.predict(x))
    assert list(twin[2].split(twin.predict(x))) == ["price", "kind"]
    assert [n for n, _ in twin.named_parameters()][2:4] == ["2.price.weight", "2.price.bias"]


def test_wrong_targets_change_nothing():
    _, trainer = make()
    x, y = data()
    before = trainer.net.parameters().data.copy()
    bad = y["kind"].copy()
    bad[5] = 3
    for target, error, message in (
        ({**y, "kind": bad}, ValueError, r"y\['kind'\]\[5\] is 3: class indices must be between 0 and 2"),
        ({**y, "kind": y["kind"] + 2**53}, ValueError, r"y\['kind'\]: class indices must be between 0 and 2, got"),
        ({"price": y["price"]}, ValueError, "y: kind must be given too"),
        ({**y, "size": y["price"]}, ValueError, "y: no head is called 'size'; there are price, kind"),
        ({**y, "price": y["price"][:, :1]}, ValueError, r"y\['price'\]: y must have shape \(23, 2\)"),
        (y["price"], TypeError, "y must be a dict with an array for each of price, kind, got ndarray"),
    ):
        for call in (trainer.step, trainer.fit, trainer.evaluate):
            with pytest.raises(error, match=message):
                call(x, target)
    assert_same_bits(trainer.net.parameters().data, before)
    trainer.step(x, y)
    with pytest.raises(TypeError, match="y must be a dict"):
        trainer.step(x, np.zeros((N, 5)))


def test_wrong_losses():
    heads, trainer = make()
    for keywords, error, message in (
        ({"price": nn.MSELoss()}, ValueError, "losses: kind must be given too"),
        ({"price": nn.MSELoss(), "kind": nn.NLLLoss("sum")}, ValueError, 'kind: reduction must be "mean"'),
        ({"price": nn.MSELoss(), "kind": print}, TypeError, "kind must be a loss of fastnn.nn"),
        ({"price": nn.MSELoss(), "kind": nn.NLLLoss(), "weights": {"x": 1}}, ValueError, "no head is called 'x'"),
        ({"price": nn.MSELoss(), "kind": nn.NLLLoss(), "weights": {"kind": -1}}, ValueError, r"weights\['kind'\] must"),
    ):
        with pytest.raises(error, match=message):
            nn.HeadsLoss(heads, **keywords)
    with pytest.raises(TypeError, match=r"heads must be nn\.Heads, got Sequential"):
        nn.HeadsLoss(trainer.net, price=nn.MSELoss())
    with pytest.raises(ValueError, match="at least one head"):
        nn.Heads()
    with pytest.raises(ValueError, match="no head tells how many features"):
        nn.HeadsLoss(nn.Heads(a=nn.Tanh()), a=nn.MSELoss())
    net = nn.Sequential(nn.Linear(4, 3), seed=0)
    with pytest.raises(ValueError, match="the network has 3 outputs, the heads of the loss 5"):
        fastnn.Trainer(net, trainer.loss, optim.SGD(net.parameters())).step(np.zeros((2, 4), "float32"), {})
    with pytest.raises(TypeError, match="the targets of several heads cannot be mixed"):
        trainer.fit(*data(), transform=fastnn.data.Mixup(0.2))


def test_health_and_rate_finder_with_heads():
    _, trainer = make()
    x, y = data()
    assert np.isfinite(trainer.health(x, y).loss)
    assert len(trainer.find_lr(x, y, steps=20, batch_size=8).losses) > 0
