"""class_weights: balanced weights, and wrong arguments."""

import numpy as np
import pytest

import fastnn


def test_balanced_weights():
    y = np.array([3, 0, 0, 3, 3, 3, 0, 1, -100])
    balanced = fastnn.data.class_weights(y)
    np.testing.assert_allclose(balanced, [8 / (3 * 3), 8 / (3 * 1), 0, 8 / (3 * 4)])
    assert np.mean(balanced[y[:-1]]) == pytest.approx(1)
    assert fastnn.data.class_weights(y, classes=6).shape == (6,)
    assert fastnn.data.class_weights(y, {1: 4.0, 3: 0.0}).tolist() == [1, 4, 1, 0]
    assert fastnn.data.class_weights(np.uint8([0, 1])).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], "even"), ValueError, "class_weight must be 'balanced' or a dict, got 'even'"),
        (([0.5, 1],), TypeError, "y must be integer class indices, got float64"),
        (([[0, 1]],), ValueError, r"y must have shape \(n,\), got \(1, 2\)"),
        (([-100],), ValueError, "y must have at least one sample"),
        (([0, -1],), ValueError, "y has the class -1: class indices must be between 0 and 0"),
        (([0, 1], {2: 1.0}), ValueError, "class_weight has the class 2"),
        (([0, 1], {1: -1.0}), ValueError, r"class_weight\[1\] must lie in"),
    ],
)
def test_wrong_arguments_of_balanced_weights(arguments, error, message):
    with pytest.raises(error, match=message):
        fastnn.data.class_weights(*arguments)
