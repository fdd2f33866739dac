"""The arrays of a case."""

import numpy as np

from fastnn.bench import cases, data


def test_data_are_the_same_every_time():
    case = cases.update("adam", 100)
    assert all(map(np.array_equal, data.arguments(case), data.arguments(case)))
    assert [a.dtype for a in data.arguments(cases.cross_entropy(3, 5))] == ["float32", "int64"]
