"""Parameter groups: hyperparameters of their own, frozen or not, in one update."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import dispatch, threads
from fastnn.testing.measure import assert_same_bits
from support.torch_runs import OPTIMIZERS, RULES, STEPS, TORCH, WAYS, torch_network, torch_trainer, values

GROUPS = [
    {"params": ["0.bias", "2.bias"], "weight_decay": 0.0},
    {"params": "0.weight", "lr": 0.003},
    {"params": "4.*", "frozen": True},
]
X, Y = TORCH["x"], TORCH["y"]
EVERY_WAY = pytest.mark.parametrize("step", WAYS.values(), ids=WAYS)
EVERY_RULE = pytest.mark.parametrize("name", RULES)


@EVERY_WAY
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_groups_follow_torch(name, step, backend):
    """With rates and decays of their own; the last layer is thawed half way, with a step count of its own."""
    trainer = torch_trainer(name, groups=GROUPS)
    last = values(trainer.net)[-24:].copy()
    for i in range(STEPS):
        if i == 5:
            np.testing.assert_array_equal(values(trainer.net)[-24:], last)
            trainer.optimizer.param_groups[3]["frozen"] = False
        step(trainer, X, Y)
    np.testing.assert_allclose(values(trainer.net), TORCH[f"groups {name}"], rtol=1e-11)
    assert trainer.optimizer.step_count.tolist() == [10, 10, 10, 5]


@EVERY_RULE
def test_groups_like_the_default_change_no_bit(name, dtype, backend):
    """However the buffer is cut into spans."""
    ends = []
    for groups in (None, [{"params": "*.bias"}], [{"params": "*"}], [{"params": n} for n in ("0.*", "2.*", "4.*")]):
        net = nn.Sequential(nn.Linear(7, 9), nn.ReLU(), nn.Linear(9, 5), nn.ReLU(), nn.Linear(5, 3), seed=0,
                            dtype=dtype.name)  # fmt: skip
        optimizer = getattr(optim, name)(net.parameters(), groups=groups, **RULES[name])
        for _ in range(3):
            net.parameters().grad[...] = net.parameters().data * 0.5
            optimizer.step()
        ends.append(net.parameters().data)
    for end in ends[1:]:
        assert_same_bits(end, ends[0])


@EVERY_RULE
def test_same_bits_for_any_threads_and_instruction_set(name, dtype, isas, cut_small_work):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(20, n)).astype(dtype) for n in (150, 40))
    ends = []
    for isa in [i for i in isas if i != "sse2"]:
        for n in (1, 2, 3):
            dispatch.set_isa(isa)
            threads.set_num_threads(n)
            net = nn.Sequential(nn.Linear(150, 90, max_norm=1.0, l1=1e-3), nn.ReLU(), nn.Linear(90, 40), seed=0,
                                dtype=dtype.name)  # fmt: skip
            groups = [{"params": "*.bias", "weight_decay": 0.0}, {"params": "0.weight", "lr": 1e-3}]
            limits = {"max_grad_norm": 0.5, "max_grad_value": 0.01}
            optimizer = getattr(optim, name)(net.parameters(), groups=groups, **RULES[name] | limits)
            average = optim.ExponentialMovingAverage(net.parameters(), 0.9)
            trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer, l2=1e-3, average=average)
            for _ in range(3):
                trainer.step(x, y)
            ends.append((net.parameters().data, average.data, optimizer.grad_norm))
    for end in ends[1:]:
        for a, e in zip(end, ends[0], strict=True):
            assert_same_bits(a, e)


def test_frozen_parameters_and_states_are_not_touched(backend):
    net = torch_network()
    net.parameters()["4.weight"].data[0, 0] = np.nan
    optimizer = optim.AdamW(net.parameters(), groups=[{"params": net[4], "frozen": True}], weight_decay=0.5)
    before = net.state_dict()
    net.parameters().grad[...] = 1.0
    optimizer.step()
    start = net.parameters()["4.weight"].start
    assert not any(state[start:].any() for state in optimizer.states.values())
    for name, view in net.named_parameters():
        assert np.array_equal(view, before[name], equal_nan=True) == name.startswith("4.")
    optimizer.frozen = True
    before = net.parameters().data.copy()
    optimizer.step()
    assert_same_bits(net.parameters().data, before)
    optimizer.frozen = False
    assert optimizer.param_groups[1]["frozen"], "it has its own"


# -- groups as mappings ------------------------------------------------------------------------------------------------


def make(groups=GROUPS, cls=optim.AdamW, **options):
    return cls(torch_network().parameters(), groups=groups, **options)


def test_param_groups_are_mappings():
    optimizer = make()
    names = [group["params"] for group in optimizer.param_groups]
    assert names == [["2.weight"], ["0.bias", "2.bias"], ["0.weight"], ["4.weight", "4.bias"]]
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 1e-3, 0.003, 1e-3]
    assert [group["frozen"] for group in optimizer.param_groups] == [False, False, False, True]
    group = optimizer.param_groups[2]
    assert set(group) == {"params", "lr", "weight_decay", "eps", "betas", "decoupled", "maximize", "frozen"}
    assert len(group) == len(dict(group))
    assert group["betas"] == (0.9, 0.999)
    group["betas"] = 0.5, 0.6
    assert (group["betas"], optimizer.betas) == ((0.5, 0.6), (0.9, 0.999))
    assert "0.weight" in repr(group)
    assert repr(optimizer).endswith("4 parameter groups)")


def test_attributes_set_all_groups_without_their_own():
    optimizer = make()
    optimizer.lr = 0.5
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.5, 0.003, 0.5]
    for group in optimizer.param_groups:  # as one does with PyTorch
        group["lr"] *= 0.1
    np.testing.assert_allclose([group["lr"] for group in optimizer.param_groups], [0.05, 0.05, 0.0003, 0.05])
    optimizer.lr = 1.0
    np.testing.assert_allclose([group["lr"] for group in optimizer.param_groups], [1.0, 0.05, 0.0003, 0.05])
    optimizer = make([{"params": "0.*", "betas": (0.1, 0.2)}])
    optimizer.betas = 0.7, 0.8
    assert [group["betas"] for group in optimizer.param_groups] == [(0.7, 0.8), (0.1, 0.2)]


def test_hyperparameters_stand_in_one_array():
    optimizer = make()
    assert optimizer.hyper.dtype == np.float64
    assert optimizer.hyper.flags.c_contiguous
    optimizer.hyper.reshape(-1)[optimizer.place("lr", 2)] = 0.25
    optimizer.hyper.reshape(-1)[optimizer.place("beta1")] = 0.75
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 1e-3, 0.25, 1e-3]
    assert optimizer.betas == (0.75, 0.999)
    with pytest.raises(ValueError, match="AdamW has no 'momentum'; it has lr, weight_decay"):
        optimizer.place("momentum")


def test_schedulers_scale_the_rate_of_each_group():
    optimizer = make(lr=0.1)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    scheduler.step()
    np.testing.assert_allclose([group["lr"] for group in optimizer.param_groups], [0.05, 0.05, 0.0015, 0.05])
    assert scheduler.base_lrs == [0.1, 0.1, 0.003, 0.1]
    cycle = optim.lr_scheduler.OneCycleLR(make(), max_lr=[0.1, 0.2, 0.3, 0.4], total_steps=10)
    assert len(cycle.get_last_lr()) == 4


def test_parameters_can_be_named_in_many_ways():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 3), nn.Tanh()), nn.Linear(3, 1), seed=0)
    params = net.parameters()
    for given, names in (
        ("2.weight", ["2.weight"]),
        ("*.bias", ["0.bias", "1.0.bias", "2.bias"]),
        (net[1], ["1.0.weight", "1.0.bias"]),
        ([net[2], "0.b*"], ["0.bias", "2.weight", "2.bias"]),
        (net[0].weight, ["0.weight"]),
        ([params["1.0.bias"], net[0].bias], ["0.bias", "1.0.bias"]),
        (["0.*", "0.weight"], ["0.weight", "0.bias"]),
        (net, [p.name for p in params]),
    ):
        assert optim.SGD(params, groups=[{"params": given}]).param_groups[1]["params"] == names
    part = optim.SGD(net[1].parameters(), groups=[{"params": net[1][0].bias}])
    assert part.param_groups[1]["params"] == ["0.bias"]


def test_momentum_of_a_group_only(backend):
    """The buffer is there if one group asks for it; groups without momentum go on without."""
    for cls in (optim.SGD, optim.RMSprop):
        optimizer = make([{"params": "0.*", "momentum": 0.9}], cls, lr=0.1)
        alone = make((), cls, lr=0.1), make((), cls, lr=0.1, momentum=0.9)
        for _ in range(3):
            for o in (optimizer, *alone):
                o.params.grad[...] = o.params.data
                o.step()
        cut = optimizer.params["2.weight"].start
        assert_same_bits(optimizer.params.data[cut:], alone[0].params.data[cut:])
        assert_same_bits(optimizer.params.data[:cut], alone[1].params.data[:cut])


@pytest.mark.parametrize("cls", [optim.SGD, optim.AdamW])
def test_state_carries_groups(cls, backend):
    optimizer = make(cls=cls, lr=0.1)
    optimizer.param_groups[1]["lr"] = 0.7
    optimizer.params.grad[...] = 0.5
    optimizer.step()
    twin = make(cls=cls, lr=0.2)
    twin.params.data[...], twin.params.grad[...] = optimizer.params.data, 0.5
    twin.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    third = copy.deepcopy(optimizer)
    for o in (optimizer, twin, third):
        o.param_groups[3]["frozen"] = False
        o.lr = 0.3
        o.step()
    assert [g["lr"] for g in optimizer.param_groups] == [0.3, 0.7, 0.003, 0.3]
    for o in (twin, third):
        assert [dict(g) for g in o.param_groups] == [dict(g) for g in optimizer.param_groups]
        assert o.step_count.tolist() == optimizer.step_count.tolist() == [2, 2, 2, 1]
        assert_same_bits(o.params.data, optimizer.params.data)
    for state in (make((), cls, lr=0.1).state_dict(), make(GROUPS[:1], cls, lr=0.1).state_dict()):
        before = repr(optimizer.state_dict())
        with pytest.raises(ValueError, match="groups must be of"):
            optimizer.load_state_dict(state)
        assert repr(optimizer.state_dict()) == before


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        ([{"params": "7.*"}], ValueError, r"groups\[0\]: no parameter matches '7.\*'; there are 0.weight, 0.bias"),
        ([{"params": "0.*"}, {"params": "*.bias"}], ValueError, r"groups\[1\]: 0.bias is in groups\[0\] already"),
        ([{"params": "0.*", "momentun": 1}], ValueError, r"groups\[0\] has unknown keys \['momentun'\]; there are par"),
        ([{"params": "0.*", "momentum": 0.9}], ValueError, r"unknown keys \['momentum'\]"),
        ([{"lr": 1}], ValueError, r"groups\[0\] must name its parameters"),
        ([{"params": "0.*", "lr": -1}], ValueError, r"lr must be at least 0.0, got -1"),
        ([{"params": "0.*", "betas": 0.9}], TypeError, "betas must be a pair of numbers, got 0.9"),
        ([{"params": "0.*", "betas": (0.9, 2)}], ValueError, r"betas\[1\] must be at least 0.0 and less than 1.0"),
        ([{"params": "0.*", "frozen": "yes"}], TypeError, "frozen must be True or False, got 'yes'"),
        ([{"params": nn.Linear(2, 2)}], ValueError, r"groups\[0\]: no parameter matches Linear"),
        ([{"params": 3}], TypeError, r"groups\[0\]: params must be names, patterns or layers, got int"),
        ([{"params": []}], ValueError, r"groups\[0\] names no parameter"),
        (["0.*"], TypeError, r"groups\[0\] must be a dict, got str"),
        ({"params": "0.*"}, TypeError, "groups must be a list of dicts, got dict"),
        ("0.*", TypeError, "groups must be a list of dicts, got str"),
        (3, TypeError, "groups must be a list of dicts, got int"),
    ],
)
def test_wrong_groups(groups, error, message):
    with pytest.raises(error, match=message):
        make(groups)


def test_wrong_changes_of_groups():
    group = make().param_groups[1]
    for key, value, error, message in (
        ("lr", -1, ValueError, "lr must be at least"),
        ("momentum", 1, KeyError, "no 'momentum' in a parameter group; there are params, lr"),
        ("params", ["0.*"], ValueError, "decided when the optimizer is made"),
    ):
        before = dict(group)
        with pytest.raises(error, match=message):
            group[key] = value
        assert dict(group) == before
    with pytest.raises(KeyError, match="no 'momentum'"):
        group["momentum"]
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        make([{"params": "0.*", "nesterov": True}], optim.SGD)
