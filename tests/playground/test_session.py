"""A session: the same bits however the epochs are cut, and settings that change while it trains."""

import numpy as np
import pytest

from fastnn.playground import session as sessions
from fastnn.playground.refusal import Refusal
from fastnn.playground.session import Session, weights_hash
from fastnn.playground.settings import from_json

SMALL = {"data": {"points": 60}, "layers": [{"units": 4, "norm": "BatchNorm1d", "dropout": 0.2}, {"units": 3}]}
EXPLODING = {"data": {"kind": "plane"}, "loss": "MSELoss", "layers": [], "batch_size": 0,
             "optimizer": {"kind": "SGD", "numbers": {"lr": 1.2}}}  # fmt: skip


def small(**more):
    return from_json({**SMALL, **more})


def trained(*chunks, settings=None):
    session = Session(settings or small())
    for epochs in chunks:
        session.train(epochs)
        session.score()
    return session


SCHEDULES = ["constant", "StepLR", "ExponentialLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "LinearLR"]


@pytest.mark.parametrize("kind", SCHEDULES)
def test_chunks_do_not_change_the_bits(kind):
    settings = small(schedule={"kind": kind})
    assert trained(12, settings=settings).hash() == trained(1, 2, 9, settings=settings).hash()


def test_it_learns():
    session = trained(300, settings=from_json({"data": {"kind": "moons"}}))
    _, test = session.score()
    assert session.epoch == 300 and session.steps_an_epoch == 18
    assert test["accuracy"] > 0.95


def test_the_hash_is_of_all_values():
    session = trained(2)
    before = session.hash()
    assert len(before) == sessions.HASH_DIGITS and before == weights_hash(session.net)
    session.net[1].buffer("running_mean")[0] += 1
    assert session.hash() != before


def test_begin_goes_back_to_the_initial_values():
    session = Session(small())
    before = session.hash()
    session.train(3)
    assert session.hash() != before
    session.begin(session.settings)
    assert (session.hash(), session.epoch) == (before, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"init": "zeros"},
        {"data": {"points": 61}},
        {"layers": [{"units": 4}]},
        {"loss": "BCEWithLogitsLoss"},
    ],
    ids=str,
)
def test_another_start_begins_anew(change):
    session = trained(3)
    assert session.change(small(**change))
    assert session.epoch == 0
    assert session.hash() == Session(small(**change)).hash()


@pytest.mark.parametrize(
    ("change", "fresh"),
    [
        ({"optimizer": {"kind": "Adam", "numbers": {"lr": 0.5, "beta1": 0.8}}}, False),
        ({"batch_size": 7}, False),
        ({"batch_size": 0}, False),
        ({"optimizer": {"kind": "SGD"}}, True),
        ({"loss": "MultiMarginLoss"}, True),
        ({"l1": 0.01}, True),
        ({"schedule": {"kind": "StepLR"}}, True),
    ],
    ids=str,
)
def test_other_training_goes_on_with_the_weights(change, fresh):
    session = trained(3)
    before, optimizer = session.hash(), session.trainer.optimizer
    assert not session.change(small(**change))
    assert (session.epoch, session.hash()) == (3, before)
    assert (session.trainer.optimizer is optimizer) is not fresh
    session.train(2)
    assert session.hash() != trained(5).hash()
    assert [(s.start, s.end, s.fresh) for s in session.journal] == [(0, 3, True), (3, 5, fresh)]


def test_the_rate_is_set_on_the_optimizer():
    session = trained(3)
    session.change(small(optimizer={"kind": "Adam", "numbers": {"lr": 0.5, "beta1": 0.8}}))
    assert (session.trainer.optimizer.lr, session.trainer.optimizer.betas) == (0.5, (0.8, 0.999))


def test_changes_that_are_not_trained_leave_one_segment():
    session = trained(3)
    for lr in (0.1, 0.2, 0.3):
        session.change(small(optimizer={"kind": "Adam", "numbers": {"lr": lr}}))
    assert len(session.journal) == 2
    session.change(small(optimizer={"kind": "SGD"}))
    session.change(small())  # Adam again, whose state is not the one before
    assert [(s.start, s.fresh) for s in session.journal] == [(0, True), (3, True)]


def test_the_temperature_changes_nothing():
    session = trained(3)
    assert not session.change(small(temperature=4.0))
    assert (len(session.journal), session.settings.temperature) == (1, 4.0)
    session.train(2)
    assert session.hash() == trained(5).hash()


def test_the_journal_is_bounded(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_SEGMENTS", 3)
    session = trained(1)
    for size in (2, 3):
        session.change(small(batch_size=size))
        session.train(1)
    before = session.hash(), session.settings
    with pytest.raises(Refusal) as refused:
        session.change(small(batch_size=4))
    assert refused.value.code == "many_changes"
    assert (session.hash(), session.settings) == before


def test_an_explosion_stops_before_the_numbers_are_lost():
    session = Session(from_json(EXPLODING))
    session.train(1000)
    assert "not finite" in session.exploded
    assert 50 < session.epoch < 300
    assert np.isfinite(session.net.parameters().data).all()
    with pytest.raises(Refusal) as refused:
        session.train(1)
    assert refused.value.code == "exploded"
    assert session.change(from_json(EXPLODING | {"optimizer": {"kind": "SGD", "numbers": {"lr": 0.4}}}))
    session.train(100)
    assert not session.exploded and session.score()[0]["loss"] < 0.05


def test_chunks_do_not_change_the_explosion():
    sessions = [Session(from_json(EXPLODING)) for _ in range(2)]
    sessions[0].train(1000)
    while not sessions[1].exploded:
        sessions[1].train(7)
    assert sessions[0].epoch == sessions[1].epoch
    assert sessions[0].hash() == sessions[1].hash()


def test_the_number_of_epochs_is_bounded(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_EPOCHS", 5)
    session = trained(9)
    assert session.epoch == 5
    with pytest.raises(Refusal) as refused:
        session.train(1)
    assert refused.value.code == "finished"


@pytest.mark.parametrize("size", [1, 41])
def test_batch_normalization_needs_two_rows(size):
    session = trained(3)
    before = session.hash(), session.settings
    with pytest.raises(Refusal) as refused:  # 42 rows of training
        session.change(small(batch_size=size))
    assert refused.value.code == "batch_norm_batch"
    assert (session.hash(), session.settings) == before
    with pytest.raises(Refusal):
        Session(small(batch_size=size))
