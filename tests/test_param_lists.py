"""Optimizers of a list: parameters of a network, groups as PyTorch has them, and groups added later."""

import copy
import re

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.nn.parameters import Parameters
from fastnn.testing.measure import assert_same_bits
from support.torch_runs import OPTIMIZERS, RULES, STEPS, TORCH, WAYS, torch_network, values

X, Y = TORCH["x"], TORCH["y"]


def named(net, *names):
    return [net.parameters()[name] for name in names]


def torch_groups(net):
    """The groups of make_torch_groups.py, as they are given to PyTorch's optimizers."""
    return [
        {"params": net.parameters()["2.weight"]},
        {"params": (p for p in net.parameters() if p.name in ("0.bias", "2.bias")), "weight_decay": 0.0},
        {"params": named(net, "0.weight"), "lr": 0.003},
        {"params": named(net, "4.weight", "4.bias"), "frozen": True},
    ]


@pytest.mark.parametrize("step", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_lists_of_groups_follow_torch(name, step, backend):
    net = torch_network()
    optimizer = getattr(optim, name)(torch_groups(net), **OPTIMIZERS[name])
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
    for i in range(STEPS):
        if i == 5:
            optimizer.param_groups[3]["frozen"] = False
        step(trainer, X, Y)
    np.testing.assert_allclose(values(net), TORCH[f"groups {name}"], rtol=1e-11)
    assert optimizer.step_count.tolist() == [10, 10, 10, 5]


@pytest.mark.parametrize("name", RULES)
def test_a_list_of_all_parameters_changes_no_bit(name, dtype, backend):
    ends = []
    for params in (lambda n: n.parameters(), lambda n: list(n.parameters()), lambda n: (p for p in n.parameters())):
        net = nn.Sequential(nn.Linear(7, 9), nn.ReLU(), nn.Linear(9, 5), seed=0, dtype=dtype.name)
        optimizer = getattr(optim, name)(params(net), max_grad_norm=0.5, **RULES[name])
        for _ in range(3):
            net.parameters().grad[...] = net.parameters().data * 0.5
            optimizer.step()
        ends.append(net.parameters().data)
    for end in ends[1:]:
        assert_same_bits(end, ends[0])


@pytest.mark.parametrize("step", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", [*RULES, "LBFGS"])
def test_what_is_not_in_the_list_stays(name, step, backend):
    """It is as frozen: values, states and the norm of the gradients."""
    if name == "LBFGS" and step is WAYS["loop"]:
        pytest.skip("LBFGS takes a closure")
    nets = torch_network(), torch_network()
    rule, options = getattr(optim, name), RULES.get(name, {"weight_decay": 0.1, "max_iter": 5})
    if name != "LBFGS":
        options = options | {"max_grad_norm": 0.5}
    some = rule([p for p in nets[0].parameters() if not p.name.startswith("2.")], **options)
    before = values(nets[0])
    trainer = fastnn.Trainer(nets[0], nn.MSELoss(), some)
    for _ in range(3):
        step(trainer, X, Y)
    assert_same_bits(values(nets[0])[24:59], before[24:59])
    assert not np.isin(values(nets[0])[:24], before[:24]).any() and not np.isin(values(nets[0])[59:], before[59:]).any()
    if name != "LBFGS":
        frozen = rule(nets[1].parameters(), groups=[{"params": "2.*", "frozen": True}], **options)
        trainer = fastnn.Trainer(nets[1], nn.MSELoss(), frozen)
        for _ in range(3):
            step(trainer, X, Y)
        assert_same_bits(values(nets[1]), values(nets[0]))
        assert some.grad_norm == frozen.grad_norm


def test_two_optimizers_of_one_network_heed_their_own_parameters(backend):
    net = torch_network()
    first = optim.SGD(named(net, "0.weight", "0.bias"), lr=0.5)
    second = optim.SGD([{"params": named(net, "4.bias")}], lr=0.25)
    net.parameters().grad[...] = 1.0
    before = {name: view.copy() for name, view in net.named_parameters()}
    first.step()
    second.step()
    for name, view in net.named_parameters():
        assert_same_bits(view, before[name] - {"0.weight": 0.5, "0.bias": 0.5, "4.bias": 0.25}.get(name, 0.0))
    first.zero_grad()
    assert [bool(p.grad.any()) for p in net.parameters()] == [False, False, True, True, True, True]
    second.zero_grad(set_to_none=False)
    assert [bool(p.grad.any()) for p in net.parameters()] == [False, False, True, True, True, False]


def test_parts_of_a_network_are_groups():
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 3)), nn.Sequential(nn.Linear(3, 1)), seed=0)
    optimizer = optim.Adam([{"params": net[1].parameters(), "lr": 0.5}, {"params": [net[0].parameters()]}], lr=0.25)
    assert [g["params"] for g in optimizer.param_groups] == [["1.0.weight", "1.0.bias"], ["0.0.weight", "0.0.bias"]]
    assert [g["lr"] for g in optimizer.param_groups] == [0.5, 0.25]
    assert optimizer.params is net.parameters()
    alone = optim.Adam(list(net[1].parameters()))
    assert alone.params is net.parameters() and alone.param_groups[0]["params"] == ["1.0.weight", "1.0.bias"]
    layers = optim.Adam([{"params": net[0][0], "lr": 0.5}, {"params": net.parameters()["1.0.bias"]}])
    assert layers.param_groups[0]["params"] == ["0.0.weight", "0.0.bias"]


