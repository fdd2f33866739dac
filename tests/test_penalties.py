"""L1 and L2 penalties and the max-norm constraint, as parts of the update."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn import reference as ref
from fastnn.testing.measure import assert_same_bits
from support.gradients import differences
from support.torch_runs import RULES, TORCH, WAYS, torch_network, torch_trainer, values

X, Y = TORCH["x"], TORCH["y"]
EVERY_WAY = pytest.mark.parametrize("step", WAYS.values(), ids=WAYS)
EVERY_RULE = pytest.mark.parametrize("name", RULES)


def penalty(weights, l1, l2):
    return sum(l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum() for w in weights)


@EVERY_WAY
@EVERY_RULE
def test_penalty_is_the_gradient_of_its_value(name, step, backend):
    """For every rule: the same as adding the gradient of the penalty, by central differences, to that of the loss."""
    trainer, twin = torch_trainer(name, torch_network(l1=0.02, l2=0.3)), torch_trainer(name)
    for _ in range(4):
        step(trainer, X, Y)
        loss, grad = twin.loss(twin.net(X), Y)
        twin.optimizer.zero_grad()
        twin.net.backward(grad)
        weight = twin.net[0].weight.copy()
        twin.net[0].gradient("weight")[...] += differences(lambda w: penalty([w], 0.02, 0.3), weight)
        twin.optimizer.step()
        np.testing.assert_allclose(values(trainer.net), values(twin.net), rtol=1e-5, atol=1e-7)
    assert loss > 0


@EVERY_RULE
def test_penalties_of_trainer_and_layers_add_up(name, backend):
    """On weights alone, or on biases too where the layer says so; those of layers alone count in loops of one's own."""
    ends = []
    for of_layer, of_trainer in (((0.03, 0.2), (0.0, 0.0)), ((0.0, 0.0), (0.03, 0.2)), ((0.01, 0.15), (0.02, 0.05))):
        settings = {"l1": of_layer[0], "l2": of_layer[1]}
        net = nn.Sequential(nn.Linear(3, 6, **settings), nn.Tanh(), nn.Linear(6, 4, penalize_bias=True, **settings),
                            seed=0, dtype="float64")  # fmt: skip
        trainer = fastnn.Trainer(net, nn.MSELoss(), getattr(optim, name)(net.parameters(), **RULES[name]),
                                 l1=of_trainer[0], l2=of_trainer[1])  # fmt: skip
        losses = [trainer.step(X, Y) for _ in range(3)]
        weights = [net[0].weight, net[2].weight, net[2].bias]
        assert trainer.penalty() == pytest.approx(penalty(weights, 0.03, 0.2), rel=1e-14)
        ends.append((values(net), losses))
    for end, losses in ends[1:]:
        np.testing.assert_allclose(end, ends[0][0], rtol=1e-12)
        np.testing.assert_allclose(losses, ends[0][1], rtol=1e-12)


@EVERY_RULE
def test_what_is_maximized_is_penalized_all_the_same(name, backend):
    """The sign is that of the gradient of the loss alone; that of a penalty, and its limit, stay."""
    ends = []
    for maximize in (True, False):
        net = torch_network(l1=0.02, l2=0.3)
        options = {"maximize": maximize, "max_grad_norm": 0.5, "max_grad_value": 0.1}
        optimizer = getattr(optim, name)(net.parameters(), **RULES[name], **options)
        for p, grad in ((p, g) for _ in range(3) for p, g in zip(net.parameters(), gradients(net), strict=True)):
            p.grad[...] = -grad if maximize else grad
            if p.name == "4.bias":
                optimizer.step()
        ends.append(values(net))
    np.testing.assert_allclose(*ends, rtol=1e-13)


def gradients(net):
    rng = np.random.default_rng(0)
    return [rng.normal(size=p.data.shape) for p in net.parameters()]


