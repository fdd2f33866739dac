"""Several schedulers of one optimizer, and rates set by hand: PyTorch's numbers, as steps and as tables."""

import json

import numpy as np
import pytest

from fastnn import optim
from fastnn.nn.parameters import Parameters
from fastnn.optim import lr_scheduler as schedulers
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


@pytest.mark.parametrize("first", PAIRED)
def test_a_cycle_keeps_its_own_lowest_rate(first):
    """Where PyTorch's takes the base rate of a scheduler before it for that."""
    alone, optimizer = schedulers.CyclicLR(make_groups(), 0.01, 0.1, 3, cycle_momentum=False), make_groups()
    both = [PAIRED[key](schedulers, optimizer) for key in (first, "CyclicLR")]
    rates = rates_of(both, lr_of(optimizer), BY_HAND)
    np.testing.assert_array_equal(rates, alone.table(len(rates)))


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
