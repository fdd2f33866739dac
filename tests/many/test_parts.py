"""What each of many networks is trained on."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.many.parts import parts_of


def trainers(n):
    nets = [nn.Sequential(nn.Linear(2, 1), seed=i) for i in range(n)]
    return [fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1)) for net in nets]


def test_lists_of_rows_are_one_array_for_all():
    rows, targets = [[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0]]
    parts, names = parts_of(trainers(2), rows, targets, None, None, None, None)
    assert names is None and parts[0].data[0] is parts[1].data[0] is rows
    # Two lists of labels, of a list of trainers of as many, are one each; so are two matrices.
    parts, _ = parts_of(trainers(2), [np.ones((3, 2)), np.ones((4, 2))], [np.ones(3), np.ones(4)], None, None, None, 5)
    assert [len(part.data[1]) for part in parts] == [3, 4] and [part.seed for part in parts] == [5, 5]


def test_rows_of_groups_are_views_in_the_order_of_the_table():
    x = np.arange(14.0).reshape(7, 2)
    groups = [3, 1, 3, 1, 3, 2, 2]
    parts, names = parts_of(trainers(3), x, x[:, :1], np.arange(7.0), groups, None, None)
    assert names == [1, 2, 3]
    for part, rows in zip(parts, ([1, 3], [5, 6], [0, 2, 4]), strict=True):
        np.testing.assert_array_equal(part.data[0], x[rows])
        np.testing.assert_array_equal(part.data[2], np.array(rows, float))
    assert parts[0].data[0].base is parts[1].data[0].base
    with pytest.raises(TypeError, match="y is a masked array"):
        parts_of(trainers(3), x, np.ma.masked_array(x[:, :1]), None, groups, None, None)
    with pytest.raises(ValueError, match=r"groups\[1\] is nan: each row needs a group"):
        parts_of(trainers(3), x, x[:, :1], None, np.array([1, np.nan, 1, 1, 1, 1, 1]), None, None)
    with pytest.raises(ValueError, match="validation_data does not go with groups"):
        parts_of(trainers(3), x, x[:, :1], None, groups, (x, x), None)


def test_sparse_rows_have_groups_too():
    sparse = pytest.importorskip("scipy.sparse")
    x = np.arange(12.0).reshape(6, 2)
    parts, names = parts_of(trainers(2), sparse.coo_array(x), x[:, :1], None, [1, 0, 1, 0, 1, 1], None, None)
    assert names == [0, 1]
    np.testing.assert_array_equal(parts[0].data[0].toarray(), x[[1, 3]])
    np.testing.assert_array_equal(parts[1].data[0].toarray(), x[[0, 2, 4, 5]])
