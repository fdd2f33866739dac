"""The script that writes digits.npz."""

import sys

import numpy as np
import pytest

from fastnn.data.digits import DIGITS_FILE
from fastnn.data.make_digits import write_digits


def test_make_digits_writes_the_same_small_file_every_time(tmp_path):
    pytest.importorskip("sklearn")
    paths = tmp_path / "one.npz", tmp_path / "two.npz"
    for path in paths:
        write_digits(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert DIGITS_FILE.stat().st_size < 100_000
    with np.load(paths[0]) as written, np.load(DIGITS_FILE) as stored:
        assert sorted(written) == sorted(stored) == ["labels", "pixels"]
        assert all(np.array_equal(written[name], stored[name]) for name in stored)


def test_make_digits_says_that_it_needs_scikit_learn(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SystemExit, match="pip install scikit-learn"):
        write_digits(tmp_path / "digits.npz")
    assert not list(tmp_path.iterdir())
