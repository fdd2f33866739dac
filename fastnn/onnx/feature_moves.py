"""Operators that select, move and join features, and the lookup in a table: handlers of `importing`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import nn
from .._validation import Array
from .graph import Node
from .importing import Importer, Step, handles, through
from .operator_layers import given, needed, source_of
from .specs import Layer, Table


@handles("Gather")
def _gather(m: Importer, node: Node, place: int) -> Step:
    axis, table = int(node.get("axis", 0)), m.graph.constant(node.inputs[0])
    if table is not None:
        codes = _codes(m, node.inputs[1])
        if axis not in (0, -table.ndim) or table.ndim not in (1, 2):
            m.fail(f"it looks up along axis {axis} of a table of {table.ndim} axes")
        return through(codes, Table(table.reshape(table.shape[0], -1)))
    source, chosen = node.inputs[0], needed(m, node, 1)
    axis = m.axis(source, axis)
    return m.columns(m.graph.resolve(source), _taken(m, source, chosen, axis))


def _taken(m: Importer, source: str, chosen: Array, axis: int) -> Array:
    places = m.places(source)
    if chosen.size * places.size > 16 * m.most:
        m.fail("it selects too many features")
    try:
        return np.take(places, chosen.astype("int64"), axis=axis - m.lead)
    except IndexError:
        return m.fail("it selects a feature that is not there")


def _codes(m: Importer, name: str) -> str:
    """The value of codes, before their conversion to integers."""
    node = m.graph.maker(name, "Cast")
    return m.graph.resolve(name if node is None else node.inputs[0])


@handles("Concat")
def _concat(m: Importer, node: Node, place: int) -> Step:
    sources = [source_of(m, node, i) for i in range(len(node.inputs))]
    axis = m.axis(node.inputs[0], int(node.get("axis", 1)))
    parts, start = [], 0
    for name in node.inputs:
        parts.append(m.places(name) + start)
        start += m.features(name)
    try:
        order = np.concatenate(parts, axis=axis - m.lead).reshape(-1)
    except ValueError:
        m.fail("its inputs do not fit together")
    if (order == np.arange(start)).all():
        return Step("concat", tuple(sources)) if len(sources) > 1 else through(sources[0])
    joined = m.virtual(sources[0], Step("concat", tuple(sources)))
    return through(joined, Layer(nn.Columns, {"columns": order.tolist()}))


@handles("Slice")
def _slice(m: Importer, node: Node, place: int) -> Step:
    source = node.inputs[0]
    if "starts" in node.attributes:
        lists = [node.get(key, None) for key in ("starts", "ends", "axes")]
    else:
        lists = [None if (v := given(m, node, i)) is None else v.ravel().tolist() for i in (1, 2, 3)]
    starts, ends, axes = lists
    stated = given(m, node, 4)
    steps = [1] * len(starts or ()) if stated is None else stated.ravel().tolist()
    if starts is None or ends is None or not len(starts) == len(ends) == len(steps):
        m.fail("it has no starts and ends that fit")
    rank, places = len(m.shape(source)), m.places(source)
    index: list[Any] = [slice(None)] * places.ndim
    for i, (start, end, step) in enumerate(zip(starts, ends, steps, strict=True)):
        axis = (i if axes is None else int(axes[i])) % max(rank, 1)
        if axis < m.lead:
            if start or end < (1 << 31) - 1 or step != 1:
                m.fail("it selects rows")
            continue
        length = places.shape[axis - m.lead]
        index[axis - m.lead] = slice(
            start, None if step < 0 and end < -length else end, step or m.fail("it has step 0")
        )
    return m.columns(source_of(m, node), places[tuple(index)])


@handles("Split")
def _split(m: Importer, node: Node, place: int) -> Step:
    source = node.inputs[0]
    axis = m.axis(source, int(node.get("axis", 0)))
    places, stated = m.places(source), given(m, node, 1)
    sizes = list(node.get("split", [])) if stated is None else stated.ravel().tolist()
    length, count = places.shape[axis - m.lead], len(node.outputs)
    if not sizes:
        each = -(-length // count)
        sizes = [min(each, length - i * each) for i in range(count)]
    if len(sizes) != count or sum(sizes) != length or min(sizes) < 0:
        m.fail(f"it splits {length} features into {sizes!r:.40}")
    start = sum(sizes[:place])
    taken = np.take(places, np.arange(start, start + sizes[place]), axis=axis - m.lead)
    return m.columns(source_of(m, node), taken)


@handles("Transpose")
def _transpose(m: Importer, node: Node, place: int) -> Step:
    places = m.places(node.inputs[0])
    perm = [int(axis) for axis in node.get("perm", [])]
    if perm[: m.lead] != list(range(m.lead)) or len(perm) != m.lead + places.ndim:
        m.fail("it moves rows")
    return m.columns(source_of(m, node), places.transpose([axis - m.lead for axis in perm[m.lead :]]))


@handles("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def _reshape(m: Importer, node: Node, place: int) -> Step:
    before, after = m.shape(node.inputs[0]), m.graph.shapes.get(node.outputs[0])
    m.fail(f"it makes {after} of {before}, other rows")
