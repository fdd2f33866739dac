"""Records stay few, whatever the number of epochs, and keep the first and the last."""

import numpy as np

from fastnn.playground.curves import MOST, Curves


def test_first_and_last_stay():
    curves = Curves()
    for epoch in range(5000):
        curves.add(epoch, {"loss": epoch, "accuracy": 0.5}, {"loss": 2 * epoch, "accuracy": 0.25})
    array = curves.array()
    assert array.dtype == np.float32 and len(array) <= MOST + 1
    assert array[0, 0] == 0 and array[-1].tolist() == [4999, 4999, 9998, 0.5, 0.25]
    assert (np.diff(array[:, 0]) > 0).all()


def test_an_epoch_is_there_once():
    curves = Curves()
    for loss in (3.0, 4.0):
        curves.add(7, {"loss": loss}, {"loss": 1.0})
    assert curves.array()[:, :3].tolist() == [[7, 4, 1]]
    assert np.isnan(curves.array()[:, 3:]).all()


def test_no_records_are_an_empty_table():
    assert Curves().array().shape == (0, 5)
