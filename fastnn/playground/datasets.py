"""The points of a setting: made, split, standardized; and the lines of code that do the same."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import data
from .calls import Call, Name
from .choices import CLASSIFICATION, ONE_OUTPUT
from .settings import DataSettings, Settings

COLUMNS = ("x0", "x1", "y")


@dataclass(frozen=True)
class Points:
    """Training and test part: features (n, 2) float32, and targets as the loss takes them."""

    X_train: NDArray
    X_test: NDArray
    y_train: NDArray
    y_test: NDArray


def make_plane(n_samples: int, *, noise: float, seed: int) -> tuple[NDArray, NDArray]:
    """Points of the square [-1, 1]^2 with a target that grows along the diagonal."""
    rng = np.random.Generator(np.random.Philox(seed))
    X = rng.uniform(-1.0, 1.0, (n_samples, 2))
    y = (X[:, 0] + X[:, 1]) / 2
    return X, y + noise * rng.standard_normal(n_samples)


def make_hills(n_samples: int, *, noise: float, seed: int) -> tuple[NDArray, NDArray]:
    """Points of the square [-1, 1]^2 with a target of two hills and two hollows."""
    rng = np.random.Generator(np.random.Philox(seed))
    X = rng.uniform(-1.0, 1.0, (n_samples, 2))
    y = np.sin(np.pi * X[:, 0]) * np.sin(np.pi * X[:, 1])
    return X, y + noise * rng.standard_normal(n_samples)


WRITTEN_HERE = {"plane": make_plane, "hills": make_hills}


def source(of: DataSettings, seed: int) -> Call:
    """The call that makes the points of a kind, other than one's own."""
    options: dict[str, Any] = {"noise": of.noise, "seed": seed}
    if of.kind == "spirals":
        options = {"n_classes": of.n_classes, **options}
    if of.kind == "blobs":
        corners = [[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]][: of.n_classes]
        options = {"centers": corners, "spread": of.noise, "seed": seed}
    room = "" if of.kind in WRITTEN_HERE else "data."
    return Call(f"{room}make_{of.kind}", of.points, **options)


def make(settings: Settings) -> Points:
    """The points, standardized by the training part."""
    of, seed = settings.data, settings.seed
    if of.table is not None and of.kind == "own":
        rows = np.array(of.table.points)
        X, y = rows[:, :2], rows[:, 2]
    elif of.kind in WRITTEN_HERE:
        X, y = WRITTEN_HERE[of.kind](of.points, noise=of.noise, seed=seed)
    else:
        X, y = source(of, seed).make({})
    X_train, X_test, y_train, y_test = data.train_test_split(X, y, test_size=of.test_share, seed=seed)
    X_train, X_test = data.standardize(X_train, X_test)
    if of.task == CLASSIFICATION:
        y_train, y_test = (part.astype("int64") for part in (y_train, y_test))
    else:
        y_train, y_test = data.standardize(y_train[:, None], y_test[:, None])
    if settings.loss == ONE_OUTPUT:
        y_train, y_test = y_train[:, None], y_test[:, None]
    return Points(X_train.astype("float32"), X_test.astype("float32"), y_train, y_test)


def code(settings: Settings) -> Iterator[str]:
    """The lines that make the same points."""
    of, seed = settings.data, settings.seed
    if of.table is not None and of.kind == "own":
        yield f"# {', '.join(map(repr, of.table.columns))}" + f"; classes {of.table.labels}" * bool(of.table.labels)
        yield "ROWS = np.array(["
        yield from (f"    {list(row)}," for row in of.table.points)
        yield "])"
        yield "X, y = ROWS[:, :2], ROWS[:, 2]"
    else:
        if of.kind in WRITTEN_HERE:
            text = inspect.getsource(WRITTEN_HERE[of.kind])
            yield text.replace(" -> tuple[NDArray, NDArray]", "").rstrip() + "\n\n"
        yield f"X, y = {source(of, seed)}"
    split = Call("data.train_test_split", Name("X"), Name("y"), test_size=of.test_share, seed=seed)
    yield f"X_train, X_test, y_train, y_test = {split}"
    yield "X_train, X_test = (part.astype('float32') for part in data.standardize(X_train, X_test))"
    if of.task == CLASSIFICATION:
        yield "y_train, y_test = y_train.astype('int64'), y_test.astype('int64')"
    else:
        yield "y_train, y_test = data.standardize(y_train[:, None], y_test[:, None])"
    if settings.loss == ONE_OUTPUT:
        yield "y_train, y_test = y_train[:, None], y_test[:, None]  # one output"