def test_layers_of_a_network_have_parameters_as_groups(backend):
    """As PyTorch's idiom has it: a rate for each layer."""
    nets = [nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Residual(nn.Linear(3, 3)), seed=0) for _ in range(2)]
    groups = [{"params": nets[0][0].parameters(), "lr": 1e-2}, {"params": nets[0][2].parameters()}]
    optimizers = (
        optim.Adam(groups, lr=0.5),
        optim.Adam(nets[1].parameters(), lr=0.5, groups=[{"params": "0.*", "lr": 1e-2}]),
    )
    assert [group["params"] for group in optimizers[0].param_groups] == [
        ["0.weight", "0.bias"], ["2.body.weight", "2.body.bias"],
    ]  # fmt: skip
    for net, optimizer in zip(nets, optimizers, strict=True):
        net.parameters().grad[...] = 1.0
        optimizer.step()
    for name, view in nets[0].named_parameters():
        np.testing.assert_array_equal(view, nets[1][name])
    alone = optim.SGD(nets[0][0].parameters(), lr=0.5)
    before = nets[0].state_dict()
    alone.step()
    assert {name for name, view in nets[0].named_parameters() if (view != before[name]).any()} == {
        "0.weight", "0.bias",
    }  # fmt: skip


def test_parameters_of_a_layer_follow_it():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), seed=0)
    part = net[2].parameters()
    assert [p.name for p in part] == ["weight", "bias"] and part["weight"].data is net[2].weight
    assert net[2].parameters() is part and part.root() is net.parameters()
    assert len(net[1].parameters()) == len(nn.ReLU().parameters()) == 0
    net.insert(0, nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="layers of the network changed"):
        optim.SGD(part)
    assert net[3].parameters().root() is net.parameters()
    twin = copy.deepcopy(net)
    assert twin[3].parameters().root() is twin.parameters()
    layer = net.pop()
    assert layer.parameters().numel() == 4 and layer.parameters().root() is not net.parameters()
    relu = nn.ReLU()
    assert len(relu.parameters()) == 0
    assert relu(np.ones((1, 2))).dtype == "float64"


@pytest.mark.parametrize("name", ["SGD", "RMSprop"])
def test_states_that_a_group_needs_are_made(name):
    net = torch_network()
    optimizer = getattr(optim, name)(
        [{"params": named(net, "0.bias"), "momentum": 0.9}, {"params": named(net, "2.bias")}]
    )
    assert "momentum_buffer" in optimizer.states and optimizer.param_groups[1]["momentum"] == 0.0


