"""Reading ahead on one background thread."""

import time

import pytest

from fastnn.training.prefetch import ahead

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_items_are_made_ahead_but_not_too_far():
    made = []

    def make():
        for i in range(10):
            made.append(i)
            yield i

    items = ahead(make(), 2)
    assert made == []
    assert next(items) == 0
    deadline = time.monotonic() + 10
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.01)
    assert made == [0, 1, 2, 3]  # one in use, two in the queue, one that waits for a place
    assert list(items) == list(range(1, 10))


@pytest.mark.parametrize("place", [0, 3])
def test_errors_cross_over_in_their_turn(place):
    def make():
        yield from range(place)
        raise KeyError("lost")

    items, seen = ahead(make(), 2), []
    with pytest.raises(KeyError, match="lost"):
        seen.extend(items)
    assert seen in ([], list(range(place)))


def test_an_early_end_closes_the_source():
    closed = []

    def make():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    items = ahead(make(), 3)
    next(items)
    items.close()
    assert closed == [True]
