"""The arrays that a page draws: fields of the plane, the warped grid, weights, curves, and how the layers do."""

from __future__ import annotations

import json
import math
import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import functional as F
from ..training.health import LayerHealth
from . import recipes
from .choices import CLASSIFICATION, ONE_OUTPUT
from .session import Session

BOUNDARY = 96  # points a side of the picture of the outputs
UNIT = 32  # of the picture of a unit
GRID = 21  # lines each way of the grid that is warped
MOST_POINTS = 400  # of training data that are drawn in the warped planes
HEALTH_ROWS = 256
FLAT = 0.02  # an output this close to an end of its range, relative to it, is saturated
RANGES = {"Sigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0), "Softsign": (-1.0, 1.0), "Hardtanh": (-1.0, 1.0)}

Array = NDArray[Any]


def extent(session: Session) -> float:
    """Half the side of the square that is drawn: all points are in it."""
    points = session.points
    return float(max(np.abs(points.X_train).max(), np.abs(points.X_test).max(), 1.0)) * 1.08


def square(half: float, n: int) -> Array:
    """Points of a square (n * n, 2): rows from the top, each from the left."""
    axis = np.linspace(-half, half, n, dtype="float32")
    x, y = np.meshgrid(axis, axis[::-1])
    return np.stack([x.ravel(), y.ravel()], axis=1)


def probabilities(session: Session, X: Array) -> Array:
    """Probabilities (n, classes) of the network's outputs at the temperature of the settings; outputs of a regression.

    What is not a number after an explosion stays NaN.
    """
    outputs = session.net.predict(X)
    if session.settings.data.task != CLASSIFICATION:
        return outputs
    outputs = outputs.astype("float64")
    if session.settings.loss == ONE_OUTPUT:  # the sigmoid is the softmax of (0, z)
        outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
    return F.softmax(outputs, temperature=session.settings.temperature)


def entropy(p: Array) -> float:
    """Mean entropy of rows of probabilities, in nats; NaN where one is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-np.where(p > 0, p * np.log(p), p * 0).sum(axis=1).mean())


# -- one frame ---------------------------------------------------------------------------------------------------------


def frame(session: Session) -> tuple[dict[str, Any], dict[str, Array]]:
    """What has changed since the last epochs: a header and arrays by name.

    `boundary` (outputs, side, side) uint8, `units` (all units, side, side) uint8 from the least to the largest value of
    the unit, `unit_ranges` (all units, 2), `unit_state` (all units) 0, 1 dead, 2 saturated, `warp` (layers, lines'
    points, 2), `warp_points` (layers, points, 2), `weights` (out, in) of all layers one after the
    other, `curves` (records, 5).
    """
    with np.errstate(all="ignore"):  # after an explosion
        return _frame(session)


def _frame(session: Session) -> tuple[dict[str, Any], dict[str, Array]]:
    half = extent(session)
    train, test = session.score()
    arrays = {**_outputs(session, half), **_hidden(session, half)}
    arrays["weights"] = np.concatenate([w.ravel() for w in _weights(session)])
    arrays["curves"] = session.curves.array()
    header = {
        "type": "frame",
        "epoch": session.epoch,
        "step": session.epoch * session.steps_an_epoch,
        "lr": session.trainer.optimizer.lr,
        "hash": session.hash(),
        "exploded": session.exploded,
        "scores": {"train": train, "test": test},
        "health": health(session),
        "extent": half,
        "grid": GRID,
    }
    if session.settings.data.task == CLASSIFICATION:
        header["entropy"] = entropy(probabilities(session, session.points.X_test))
    return header, arrays


def _outputs(session: Session, half: float) -> dict[str, Array]:
    p = probabilities(session, square(half, BOUNDARY)).T.reshape(-1, BOUNDARY, BOUNDARY)
    if session.settings.data.task != CLASSIFICATION:
        p = (p + 2.0) / 4.0  # standardized targets: two standard deviations are the ends of the colours
    return {"boundary": _bytes(p)}


def _hidden(session: Session, half: float) -> dict[str, Array]:
    """What the hidden layers make of the plane, of a grid in it, and of the training points."""
    names = _output_names(session)
    plane, grid = square(half, UNIT), square(half, GRID)
    train = session.points.X_train
    rows = np.concatenate([plane, grid, train])
    found = session.net.activations(rows, names) if names else {}
    ends = len(plane), len(plane) + len(grid)
    fields, ranges, states, warps, points = [], [], [], [], []
    for name, layer in zip(names, session.settings.layers, strict=True):
        of_plane, of_grid, of_train = np.split(found[name], ends)
        low, high = of_plane.min(axis=0), of_plane.max(axis=0)
        fields.append(_bytes(((of_plane - low) / np.where(high > low, high - low, 1)).T.reshape(-1, UNIT, UNIT)))
        ranges.append(np.stack([low, high], axis=1))
        states.append(unit_states(of_train, layer.activation))
        axes, center = directions(of_train)
        warps.append((of_grid - center) @ axes)
        points.append((of_train[:MOST_POINTS] - center) @ axes)
    shapes = {"units": (0, UNIT, UNIT), "unit_ranges": (0, 2), "unit_state": (0,)}
    joined = {
        name: np.concatenate([np.zeros(shape, "f4"), *parts])
        for (name, shape), parts in zip(shapes.items(), (fields, ranges, states), strict=True)
    }
    return {
        "units": joined["units"].astype("uint8"),
        "unit_ranges": joined["unit_ranges"],
        "unit_state": joined["unit_state"].astype("uint8"),
        "warp": np.array(warps, "float32").reshape(-1, GRID * GRID, 2),
        "warp_points": np.array(points, "float32").reshape(-1, min(len(train), MOST_POINTS), 2),
    }


def _output_names(session: Session) -> list[str]:
    """The name in the network of the layer that gives each hidden layer's outputs: the last one but dropout."""
    names, start = [], 0
    for block in recipes.layers(session.settings)[:-1]:
        names.append(str(start + max(i for i, call in enumerate(block) if call.path != "nn.Dropout")))
        start += len(block)
    return names


def unit_states(outputs: Array, activation: str) -> Array:
    """For each unit 0, or 1 if it is dead (the same output for all points), or 2 if it is saturated for 9 of 10."""
    dead = np.ptp(outputs, axis=0) == 0
    if activation not in RANGES:
        return dead.astype("uint8")
    low, high = RANGES[activation]
    near = FLAT * (high - low) / 2
    flat = ((outputs <= low + near) | (outputs >= high - near)).mean(axis=0) > 0.9
    return np.where(flat, 2, dead).astype("uint8")


def directions(outputs: Array) -> tuple[Array, Array]:
    """Two directions (units, 2) to see outputs in, and their center: of one or two units their axes, of more the two
    principal ones, each with its largest component positive so that it does not flip from frame to frame.
    """
    n = outputs.shape[1]
    if n <= 2 or not np.isfinite(outputs).all():
        return np.eye(n, 2, dtype="float32"), np.zeros(n, "float32")
    center = outputs.mean(axis=0, dtype="float64")
    deviations = outputs - center
    _, vectors = np.linalg.eigh(deviations.T @ deviations)  # in the order of growing variance
    axes = vectors[:, :-3:-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return axes.astype("float32"), center.astype("float32")


def _weights(session: Session) -> list[Array]:
    """The weights of the linear layers (out, in)."""
    return [value.T for name, value in session.net.state_dict().items() if name.endswith("weight") and value.ndim == 2]


def _bytes(shares: Array) -> Array:
    """Shares of 0 to 1 as 0 to 255, NaN as 0."""
    return (np.clip(np.nan_to_num(shares, nan=0.0), 0.0, 1.0) * 255 + 0.5).astype("uint8")


def health(session: Session) -> list[dict[str, float]]:
    """For each linear layer the norm of its gradient, for hidden ones the shares of dead units and saturated outputs.

    Of at most `HEALTH_ROWS` training points; `fastnn.Trainer.health` says what the numbers are.
    """
    points = session.points
    found = session.trainer.health(points.X_train[:HEALTH_ROWS], points.y_train[:HEALTH_ROWS]).layers
    by_place = {int(place): layer for layer in found for place in re.findall(r"(?:^|\+ )(\d+) ", f"{layer.name} ")}
    result, start = [], 0
    for block in recipes.layers(session.settings):
        inside = [by_place[i] for i in range(start, start + len(block)) if i in by_place]
        result.append(_health(by_place[start], inside))
        start += len(block)
    return result


def _health(linear: LayerHealth, inside: list[LayerHealth]) -> dict[str, float]:
    def first(name: str) -> float:
        return next((v for layer in inside if not math.isnan(v := getattr(layer, name))), math.nan)

    return {
        "gradient": linear.grad_norm,
        "update": linear.update_ratio,
        "dead": first("dead"),
        "saturated": first("saturated"),
    }


# -- points and bytes --------------------------------------------------------------------------------------------------


def points(session: Session) -> tuple[dict[str, Any], dict[str, Array]]:
    """The data, sent when a session begins anew: features, targets, and what is known of them."""
    of, data = session.points, session.settings.data
    table = data.table if data.kind == "own" else None
    header = {
        "type": "points",
        "task": data.task,
        "classes": list(table.labels) if table and table.labels else [str(c) for c in range(data.n_classes)],
        "columns": list(table.columns) if table else ["x0", "x1", "y"],
        "extent": extent(session),
        "train": len(of.X_train),
    }
    features, targets = np.concatenate([of.X_train, of.X_test]), np.concatenate([of.y_train, of.y_test])
    return header, {"features": features, "targets": targets.ravel().astype("float32")}


def packed(header: dict[str, Any], arrays: dict[str, Array]) -> bytes:
    """One message: the length of the header (uint32, little-endian), the header as JSON, and the arrays, each at a
    multiple of 4 bytes. The header has `arrays`: name, dtype, shape and offset of each.
    """
    listed, parts, offset = [], [], 0
    for name, array in arrays.items():
        kind = "uint8" if array.dtype == np.uint8 else "float32"
        raw = np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<")).tobytes()
        listed.append({"name": name, "dtype": kind, "shape": array.shape, "offset": offset})
        parts.append(raw + b"\0" * (-len(raw) % 4))
        offset += len(parts[-1])
    text = json.dumps(finite({**header, "arrays": listed})).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([struct.pack("<I", len(text)), text, *parts])


def finite(value: Any) -> Any:
    """JSON without NaN and infinity, which are null."""
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_bytes(content: bytes) -> Array:
    """The bytes of a file as an array for `packed`."""
    return np.frombuffer(content, "uint8")
