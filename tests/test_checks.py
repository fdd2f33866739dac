"""The argument checks that the data functions share."""

import numpy as np
import pytest

from fastnn import data


@pytest.mark.parametrize(
    ("share", "n", "count"), [(0.07, 100, 7), (0.14, 50, 7), (0.29, 100, 29), (0.55, 100, 55), (0.25, 10, 3)]
)
def test_decimal_shares_are_rounded_before_they_are_rounded_up(share, n, count):
    train, test = data.train_test_split(np.arange(n), test_size=share, seed=0)
    assert (len(train), len(test)) == (n - count, count)