def test_schedulers_and_states_know_the_groups():
    net = torch_network()

    def make(first="0.weight"):
        groups = [{"params": named(net, first), "lr": 0.5}, {"params": named(net, "0.bias")}]
        return optim.AdamW(groups, lr=0.25)

    optimizer = make()
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, [0.5, 0.1], 10)
    scheduler.step()
    net.parameters().grad[...] = 1.0
    optimizer.step()
    twin = make()
    twin.load_state_dict(optimizer.state_dict())
    assert repr(twin.state_dict()) == repr(optimizer.state_dict())
    assert twin.param_groups[0]["lr"] == scheduler.get_last_lr()[0]
    with pytest.raises(ValueError, match=r"params of the first group must be \['2.bias'\], got \['0.weight'\]"):
        make("2.bias").load_state_dict(optimizer.state_dict())
    copied = copy.deepcopy(optimizer)
    copied.step()
    assert copied.step_count.tolist() == [2, 2] and optimizer.step_count.tolist() == [1, 1]


# -- groups added later ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_a_group_added_is_as_one_given_with_steps_of_its_own(name, dtype, backend):
    ends = []
    for later in (False, True):
        net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2), seed=0, dtype=dtype.name)
        groups = [{"params": named(net, "0.weight")}, {"params": named(net, "1.weight", "1.bias"), "lr": 0.125}]
        optimizer = getattr(optim, name)(groups[:1] if later else groups, **RULES[name])
        optimizer.param_groups[0]["lr"] = 0.0625
        if not later:
            optimizer.param_groups[1]["frozen"] = True
        for i in range(5):
            if i == 2 and later:
                optimizer.add_param_group(groups[1])
            elif i == 2:
                optimizer.param_groups[1]["frozen"] = False
            net.parameters().grad[...] = net.parameters().data * 0.5
            optimizer.step()
        assert optimizer.step_count.tolist() == [5, 3]
        ends.append(net.parameters().data)
    assert_same_bits(ends[1], ends[0])


def test_a_group_added_has_the_values_given_to_the_optimizer():
    net = torch_network()
    optimizer = optim.AdamW([{"params": named(net, "0.weight"), "lr": 0.5}], lr=0.25, betas=(0.5, 0.75))
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    scheduler.step()
    optimizer.add_param_group({"params": "0.bias", "weight_decay": 0.125})
    first, new = optimizer.param_groups
    assert (first["lr"], new["lr"]) == (0.25, 0.25) and new["betas"] == (0.5, 0.75) and new["weight_decay"] == 0.125
    scheduler.step()
    assert (first["lr"], new["lr"]) == (0.125, 0.25), "a scheduler is of the groups that there were"
    optimizer.weight_decay = 0.0
    assert (first["weight_decay"], new["weight_decay"]) == (0.0, 0.125)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
    trainer.step(X, Y)
    assert optimizer.step_count.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="a trainer has compiled this optimizer"):
        optimizer.add_param_group({"params": "2.bias"})


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"params": "0.weight"}, r"param_groups\[1\]: 0.weight is in param_groups\[0\] already"),
        ({"params": "9.*"}, r"param_groups\[1\]: no parameter matches '9.\*'"),
        ({"params": "0.bias", "lr": -1.0}, "lr must be at least 0"),
        ({"params": "0.bias", "momentum": 0.5}, r"unknown keys \['momentum'\]"),
        ({"lr": 0.5}, "must name its parameters"),
        (["0.bias"], "must be a dict, got list"),
    ],
)
def test_a_wrong_group_is_not_added(group, message):
    net = torch_network()
    optimizer = optim.Adam(named(net, "0.weight"))
    with pytest.raises((TypeError, ValueError), match=message):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == len(optimizer.hyper) == len(optimizer.step_count) == 1