def test_the_reported_loss_is_without_penalties(backend):
    trainer = torch_trainer("SGD")
    trainer.l2 = 10.0
    loss, _ = trainer.loss(trainer.net(X), Y)
    assert trainer.step(X, Y) == pytest.approx(loss)
    assert trainer.evaluate(X, Y)["loss"] == pytest.approx(trainer.loss(trainer.net.predict(X), Y)[0])


def test_l2_of_all_weights_is_weight_decay(dtype, backend):
    """PyTorch's coupled weight decay, which is for biases too."""
    ends = []
    for settings, decay in (({"l2": 0.3, "penalize_bias": True}, 0.0), ({}, 0.3)):
        net = nn.Sequential(nn.Linear(3, 4, **settings), seed=0, dtype=dtype.name)
        trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=0.1, weight_decay=decay))
        for _ in range(5):
            trainer.step(X.astype(dtype), Y.astype(dtype))
        ends.append(values(net))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-5 if dtype == "float32" else 1e-12)


def test_l1_makes_weights_small(backend):
    """A weight at 0 without a gradient stays there: the sign of 0 is 0."""
    net = nn.Sequential(nn.Linear(3, 2, l1=0.5), seed=0, dtype="float64")
    net[0].weight[...] = [[0.0, 1.0], [-1.0, 0.0], [2.0, -2.0]]
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    optimizer.step()
    np.testing.assert_allclose(net[0].weight, [[0.0, 0.95], [-0.95, 0.0], [1.95, -1.95]])


def test_changes_count_at_once(backend):
    trainer = torch_trainer("SGD", momentum=0.0, weight_decay=0.0)
    net, optimizer = trainer.net, trainer.optimizer
    trainer.step(X, Y)
    optimizer.lr = 1.0
    for change in (lambda: setattr(net[0], "l2", 0.5), lambda: setattr(trainer, "l2", 0.5)):
        net[0].l2 = trainer.l2 = 0.0
        twin = copy.deepcopy(trainer)
        change()
        trainer.step(X, Y)
        before = twin.net[0].weight.copy()
        twin.step(X, Y)
        np.testing.assert_allclose(net[0].weight, twin.net[0].weight - 0.5 * before, rtol=1e-12)
        twin.net.parameters().data[...] = net.parameters().data
    net[0].l2, trainer.l2 = 0.0, 0.0
    net[0].max_norm = 0.1
    optimizer.zero_grad()
    optimizer.step()
    assert np.linalg.norm(net[0].weight, axis=0).max() == pytest.approx(0.1)


def test_settings_survive_copies_and_moves(backend):
    net = nn.Sequential(nn.Linear(3, 2, l1=0.25, max_norm=0.5), seed=0)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), nn.Sequential(net, nn.Tanh())):
        row = next(iter(twin.parameters())).settings[0].item()
        assert row == (True, 0.25, 0.0, 0.5)


@EVERY_WAY
@EVERY_RULE
def test_columns_stay_within_max_norm(name, step, backend):
    """As the step without it, followed by the constraint; frozen weights are left as they are."""
    net = torch_network(max_norm=0.5)
    net[2].max_norm = 0.4
    trainer, twin = torch_trainer(name, net), torch_trainer(name)
    for _ in range(5):
        step(trainer, X, Y)
        step(twin, X, Y)
        ref.max_norm_(twin.net[0].weight, 0.5)
        ref.max_norm_(twin.net[2].weight, 0.4)
        np.testing.assert_allclose(values(trainer.net), values(twin.net), rtol=1e-12)
    norms = np.linalg.norm(net[0].weight, axis=0)
    assert norms.max() == pytest.approx(0.5)
    frozen = torch_network(max_norm=0.1)
    trainer = torch_trainer(name, frozen, groups=[{"params": "0.weight", "frozen": True}])
    before = frozen[0].weight.copy()
    step(trainer, X, Y)
    assert_same_bits(frozen[0].weight, before)


