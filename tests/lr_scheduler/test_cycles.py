"""Schedules of cycles: their lowest rates, their momentum, and their ends."""

import numpy as np
import pytest

from fastnn import optim
from fastnn.nn.parameters import Parameters
from fastnn.optim import lr_scheduler as schedulers
from lr_scheduler.test_base import make_optimizer
from lr_scheduler.test_compose import lr_of, make_groups
from support.schedules import BY_HAND, PAIRED, rates_of


def test_momentum_is_left_alone_if_asked():
    optimizer = optim.Adagrad(Parameters({"p": (3,)}, "float32"), lr=0.1)
    scheduler = schedulers.OneCycleLR(optimizer, 0.5, 10, cycle_momentum=False)
    assert scheduler.places.tolist() == [0]


def test_one_cycle_ends_at_its_end():
    optimizer = make_optimizer()
    scheduler = schedulers.OneCycleLR(optimizer, 0.5, total_steps=10, anneal_strategy="linear")
    scheduler.advance(9)
    last = optimizer.lr
    assert last == pytest.approx(0.5 / 25 / 1e4)
    scheduler.step()
    assert optimizer.lr == last, "after the last batch"
    for call in (scheduler.step, lambda: scheduler.advance(1), lambda: scheduler.table(2)):
        with pytest.raises(ValueError, match="OneCycleLR has 10 steps"):
            call()
    assert scheduler.last_epoch == 10 and optimizer.lr == last


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
@pytest.mark.parametrize("pct_start", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("three_phase", [False, True])
def test_short_cycles_stay_within_their_rates(steps, pct_start, three_phase):
    scheduler = schedulers.OneCycleLR(make_optimizer(), 0.5, steps, pct_start=pct_start, three_phase=three_phase)
    table = scheduler.table(steps)
    assert (table[:, 0] <= 0.5).all() and (table[:, 0] >= 0).all()
    assert (table[:, 1] <= 0.95).all() and (table[:, 1] >= 0.85).all()


def test_optimizers_without_momentum_cannot_cycle_it():
    for optimizer in (optim.SGD(Parameters({"p": (3,)}, "float32")), optim.Adagrad(Parameters({"p": (3,)}, "float32"))):
        with pytest.raises(ValueError, match=r"cycle_momentum needs an optimizer .* give cycle_momentum=False"):
            schedulers.OneCycleLR(optimizer, 0.1, 5)


@pytest.mark.parametrize("first", PAIRED)
def test_a_cycle_keeps_its_own_lowest_rate(first):
    """Where PyTorch's takes the base rate of a scheduler before it for that."""
    alone, optimizer = schedulers.CyclicLR(make_groups(), 0.01, 0.1, 3, cycle_momentum=False), make_groups()
    both = [PAIRED[key](schedulers, optimizer) for key in (first, "CyclicLR")]
    rates = rates_of(both, lr_of(optimizer), BY_HAND)
    np.testing.assert_array_equal(rates, alone.table(len(rates)))