def test_where_no_group_can_be_added():
    net = torch_network()
    with pytest.raises(ValueError, match=r"0.bias is in param_groups\[0\] already"):
        optim.Adam(net.parameters()).add_param_group({"params": "0.bias"})
    with pytest.raises(ValueError, match="arrays cannot be added"):
        optim.Adam([np.zeros(3)]).add_param_group({"params": np.zeros(3)})
    with pytest.raises(ValueError, match="LBFGS has no parameter groups"):
        optim.LBFGS(named(net, "0.weight")).add_param_group({"params": "0.bias"})


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (lambda n: [], "params must not be empty"),
        (lambda n: "0.weight", "params must be net.parameters(), got str"),
        (lambda n: {"params": n.parameters()}, "got dict: give a list, [params]"),
        (lambda n: n.parameters()["0.bias"], "got Parameter: give a list, [params]"),
        (lambda n: n[0].weight, "got ndarray: give a list, [params]"),
        (lambda n: n, "params must be net.parameters(), got Sequential"),
        (lambda n: [n.parameters()["0.bias"], n[0].weight.copy()], "got list with ndarray"),
        (lambda n: ["0.weight"], "got list without a parameter"),
        (lambda n: [{"params": n.parameters()}, n.parameters()["0.bias"]], "a list of groups or of parameters, not of"),
        (lambda n: [{"lr": 0.5}], "params[0] must name its parameters"),
        (lambda n: [{"params": named(n, "0.bias"), "rate": 0.5}], "params[0] has unknown keys ['rate']"),
        (lambda n: [{"params": []}, {"params": n.parameters()}], "params[0] names no parameter"),
        (lambda n: [{"params": n.parameters()}] * 2, "params[1]: 0.weight is in params[0] already"),
        (lambda n: [{"params": named(n, "0.bias"), "lr": -1.0}], "lr must be at least 0"),
        (lambda n: [copy.copy(n.parameters()["0.bias"])], "was copied from a network, and belongs to none"),
    ],
)
def test_wrong_lists_are_errors(params, message):
    net = torch_network()
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        optim.Adam(params(net))


def test_errors_beyond_the_list():
    nets = torch_network(), torch_network()
    with pytest.raises(ValueError, match="of one network, got parameters of 2: make an optimizer for each"):
        optim.Adam([*nets[0].parameters(), *nets[1].parameters()])
    with pytest.raises(ValueError, match="groups must not be given where params is a list of groups"):
        optim.Adam([{"params": nets[0].parameters()}], groups=[{"params": "0.*"}])
    with pytest.raises(ValueError, match="groups must not be given where params is a list"):
        optim.Adam(list(nets[0].parameters()), groups=[{"params": "0.*"}])
    with pytest.raises(ValueError, match="LBFGS has no parameter groups"):
        optim.LBFGS([{"params": named(nets[0], "0.bias")}, {"params": named(nets[0], "2.bias")}])
    with pytest.raises(TypeError, match="grads are only for an optimizer of arrays"):
        optim.Adam(nets[0].parameters()).step(grads=[np.zeros(3)])


def test_a_parameters_object_of_ones_own_is_a_network():
    params = Parameters({"a": (3,), "b": (2,)}, "float64")
    optimizer = optim.SGD([params["b"]], lr=0.5)
    params.grad[...] = 1.0
    optimizer.step()
    assert params["a"].data.tolist() == [0, 0, 0] and params["b"].data.tolist() == [-0.5, -0.5]


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_trainers_take_lists_as_they_take_groups(name, path, backend):
    """Accumulation, schedules by batch, the search for a rate, health, checkpoints: as with the rest frozen."""
    ends = []
    for listed in (True, False):
        net = torch_network()
        if listed:
            groups = [{"params": named(net, "2.weight", "2.bias"), "lr": 0.25}, {"params": named(net, "0.bias")}]
            optimizer = getattr(optim, name)(groups, lr=0.125)
        else:
            groups = [{"params": "2.*", "lr": 0.25}, {"params": "0.bias"}]
            optimizer = getattr(optim, name)(net.parameters(), lr=0.125, groups=groups)
            optimizer.param_groups[0]["frozen"] = True
        scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.9, by="batch")
        trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer, scheduler)
        trainer.find_lr(X, Y, steps=12, batch_size=5)
        trainer.fit(X, Y, epochs=2, batch_size=2, accumulate=2, seed=0)
        trainer.health(X, Y)
        trainer.save_checkpoint(path)
        trainer.fit(X, Y, epochs=2, batch_size=3, seed=1)
        ends.append(values(net))
        if listed:
            trainer.load_checkpoint(path)
            trainer.fit(X, Y, epochs=2, batch_size=3, seed=1)
            assert_same_bits(values(net), ends[0])
    assert_same_bits(ends[1], ends[0])
