"""All schedulers: PyTorch's numbers, tables and steps, saved states, and wrong arguments."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

from fastnn import nn, optim
from fastnn.nn.parameters import Parameters
from fastnn.optim import lr_scheduler as schedulers
from support import RECORDED
from support.schedules import EPOCHS, OPTIMIZERS, PLATEAUS, RESTARTS, SCHEDULES, STEPS, metrics, wave

with np.load(RECORDED / "torch_schedulers.npz") as _file:
    STORED = dict(_file)


def make_optimizer(name="sgd"):
    return OPTIMIZERS[name](optim, Parameters({"p": (3,)}, "float64"))


def momentum_of(optimizer):
    return optimizer.beta1 if "beta1" in optimizer.hyperparameters() else optimizer.momentum


def follow(scheduler, steps):
    """The rate and the momentum at each of the next steps; it has done one fewer then."""
    rows = []
    for i in range(steps):
        if i:
            scheduler.step()
        assert scheduler.get_last_lr() == [scheduler.optimizer.lr]
        rows.append([scheduler.optimizer.lr, momentum_of(scheduler.optimizer)])
    return np.array(rows)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("key", SCHEDULES)
def test_the_numbers_are_torchs(key, optimizer):
    scheduler = SCHEDULES[key](schedulers, make_optimizer(optimizer))
    np.testing.assert_allclose(follow(scheduler, STEPS), STORED[f"{key}/{optimizer}"], rtol=1e-12, atol=1e-18)
    assert scheduler.last_epoch == STEPS - 1


@pytest.mark.parametrize("key", PLATEAUS)
def test_plateaus_are_torchs(key):
    optimizer = make_optimizer()
    scheduler = schedulers.ReduceLROnPlateau(optimizer, **PLATEAUS[key])
    rates = []
    for value in metrics():
        scheduler.step(value)
        assert scheduler.get_last_lr() == [optimizer.lr]
        rates.append(optimizer.lr)
    np.testing.assert_allclose(rates, STORED[f"ReduceLROnPlateau/{key}"], rtol=1e-12)
    assert rates[0] > rates[-1]


@pytest.mark.parametrize("key", RESTARTS)
def test_restarts_are_torchs_at_any_epoch(key):
    """Fractions of epochs, between steps; a state in between is that of all."""
    scheduler = schedulers.CosineAnnealingWarmRestarts(make_optimizer(), *RESTARTS[key])
    rows = []
    for epoch in EPOCHS:
        twin = schedulers.CosineAnnealingWarmRestarts(make_optimizer(), *RESTARTS[key])
        twin.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
        for one in (scheduler, twin):
            one.step(epoch)
        assert scheduler.get_last_lr() == [scheduler.optimizer.lr] == twin.get_last_lr() == [twin.optimizer.lr]
        assert np.array_equal(twin.table(9), scheduler.table(9))
        rows.append([scheduler.optimizer.lr, scheduler.last_epoch])
    np.testing.assert_allclose(rows, STORED[f"restarts/{key}"], rtol=1e-12, atol=1e-15)


def test_an_epoch_must_be_a_point_of_the_schedule():
    scheduler = schedulers.CosineAnnealingWarmRestarts(make_optimizer(), 5)
    scheduler.step(2.5)
    before = repr(scheduler.state_dict())
    for epoch, error in ((-0.5, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("2", TypeError)):
        with pytest.raises(error, match="epoch must be"):
            scheduler.step(epoch)
    with pytest.raises(ValueError, match="fraction must be"):
        scheduler.load_state_dict(scheduler.state_dict() | {"fraction": 1.0})
    assert repr(scheduler.state_dict()) == before
    fresh = schedulers.CosineAnnealingWarmRestarts(make_optimizer(), 5)
    scheduler.load_state_dict(fresh.state_dict())
    assert scheduler.fraction == 0.0 and scheduler.optimizer.lr == 0.3


@pytest.mark.parametrize("key", SCHEDULES)
def test_a_table_has_the_bits_of_steps(key):
    """Whole, in pieces with advance() between, and begun anew further on."""
    make = SCHEDULES[key]
    stepped = follow(make(schedulers, make_optimizer()), STEPS)
    scheduler = make(schedulers, make_optimizer())
    before = scheduler.optimizer.hyper.copy()
    whole = scheduler.table(STEPS)
    assert np.array_equal(scheduler.optimizer.hyper, before) and scheduler.last_epoch == 0, "a table sets nothing"
    assert whole.dtype == "float64" and whole.shape == (STEPS, len(scheduler.places))
    columns = slice(0, whole.shape[1])
    assert np.array_equal(whole, stepped[:, columns])
    start = 0
    for n in (1, 7, 0, 20, 3):
        assert np.array_equal(scheduler.table(n + 5), whole[start : start + n + 5])
        scheduler.advance(n)
        start += n
        assert np.array_equal(scheduler.optimizer.hyper.reshape(-1)[scheduler.places], whole[start])


def test_places_are_those_of_the_rate_and_the_momentum():
    optimizer = make_optimizer("adam")
    optimizer.hyper.reshape(-1)[schedulers.OneCycleLR(optimizer, 0.5, 10).places] = 0.25, 0.75
    assert (optimizer.lr, optimizer.betas) == (0.25, (0.75, 0.999))


@pytest.mark.parametrize("key", SCHEDULES)
def test_state_goes_on_where_it_was(key):
    make = SCHEDULES[key]
    first = make(schedulers, make_optimizer())
    follow(first, 24)
    state = first.state_dict()
    rest = follow(first, STEPS - 23)
    optimizer = make_optimizer()
    optimizer.lr = 77.0  # the base rates come from the state
    twin = make(schedulers, optimizer)
    twin.load_state_dict(json.loads(json.dumps(state)))
    assert twin.last_epoch == 23
    assert np.array_equal(follow(twin, STEPS - 23), rest)


def test_state_of_a_plateau_goes_on():
    values = metrics()
    keywords = PLATEAUS["rel"]
    first, twin = (schedulers.ReduceLROnPlateau(make_optimizer(), **keywords) for _ in range(2))
    for i, value in enumerate(values):
        if i == 20:
            twin.load_state_dict(json.loads(json.dumps(first.state_dict())))
        if i >= 20:
            twin.step(value)
        first.step(value)
    assert twin.state_dict() == first.state_dict()


def test_last_epoch_starts_further_on():
    for last_epoch in (-1, 0, 30):
        scheduler = schedulers.StepLR(make_optimizer(), 10, last_epoch=last_epoch)
        assert scheduler.last_epoch == last_epoch + 1
        assert scheduler.get_last_lr() == [pytest.approx(0.3 * 0.1 ** ((last_epoch + 1) // 10))]


def test_base_rates_are_those_before_any_scheduler():
    optimizer = make_optimizer()
    schedulers.ConstantLR(optimizer, factor=0.5)
    assert optimizer.lr == 0.15
    assert schedulers.StepLR(optimizer, 5).base_lrs == [0.3]
    optimizer.lr = 0.2  # a new beginning
    assert schedulers.StepLR(optimizer, 5).base_lrs == [0.2]


def test_a_scheduler_of_ones_own():
    class Inverse(schedulers.LRScheduler):
        def values(self, steps):
            return np.array(self.base_lrs) / (1 + steps[:, None])

    scheduler = Inverse(make_optimizer())
    np.testing.assert_allclose(follow(scheduler, 4)[:, 0], [0.3, 0.15, 0.1, 0.075])

    class Wrong(schedulers.LRScheduler):
        def values(self, steps):
            return np.ones(len(steps))

    with pytest.raises(ValueError, match=r"Wrong.values\(steps\) must have shape \(1, 1\)"):
        Wrong(make_optimizer())


@pytest.mark.parametrize("remake", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))], ids=["copy", "pickle"])
def test_copies_go_on_alone(remake):
    scheduler = schedulers.LambdaLR(make_optimizer(), wave)
    follow(scheduler, 5)
    twin = remake(scheduler)
    rate = scheduler.optimizer.lr
    assert np.array_equal(twin.table(5), scheduler.table(5))
    follow(twin, 4)
    assert scheduler.optimizer.lr == rate and twin.optimizer.lr == twin.get_last_lr()[0]


# -- errors ------------------------------------------------------------------------------------------------------------

BAD = {
    "step_size": (lambda s, o: s.StepLR(o, -3), ValueError, "step_size must be at least 1, got -3"),
    "step_size float": (lambda s, o: s.StepLR(o, 2.5), TypeError, "step_size must be an integer, got float"),
    "gamma": (lambda s, o: s.ExponentialLR(o, -0.1), ValueError, "gamma must be at least 0"),
    "gamma nan": (lambda s, o: s.ExponentialLR(o, math.nan), ValueError, "gamma must be at least 0"),
    "milestones": (lambda s, o: s.MultiStepLR(o, [5, -5]), ValueError, r"milestones must be .*, got -5"),
    "milestones negative": (lambda s, o: s.MultiStepLR(o, [-1]), ValueError, "milestones must be at least 0, got -1"),
    "milestones number": (lambda s, o: s.MultiStepLR(o, 5), TypeError, "milestones must be a list of integers"),
    "total_steps": (lambda s, o: s.OneCycleLR(o, 0.1), ValueError, "total_steps must be given, or epochs and"),
    "total_steps negative": (lambda s, o: s.OneCycleLR(o, 0.1, -5), ValueError, "total_steps must be at least 1"),
    "pct_start": (
        lambda s, o: s.OneCycleLR(o, 0.1, 5, pct_start=1.5),
        ValueError,
        "pct_start must be at least 0.0 and",
    ),
    "anneal": (
        lambda s, o: s.OneCycleLR(o, 0.1, 5, anneal_strategy="exp"),
        ValueError,
        "must be one of 'cos', 'linear'",
    ),
    "max_lr": (lambda s, o: s.OneCycleLR(o, [0.1, 0.2], 5), ValueError, "max_lr must have 1 values, one a parameter"),
    "max_lr negative": (lambda s, o: s.CyclicLR(o, 0.1, -0.2), ValueError, "max_lr must be at least 0"),
    "max_momentum": (lambda s, o: s.CyclicLR(o, 0, 1, max_momentum=-1), ValueError, "max_momentum must be at least 0"),
    "mode": (lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"), ValueError, "mode must be one of 'triangular'"),
    "scale_fn": (lambda s, o: s.CyclicLR(o, 0.1, 0.2, scale_fn=3), TypeError, "scale_fn must be a function, got int"),
    "T_max": (lambda s, o: s.CosineAnnealingLR(o, 0), ValueError, "T_max must be at least 1, got 0"),
    "T_mult": (lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 0), ValueError, "T_mult must be at least 1, got 0"),
    "eta_min": (lambda s, o: s.CosineAnnealingLR(o, 5, -1.0), ValueError, "eta_min must be at least 0"),
    "factor": (lambda s, o: s.ConstantLR(o, 1.5), ValueError, "factor must be at least 0.0 and at most 1.0, got 1.5"),
    "start_factor": (lambda s, o: s.LinearLR(o, 0.0), ValueError, "start_factor must be greater than 0.0"),
    "total_iters": (lambda s, o: s.PolynomialLR(o, -1), ValueError, "total_iters must be at least 1, got -1"),
    "total_iters flag": (lambda s, o: s.ConstantLR(o, 1.0, False), TypeError, "total_iters must be an integer"),
    "total_iters float": (lambda s, o: s.LinearLR(o, total_iters=0.0), TypeError, "total_iters must be an integer"),
    "swa_lr": (lambda s, o: s.SWALR(o, -1.0), ValueError, "swa_lr must be at least 0"),
    "swa_lrs": (lambda s, o: s.SWALR(o, [0.1, 0.2]), ValueError, "swa_lr must have 1 values, one a parameter group"),
    "anneal_epochs": (lambda s, o: s.SWALR(o, 0.1, -1), ValueError, "anneal_epochs must be at least 0, got -1"),
    "anneal_strategy": (lambda s, o: s.SWALR(o, 0.1, 2, "exp"), ValueError, "must be one of 'cos', 'linear'"),
    "milestones of a sequence": (
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 5, 1.0), s.StepLR(o, 5, 1.0), s.StepLR(o, 5, 1.0)], [8, 3]),
        ValueError,
        r"milestones must be increasing, got \[8, 3\]",
    ),
    "plateau in a chain": (
        lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
        ValueError,
        r"schedulers\[0\], ReduceLROnPlateau, cannot be part of a ChainedScheduler",
    ),
    "power": (lambda s, o: s.PolynomialLR(o, power=-1.0), ValueError, "power must be at least 0"),
    "lambda": (lambda s, o: s.LambdaLR(o, 0.5), TypeError, "lr_lambda must be a function of the step, got float"),
    "lambdas": (lambda s, o: s.LambdaLR(o, [wave, wave]), ValueError, "lr_lambda must have 1 functions, one a group"),
    "lambda result": (lambda s, o: s.LambdaLR(o, lambda e: None), TypeError, "lr_lambda must return a number"),
    "lambda negative": (
        lambda s, o: s.LambdaLR(o, lambda e: -1.0),
        ValueError,
        "LambdaLR: lr at step 0 must be at least 0",
    ),
    "lambda nan": (lambda s, o: s.LambdaLR(o, lambda e: math.nan), ValueError, "LambdaLR: lr at step 0 must be"),
    "last_epoch": (lambda s, o: s.StepLR(o, 5, last_epoch=-2), ValueError, "last_epoch must be at least -1, got -2"),
    "by": (lambda s, o: s.StepLR(o, 5, by="step"), ValueError, "by must be one of 'epoch', 'batch', got 'step'"),
    "optimizer": (
        lambda s, o: s.StepLR(0.1, 5),
        TypeError,
        "optimizer must be an optimizer of fastnn.optim, got float",
    ),
    "optimizer of cycle": (lambda s, o: s.OneCycleLR(None, 0.1, 5), TypeError, "optimizer must be an optimizer"),
    "another's": (
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 5), s.StepLR(make_optimizer(), 5)], [3]),
        ValueError,
        r"schedulers\[1\], StepLR, is of another optimizer",
    ),
    "milestones few": (
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 5), s.StepLR(o, 5)], []),
        ValueError,
        "milestones must be one fewer than schedulers, got 0 for 2",
    ),
    "units": (
        lambda s, o: s.ChainedScheduler([s.StepLR(o, 5), s.StepLR(o, 5, by="batch")]),
        ValueError,
        "by must be given",
    ),
    "plateau in sequence": (
        lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
        ValueError,
        r"schedulers\[0\], ReduceLROnPlateau, cannot be part of a SequentialLR",
    ),
    "no schedulers": (lambda s, o: s.ChainedScheduler([]), TypeError, "optimizer must be|schedulers must be a list"),
    "no scheduler": (
        lambda s, o: s.WarmupLR(o, 5, after=3),
        TypeError,
        r"schedulers\[1\] must be a scheduler, got int",
    ),
    "warmup_steps": (lambda s, o: s.WarmupLR(o, 0), ValueError, "warmup_steps must be at least 1, got 0"),
    "plateau factor": (lambda s, o: s.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor must be .* less than 1.0"),
    "patience": (lambda s, o: s.ReduceLROnPlateau(o, patience=-1), ValueError, "patience must be at least 0, got -1"),
    "plateau mode": (lambda s, o: s.ReduceLROnPlateau(o, "low"), ValueError, "mode must be one of 'min', 'max'"),
    "monitor": (lambda s, o: s.ReduceLROnPlateau(o, monitor=None), TypeError, "monitor must be the name of a record"),
    "metrics": (lambda s, o: s.ReduceLROnPlateau(o).step("low"), TypeError, "metrics must be a number, got str"),
}


@pytest.mark.parametrize("key", BAD)
def test_bad_arguments_are_named(key):
    call, error, message = BAD[key]
    optimizer = make_optimizer()
    with pytest.raises(error, match=message):
        call(schedulers, optimizer)
    if key not in ("another's", "units", "no scheduler"):  # whose parts are good schedulers
        assert optimizer.lr == 0.3 and optimizer.momentum == 0.9


def test_a_step_out_of_range_changes_nothing():
    optimizer = make_optimizer()
    scheduler = schedulers.LambdaLR(optimizer, lambda step: 2.0 - step)
    scheduler.advance(2)
    for call in (scheduler.step, lambda: scheduler.table(2)):
        with pytest.raises(ValueError, match="lr at step 3 must be at least 0"):
            call()
    assert scheduler.last_epoch == 2 and optimizer.lr == 0.0


def test_foreign_states_are_refused():
    scheduler = schedulers.StepLR(make_optimizer(), 5)
    good = scheduler.state_dict()
    nested = schedulers.ChainedScheduler([scheduler])
    for state, error, message in (
        (None, TypeError, "state must be a dict"),
        ({}, ValueError, "state must be of StepLR, got one of None"),
        (schedulers.ExponentialLR(make_optimizer(), 0.5).state_dict(), ValueError, "got one of ExponentialLR"),
        (
            schedulers.StepLR(make_optimizer(), 6).state_dict(),
            ValueError,
            "StepLR with step_size=6, this has step_size=5",
        ),
        (good | {"last_epoch": -1}, ValueError, "last_epoch must be at least 0"),
        (good | {"base_lrs": [0.1, 0.2]}, ValueError, "base_lrs must have 1 values"),
        (good | {"base_lrs": 0.1}, TypeError, "base_lrs must be a list"),
        ({k: v for k, v in good.items() if k != "last_epoch"}, ValueError, "StepLR has no last_epoch"),
    ):
        with pytest.raises(error, match=message):
            scheduler.load_state_dict(state)
    with pytest.raises(ValueError, match="must have the states of 1 schedulers"):
        nested.load_state_dict(nested.state_dict() | {"schedulers": []})
    assert scheduler.state_dict() == good


def test_reprs_tell_the_arguments():
    optimizer = make_optimizer()
    scheduler = schedulers.StepLR(optimizer, 5)
    assert repr(scheduler) == "StepLR(step_size=5, gamma=0.1, by='epoch')"
    assert repr(schedulers.ChainedScheduler([scheduler])) == f"ChainedScheduler([{scheduler!r}], by='epoch')"


def test_a_milestone_that_is_listed_twice_counts_twice():
    """torch.optim.lr_scheduler.MultiStepLR counts its milestones, too."""
    optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    scheduler = optim.lr_scheduler.MultiStepLR(optimizer, [2, 4, 2], gamma=0.5)
    assert scheduler.table(6).ravel().tolist() == [1.0, 1.0, 0.25, 0.25, 0.125, 0.125]
