"""Samples in a folder of .npy files."""

import math
import os

import numpy as np
import pytest

from fastnn.data import Shards
from support.resumable import data, make_trainer

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_shards_are_shuffled_by_the_seed(shards, dtype):
    """Every row once an epoch, in the order of (seed, epoch); read ahead or not."""
    seen = []

    def orders(prefetch, seed, epochs=2):
        from fastnn.training.data import Data
        from fastnn.training.streams import ShardStream

        seen.clear()
        stream = ShardStream(lambda x, y, w: Data(x, y, w, True), shards, prefetch)
        for epoch in range(epochs):
            for piece, order, start in stream.stretches(seed, epoch, True):
                assert start == 0
                seen.append(piece.x[order])
        return [np.concatenate(seen[i : i + 3]).tobytes() for i in (0, 3)]

    first, second = orders(1, 7)
    assert [first, second] == orders(0, 7) and first != second and first != orders(1, 8)[0]
    assert sorted(np.frombuffer(first, "float32")) == sorted(data()[0].ravel())


def step_of_mean_weight(trainer, x, y, weight, weights):
    batch, sums = trainer.engine.training_data(x, y, weight), np.zeros(5)
    batch.mean_weight = math.fsum(weights.tolist()) / len(weights)
    trainer.engine.run("step", batch, None, 0, len(batch), len(batch), sums)


@pytest.mark.parametrize("batch_size", [16, None, 1000])
def test_shards_in_order_train_as_arrays_do(batch_size, shards):
    trainer, twin = make_trainer(), make_trainer()
    history = trainer.fit(shards, batch_size=batch_size, shuffle=False, epochs=2)
    x, y, weight = data()
    for _ in range(2):
        for start in range(0, 120, 50):
            stop, size = min(start + 50, 120), min(batch_size or 50, 50)
            for a in range(start, stop, size):
                step_of_mean_weight(twin, *(array[a : min(a + size, stop)] for array in (x, y, weight)), weight)
    np.testing.assert_array_equal(trainer.net.parameters().data, twin.net.parameters().data)
    assert history.epochs == 2
    make_trainer().fit(shards, validation_data=(x, y), progress=True)


def test_what_is_wrong_with_a_folder_is_said(tmp_path):
    x, y, weight = data()
    with pytest.raises(FileNotFoundError):
        Shards(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"has no shards: files x_000\.npy"):
        Shards(tmp_path)
    with pytest.raises(ValueError, match="rows must be at least 1"):
        Shards.write(tmp_path, x, y, rows=0)
    with pytest.raises(ValueError, match=r"x and y must have one length, got \[120, 119\]"):
        Shards.write(tmp_path, x, y[1:])
    assert repr(Shards.write(tmp_path, x, y, weight, rows=50)).endswith("120 samples in 3 shards)")
    for name, array, message in (
        ("y_001", y[:49], r"y_001\.npy has 49 rows, x_001\.npy has 50"),
        ("x_001", x[:50].astype("d"), r"x_001\.npy has rows of shape \(6,\), float64, x_000\.npy has .* float32"),
        ("x_002", x[:20, :3], r"x_002\.npy has rows of shape \(3,\), float32"),
        ("y_000", np.array([{}] * 50), r"y_000\.npy is no \.npy file of numbers"),
        ("y_000", np.array(3), r"y_000\.npy must hold an array with a row for each sample"),
        ("weight_002", None, r"weight_002\.npy is missing: some shards have weights"),
    ):
        for path in tmp_path.iterdir():
            path.unlink()
        Shards.write(tmp_path, x, y, weight, rows=50)
        os.remove(tmp_path / f"{name}.npy")
        if array is not None:
            np.save(tmp_path / f"{name}.npy", array, allow_pickle=True)
        with pytest.raises(ValueError, match=message):
            Shards(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    Shards.write(tmp_path, x, y, weight, rows=50)
    (tmp_path / "x_001.npy").write_bytes(b"\x89PNG")
    with pytest.raises(ValueError, match=r"x_001\.npy is no \.npy file"):
        Shards(tmp_path)
    shards = Shards.write(tmp_path / "other", np.ones((4, 5), "f"), [0, 1, 2, 0], rows=2)
    with pytest.raises(ValueError, match=r"x_00[01]\.npy: Linear: x has 5 features"):
        make_trainer().fit(shards)


def test_shards_are_not_written_beside_others(tmp_path):
    x, y, weight = data()
    Shards.write(tmp_path, x, y, weight, rows=50)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=r"has shards already \(x_000\.npy and 8 more files\)"):
        Shards.write(tmp_path, x[:60], y[:60], rows=30)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_more_than_a_thousand_shards_stay_in_order(tmp_path):
    x = np.arange(1003, dtype="f").reshape(-1, 1)
    shards = Shards.write(tmp_path, x, np.zeros(1003), rows=1)
    assert [float(shards.load(i)[0][0, 0]) for i in (0, 1, 999, 1000, 1002)] == [0, 1, 999, 1000, 1002]
    for name in ("x_5.npy", "x_12.npy"):
        (tmp_path / "old").mkdir(exist_ok=True)
        np.save(tmp_path / "old" / name, x[:2])
        np.save(tmp_path / "old" / name.replace("x", "y"), x[:2])
    assert Shards(tmp_path / "old").names == ["x_5.npy", "x_12.npy"]


def test_a_write_that_fails_leaves_no_shards(tmp_path, monkeypatch):
    x, y, _ = data()
    saved = []

    def save(path, array):
        if len(saved) == 3:
            raise OSError("no space left")
        saved.append(path)
        np_save(path, array)

    np_save = np.save
    monkeypatch.setattr(np, "save", save)
    with pytest.raises(OSError, match="no space left"):
        Shards.write(tmp_path, x, y, rows=50)
    assert list(tmp_path.iterdir()) == []
