"""States given by hand: taken over all or not at all, whatever is wrong with them."""

import contextlib
import copy
import time

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.optim import lr_scheduler
from test_hostile import callbacks, changed, entries, plain


def spoiled(state):
    """Copies of a nested state with one value replaced, or missing, each."""
    for way, _ in entries(state):
        if way:
            for junk in (None, -1, 2**70, "x", [], {}, np.zeros(0), np.zeros(3, "c8"), float("nan")):
                yield changed(state, way, junk)
            less = copy.deepcopy(state)
            at = less
            for key in way[:-1]:
                at = at[key]
            if isinstance(at, dict):
                del at[way[-1]]
                yield less
                at["more"] = 1
                yield less


def assert_all_or_nothing(thing, rng):
    state = thing.state_dict()
    for wrong in [None, 3, [], {}, *spoiled(state)]:
        try:
            thing.load_state_dict(wrong)
        except (TypeError, ValueError):
            assert plain(thing.state_dict()) == plain(state)
        else:
            thing.load_state_dict(state)


OPTIMIZERS = [optim.Adam, optim.SGD, optim.LBFGS, optim.NAdam, optim.Rprop, optim.Adagrad]


@pytest.mark.parametrize("make", OPTIMIZERS, ids=lambda cls: cls.__name__)
def test_states_of_optimizers(make, rng, dtype):
    net = nn.Sequential(nn.Linear(2, 3), seed=0, dtype=dtype)
    optimizer = make(net.parameters(), lr=0.1)
    x = rng.random((4, 2)).astype(dtype)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
    for _ in range(3):
        trainer.step(x, x @ np.ones((2, 3), dtype))
    assert_all_or_nothing(optimizer, rng)


def schedulers(o):
    s = lr_scheduler
    yield s.StepLR(o, 2)
    yield s.MultiStepLR(o, [1, 3])
    yield s.CosineAnnealingLR(o, 7)
    yield s.CosineAnnealingWarmRestarts(o, 3, 2)
    yield s.CyclicLR(o, 0.1, 0.2)
    yield s.OneCycleLR(o, 0.3, total_steps=9)
    yield s.ReduceLROnPlateau(o)
    yield s.ExponentialLR(o, 0.9)
    yield s.LinearLR(o)
    yield s.PolynomialLR(o)
    yield s.MultiplicativeLR(o, lambda step: 0.9)
    yield s.LambdaLR(o, lambda step: 0.9)
    yield s.SequentialLR(o, [s.ConstantLR(o), s.ExponentialLR(o, 0.5)], [2])
    yield s.ChainedScheduler([s.ExponentialLR(o, 0.5), s.StepLR(o, 2)])


def scheduler(i):
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    return list(schedulers(optim.SGD(net.parameters(), lr=0.1, momentum=0.5)))[i]


@pytest.mark.parametrize("i", range(14))
def test_states_of_schedulers(i, rng):
    made = scheduler(i)
    made.step(*([1.0] if isinstance(made, lr_scheduler.ReduceLROnPlateau) else []))
    assert_all_or_nothing(made, rng)


@pytest.mark.parametrize("i", range(14))
def test_no_step_number_takes_long(i):
    made = scheduler(i)
    started = time.process_time()
    for step in (10**8, 2**40, 2**53):
        state = made.state_dict() | {"last_epoch": step}
        with contextlib.suppress(ValueError):
            made.load_state_dict(state)
    assert time.process_time() - started < 1


def test_states_of_averages_and_callbacks(rng, path):
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    for thing in (optim.SWA(net.parameters()), optim.ExponentialMovingAverage(net.parameters()), *callbacks(path)):
        assert_all_or_nothing(thing, rng)
