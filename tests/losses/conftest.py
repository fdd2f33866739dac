"""Scores and labels for losses of classes."""

import pytest

from support.losses import CLASSES, ROWS


@pytest.fixture
def x(rng):
    return rng.normal(size=(ROWS, 3))


@pytest.fixture
def labels(rng):
    return rng.integers(CLASSES, size=ROWS)
