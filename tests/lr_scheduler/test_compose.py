"""Schedules made of others, several schedulers of one optimizer, and rates set by hand: PyTorch's numbers."""

import json

import numpy as np
import pytest

from fastnn import optim
from fastnn.nn.parameters import Parameters
from fastnn.optim import lr_scheduler as schedulers
from lr_scheduler.test_base import make_optimizer
from support import RECORDED
from support.schedules import BY_HAND, PAIRED, PAIRS, rates_of

with np.load(RECORDED / "torch_schedulers.npz") as _file:
    STORED = dict(_file)


def make_groups():
    groups = [{"params": "b", "lr": 0.07}]
    return optim.SGD(Parameters({"a": (3,), "b": (2,)}, "float64"), lr=0.3, groups=groups)


def lr_of(optimizer):
    def rates(value=None):
        for group, share in zip(optimizer.param_groups, (1.0, 0.5), strict=True):
            group["lr"] = group["lr"] if value is None else value * share
        return [group["lr"] for group in optimizer.param_groups]

    return rates


@pytest.mark.parametrize("key", PAIRED)
def test_a_rate_set_by_hand_is_gone_on_from_as_torch_does(key):
    optimizer = make_groups()
    rates = rates_of([PAIRED[key](schedulers, optimizer)], lr_of(optimizer), BY_HAND)
    np.testing.assert_allclose(rates, STORED[f"alone/{key}"], rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_schedulers_chain_as_torchs_do(first, second):
    for by_hand, expected in zip(({}, BY_HAND), STORED[f"pair/{first}/{second}"], strict=True):
        optimizer = make_groups()
        both = [PAIRED[key](schedulers, optimizer) for key in (first, second)]
        rates = rates_of(both, lr_of(optimizer), by_hand)
        np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize("second", [key for key in PAIRED if key != "ReduceLROnPlateau"])
def test_a_table_heeds_what_others_set(second):
    """Steps, tables and advance() from a rate that is not the schedule's have the same bits; so has a resumed one."""

    def begin():
        optimizer = make_groups()
        scheduler = PAIRED[second](schedulers, optimizer)
        lr_of(optimizer)(0.123)
        return scheduler, optimizer

    stepped, optimizer = begin()
    rows = [optimizer.hyper.reshape(-1)[stepped.places].copy()]
    for _ in range(9):
        stepped.step()
        rows.append(optimizer.hyper.reshape(-1)[stepped.places].copy())
    ahead, optimizer = begin()
    assert np.array_equal(ahead.table(10), rows)
    ahead.advance(4)
    twin, _ = begin()
    twin.load_state_dict(json.loads(json.dumps(ahead.state_dict())))
    for scheduler in (ahead, twin):
        assert np.array_equal(scheduler.table(6), rows[4:])
        scheduler.advance(5)
        assert scheduler.get_last_lr() == rows[9].tolist()


def test_examples_of_schedulers_together():
    """LinearLR from 0.04 to 0.1 in two steps with a plateau; a constant with an exponential."""
    optimizer = optim.SGD(Parameters({"p": (3,)}, "float64"), lr=0.1)
    both = [schedulers.LinearLR(optimizer, 0.4, total_iters=2), schedulers.ReduceLROnPlateau(optimizer, patience=0)]
    rates = [optimizer.lr]
    for loss in (3.0, 2.0, 2.0, 2.0):
        both[0].step()
        both[1].step(loss)
        rates.append(optimizer.lr)
    np.testing.assert_allclose(rates, [0.04, 0.07, 0.1, 0.01, 0.001], rtol=1e-12)


def test_a_sequence_ends_with_its_parts():
    optimizer = make_optimizer()
    cycle = schedulers.OneCycleLR(optimizer, 0.5, 10)
    scheduler = schedulers.SequentialLR(optimizer, [schedulers.LinearLR(optimizer, by="batch"), cycle], [5])
    assert scheduler.limit == 15 and scheduler.by == "batch"
    scheduler.advance(15)
    with pytest.raises(ValueError, match="SequentialLR has 15 steps"):
        scheduler.step()
    early = schedulers.SequentialLR(optimizer, [cycle, schedulers.StepLR(optimizer, 5, by="batch")], [20])
    assert early.limit == 10
    assert schedulers.ChainedScheduler([cycle, schedulers.StepLR(optimizer, 5, by="batch")]).limit == 10


def test_what_a_part_does_not_set_stays():
    """The momentum: before the cycle as it begins, after it as it ended."""
    optimizer = make_optimizer()
    parts = [schedulers.StepLR(optimizer, 50, by="batch"), schedulers.OneCycleLR(optimizer, 0.5, 10)]
    parts.append(schedulers.ConstantLR(optimizer, by="batch"))
    table = schedulers.SequentialLR(optimizer, parts, [4, 9]).table(14)
    cycle = parts[1].values(np.arange(5))[:, 1]
    assert table[:, 1].tolist() == [cycle[0]] * 4 + cycle.tolist() + [cycle[-1]] * 5


def test_warm_up_rises_in_a_straight_line():
    optimizer = make_optimizer()
    scheduler = schedulers.WarmupLR(optimizer, 4)
    assert scheduler.by == "batch"
    np.testing.assert_allclose(scheduler.table(7)[:, 0], 0.3 * np.array([0.2, 0.4, 0.6, 0.8, 1, 1, 1]))
    after = schedulers.CosineAnnealingLR(optimizer, 10)
    scheduler = schedulers.WarmupLR(optimizer, 5, after=after, start_factor=0.5)
    assert scheduler.by == "epoch"
    table = scheduler.table(16)[:, 0]
    np.testing.assert_allclose(table[:5], 0.3 * np.array([0.5, 0.6, 0.7, 0.8, 0.9]))
    assert table[5] == 0.3 and table[15] == 0.0


def test_compositions_nest():
    optimizer = make_optimizer()
    inner = schedulers.ChainedScheduler([schedulers.StepLR(optimizer, 3), schedulers.ExponentialLR(optimizer, 0.9)])
    scheduler = schedulers.SequentialLR(optimizer, [schedulers.LinearLR(optimizer), inner], [5])
    outer = schedulers.ChainedScheduler([scheduler, schedulers.ExponentialLR(optimizer, 0.5)])
    expected = [1 / 3 + 2 / 15 * i for i in range(5)] + [0.1 ** (i // 3) * 0.9**i for i in range(10)]
    np.testing.assert_allclose(scheduler.table(15)[:, 0], 0.3 * np.array(expected))
    # What the next one sets when it takes over does not heed the rest of the chain, as in PyTorch.
    halved = [0.5**i for i in range(5)] + [0.5 ** (i + 1) for i in range(10)]
    np.testing.assert_allclose(outer.table(15)[:, 0], 0.3 * np.array(expected) * halved)


@pytest.mark.parametrize(
    ("given", "message"), [([], "schedulers must be a list of at least one"), ([3], r"schedulers\[0\]")]
)
def test_a_chain_of_no_schedulers_is_explained(given, message):
    with pytest.raises(TypeError, match=message):
        optim.lr_scheduler.ChainedScheduler(given)
