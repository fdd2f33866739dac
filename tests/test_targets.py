"""Targets of losses of two classes: one that the loss does not take is named, with the way out, before any update."""

from functools import partial

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core.targets import SHARES, SIGNS, first_bad_target
from fastnn.data import Mixup, Shards

FROM_0_TO_1 = (nn.BCELoss(), nn.BCEWithLogitsLoss(), nn.BCEWithLogitsLoss(pos_weight=[2.0]), nn.FocalLoss())
SIGNED = (nn.HingeLoss(), nn.HingeLoss(squared=True), nn.SoftMarginLoss())
BETWEEN = "targets must be between 0 and 1"
ODD = [
    *((loss, [0, -1, 1], 1, f"is -1: {BETWEEN}; labels of two classes become that by y > 0") for loss in FROM_0_TO_1),
    *((loss, [0, 255, 0], 1, f"is 255: {BETWEEN}; labels of two classes become that by y > 0") for loss in FROM_0_TO_1),
    *((loss, [0, 1, 2], 2, f"is 2: {BETWEEN}; labels of 1 and 2 become that by y - 1") for loss in FROM_0_TO_1),
    *(
        (loss, [1, 3, 2], 1, "is 3: .*more classes need CrossEntropyLoss, and one output for each")
        for loss in FROM_0_TO_1
    ),
    *((loss, [0.5, 1.5, 2], 1, f"is 1.5: {BETWEEN}") for loss in FROM_0_TO_1),
    *((loss, [1, 0, 1], 1, r"is 0: targets must be -1 or 1; .* np.where\(y > 0, 1, -1\)") for loss in SIGNED),
    *((loss, [-1, 1, 2], 2, "is 2: targets must be -1 or 1; more classes need MultiMarginLoss") for loss in SIGNED),
    *((loss, [-1, 1, 0.5], 2, "is 0.5: targets must be -1 or 1") for loss in SIGNED),
]
ids = [f"{loss!r}-{labels}" for loss, labels, *_ in ODD]


@pytest.fixture
def x(dtype):
    return np.random.default_rng(0).normal(size=(3, 2)).astype(dtype)


def make(loss, dtype="float32"):
    layers = [nn.Sigmoid()] if loss.kernel == "binary_cross_entropy" else []
    net = nn.Sequential(nn.Linear(2, 1), *layers, seed=0, dtype=dtype)
    return fastnn.Trainer(net, loss, optim.Adam(net.parameters()))


@pytest.mark.parametrize(("loss", "labels", "row", "text"), ODD, ids=ids)
def test_a_target_that_the_loss_does_not_take_is_named_and_nothing_changes(loss, labels, row, text, x, dtype, backend):
    trainer = make(loss, dtype)
    before = trainer.net.parameters().data.copy()
    as_given = np.array(labels, None if all(type(value) is int for value in labels) else dtype)
    rows = as_given.astype(dtype).reshape(3, 1)
    for y in (as_given, rows, np.asfortranarray(rows)):
        for call in (trainer.step, partial(trainer.fit, shuffle=False), trainer.evaluate):
            with pytest.raises(ValueError, match=rf"^y\[{row}\] {text}"):
                call(x, y)
    with pytest.raises(ValueError, match=rf"y\[{row}\] {text}"):
        trainer.fit([(x, rows)])
    with pytest.raises(ValueError, match=rf"^target\[{row}, 0\] {text}"):
        loss(np.full((3, 1), 0.5, dtype), rows)
    np.testing.assert_array_equal(trainer.net.parameters().data, before)
    assert trainer.optimizer.step_count == 0


@pytest.mark.parametrize("loss", [FROM_0_TO_1[1], SIGNED[0]], ids=repr)
def test_the_row_is_that_of_the_data_whatever_the_order(loss, backend):
    x, y = np.zeros((50, 2), "float32"), np.ones(50, "uint8")
    y[37] = 0 if loss in SIGNED else 7
    for shuffle in (True, False):
        with pytest.raises(ValueError, match=r"^y\[37\] is "):
            make(loss).fit(x, y, batch_size=8, shuffle=shuffle)


def test_shards_are_looked_at_too(backend, tmp_path):
    shards = Shards.write(tmp_path / "shards", np.zeros((6, 2), "float32"), np.array([0, 1, 0, 1, -1, 0]), rows=3)
    with pytest.raises(ValueError, match=r"y\[1\] is -1"):
        make(nn.BCEWithLogitsLoss()).fit(shards, shuffle=False)


def test_a_column_is_named_where_there_are_several(backend):
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    trainer = fastnn.Trainer(net, nn.BCEWithLogitsLoss(), optim.SGD(net.parameters()))
    y = np.zeros((4, 3))
    y[2, 1] = 2
    with pytest.raises(ValueError, match=r"^y\[2, 1\] is 2: targets must be between 0 and 1"):
        trainer.fit(np.zeros((4, 2), "float32"), y.astype("float32"))


def test_a_head_is_named(backend):
    heads = nn.Heads(spam=nn.Linear(2, 1), size=nn.Linear(2, 1))
    net = nn.Sequential(nn.Linear(2, 2), heads, seed=0)
    loss = nn.HeadsLoss(heads, spam=nn.BCEWithLogitsLoss(), size=nn.MSELoss())
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters()))
    y = {"spam": np.array([0, 1, -1]), "size": np.array([7.0, -3, 2], "float32")}
    for call in (trainer.step, trainer.fit, trainer.evaluate):
        with pytest.raises(ValueError, match=r"^y\['spam'\]\[2\] is -1: targets must be between 0 and 1"):
            call(np.zeros((3, 2), "float32"), y)


def test_soft_targets_are_taken_and_nan_stays_what_is_said_of_numbers_that_are_not_finite(x, dtype, backend):
    y = np.array([0, 0.25, 1], dtype)
    assert np.isfinite(make(nn.BCEWithLogitsLoss(), dtype).step(x, y))
    y[1] = np.nan
    for loss in (nn.BCEWithLogitsLoss(), nn.HingeLoss()):
        y[[0, 2]] = 1
        with pytest.raises(ValueError, match=r"y\[1.* is nan"):
            make(loss, dtype).fit(x, y)


@pytest.mark.parametrize("loss", SIGNED, ids=repr)
def test_signs_cannot_be_mixed(loss, backend):
    y = np.array([1, -1, 1, -1], "float32")
    with pytest.raises(TypeError, match=f"transform: .* {type(loss).__name__} takes targets of -1 and 1 only"):
        make(loss).fit(np.zeros((4, 2), "float32"), y, transform=Mixup())
    make(nn.BCEWithLogitsLoss()).fit(np.zeros((4, 2), "float32"), np.abs(y), transform=Mixup())


@pytest.mark.parametrize("n", [0, 1, 3, 8, 33])
def test_the_first_one_is_found_at_every_place(n, dtype):
    for kind, odd in ((SHARES, (-1, 1.5, np.inf, -np.inf)), (SIGNS, (0, 0.5, 2, np.inf, -np.inf, -1.5))):
        target = np.ones(n, dtype)
        assert first_bad_target(target, kind) == -1
        for place in range(n):
            for value in odd:
                target[:] = [1, *[np.nan, 1] * n][:n]
                target[place:] = value
                assert first_bad_target(target, kind) == place