def test_large_and_odd_weights_are_constrained(dtype, threads):
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (300, 1), (7, 130), (129, 65), (0, 5)):
        net = nn.Sequential(nn.Linear(*shape, max_norm=0.25), nn.Linear(shape[1], 3), seed=0, dtype=dtype.name)
        net[0].weight[...] = rng.normal(size=shape)
        expected = net[0].weight.copy()
        if expected.size:
            ref.max_norm_(expected, 0.25)
        others = net[0].bias.copy(), net[1].weight.copy()
        optim.SGD(net.parameters(), lr=0.0).step()
        np.testing.assert_allclose(net[0].weight, expected, rtol=1e-5 if dtype == "float32" else 1e-13)
        assert_same_bits(net[0].bias, others[0])
        assert_same_bits(net[1].weight, others[1])


def test_lbfgs_knows_none_of_this():
    for change in ({"l1": 0.1}, {"l2": 0.1}, {"max_norm": 1.0}):
        trainer = fastnn.Trainer(net := torch_network(**change), nn.MSELoss(), optim.LBFGS(net.parameters()))
        with pytest.raises(ValueError, match="LBFGS knows no l1, l2 and max_norm of layers; its weight_decay is"):
            trainer.step(X, Y)
    net = torch_network()
    with pytest.raises(ValueError, match="LBFGS knows no l1 and l2; its weight_decay is an L2 penalty"):
        fastnn.Trainer(net, nn.MSELoss(), optim.LBFGS(net.parameters()), l1=0.1)
    for name, value in (("frozen", True), ("max_grad_norm", 1.0), ("max_grad_value", 1.0)):
        optimizer = optim.LBFGS(net.parameters())
        setattr(optimizer, name, value)
        with pytest.raises(ValueError, match="LBFGS can neither freeze parameters nor clip gradients"):
            fastnn.Trainer(net, nn.MSELoss(), optimizer).step(X, Y)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_wrong_penalties_of_the_trainer(name):
    net = torch_network()
    for bad, error in ((-1, ValueError), (np.nan, ValueError), (np.inf, ValueError), ("1", TypeError)):
        with pytest.raises(error, match=f"{name} must be"):
            fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), **{name: bad})
    with pytest.raises(TypeError, match="penalize_bias must be True or False, got 'no'"):
        nn.Linear(2, 2, penalize_bias="no")


def test_a_run_records_the_penalties_before_each_batch(backend):
    """Those of L1 and L2, of the trainer and of the optimizer's weight decay unless it is decoupled; frozen aside."""
    groups = [{"params": "*.bias", "weight_decay": 0.0}]
    for decay, optimizer in ((0.4, optim.SGD), (0.0, optim.AdamW)):
        net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4), seed=0, dtype="float64")
        trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer(net.parameters(), weight_decay=0.4, groups=groups),
                                 l1=0.03, l2=0.2)  # fmt: skip
        engine = trainer.engine
        data, places = engine.training_data(X, Y), np.array([trainer.optimizer.place("weight_decay")])
        expected, penalties = [], np.full(2, np.nan)
        for decayed in (decay, decay / 2):  # the second batch has another rate of decay
            expected.append(penalty([net[0].weight, net[2].weight], 0.03, 0.2 + decayed))
            rates = places, np.array([[decayed if decay else 0.4]])
            engine.run(
                "step", data, None, 0, len(X), len(X), engine.scoring.new_sums(data), rates=rates, penalties=penalties
            )
            np.testing.assert_allclose(penalties[0], expected[-1], rtol=1e-13)
        assert np.isnan(penalties[1])
        trainer.optimizer.frozen = True
        engine.run("step", data, None, 0, len(X), len(X), engine.scoring.new_sums(data), penalties=penalties)
        assert penalties[0] == 0
        with pytest.raises((ValueError, IndexError), match=r"room for 2 batches, got 1|out of bounds"):
            engine.run(
                "step", data, None, 0, len(X), len(X) // 2 + 1, engine.scoring.new_sums(data), penalties=np.zeros(1)
            )
        engine.run("evaluate", data, None, 0, len(X), len(X), engine.scoring.new_sums(data), penalties=penalties)
        assert penalties[0] == 0  # no update
