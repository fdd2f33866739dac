"""Trees of parameters as Flax and Optax have them: nested dicts of JAX arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from .. import nn
from .._frames import errors_of_use
from ..nn.state import LoadedKeys

# The names of values in Flax, by class: (collection, name); others keep theirs, in "params".
VALUES: dict[type[nn.Module], dict[str, tuple[str, str]]] = {
    nn.Linear: {"weight": ("params", "kernel")},
    nn.LayerNorm: {"weight": ("params", "scale")},
    nn.RMSNorm: {"weight": ("params", "scale")},
    nn.Embedding: {"weight": ("params", "embedding")},
    nn.PReLU: {"weight": ("params", "negative_slope")},
    nn.BatchNorm1d: {
        "weight": ("params", "scale"),
        "running_mean": ("batch_stats", "mean"),
        "running_var": ("batch_stats", "var"),
    },
}
# The names of classes in Flax, where layers of a compact module are counted by class: Dense_0, Dense_1.
CLASSES: dict[type[nn.Module], str] = {nn.Linear: "Dense", nn.BatchNorm1d: "BatchNorm", nn.Embedding: "Embed"}


@errors_of_use
def to_tree(net: nn.Module, naming: str = "sequential") -> dict[str, Any]:
    """The parameters of a network as a tree, with the names of Flax: kernel, bias, scale, embedding.

    Parameters
    ----------
    net : Module
    naming : {"sequential", "compact", "fastnn"}, default "sequential"
        The names of layers: those of `flax.linen.Sequential`, layers_0, layers_2; those of a compact module, which
        counts layers by class, Dense_0, Dense_1; or those here, 0 and 2.

    Returns
    -------
    variables : dict
        {"params": tree}, and {"batch_stats": tree} if there are running statistics: what `module.apply` of Flax takes.
        Leaves are JAX arrays, and copies; kernels are (in, out), as here. `tree["params"]` is what Optax takes.

    Raises
    ------
    ValueError
        If naming is none of these.

    Examples
    --------
    >>> import fastnn.jax
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), seed=0)
    >>> tree = fastnn.jax.to_tree(net)
    >>> {name: {key: value.shape for key, value in layer.items()} for name, layer in tree["params"].items()}
    {'layers_0': {'kernel': (2, 3), 'bias': (3,)}, 'layers_2': {'kernel': (3, 1), 'bias': (1,)}}
    """
    tree: dict[str, Any] = {"params": {}}
    for path, array in _leaves(net, naming):
        node = tree
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = jax.numpy.array(array, copy=True)
    return tree


@errors_of_use
def from_tree(net: nn.Module, tree: Any, strict: bool = True) -> LoadedKeys:
    """Copy a tree of parameters into a network.

    Parameters
    ----------
    net : Module
    tree : dict
        As `to_tree` returns, with any of its namings; or its "params" alone. Leaves are arrays of JAX or NumPy.
    strict : bool, default True
        Whether missing and unexpected names are errors. Of bare "params", running statistics may be missing.

    Returns
    -------
    keys : LoadedKeys
        (missing_keys, unexpected_keys): paths in the tree, joined by "/".

    Raises
    ------
    TypeError, ValueError
        If a name, a shape or a dtype does not fit. Everything that does not is named, and nothing is changed.

    Examples
    --------
    >>> import fastnn.jax
    >>> import jax
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(1, 1), seed=0)
    >>> tree = {"Dense_0": {"kernel": jax.numpy.ones((1, 1)), "bias": jax.numpy.zeros(1)}}
    >>> fastnn.jax.from_tree(net, tree)
    LoadedKeys(missing_keys=[], unexpected_keys=[])
    >>> net[0].weight.tolist()
    [[1.0]]
    """
    if not isinstance(tree, Mapping):
        raise TypeError(f"tree must be a dict of arrays, or of such dicts, got {type(tree).__name__}")
    given = dict(_flat(tree if "params" in tree else {"params": tree}))
    candidates = [
        {"/".join(path): array for path, array in _leaves(net, name)} for name in ("sequential", "compact", "fastnn")
    ]
    mine = max(candidates, key=lambda names: len(names.keys() & given.keys()))
    keys = LoadedKeys(
        [name for name in mine if name not in given and not (name.startswith("batch_stats/") and "params" not in tree)],
        [name for name in given if name not in mine],
    )
    problems = [f"{word} {names}" for word, names in zip(("missing", "unexpected"), keys, strict=True) if names]
    problems = problems if strict else []
    known = {name: np.asarray(value) for name, value in given.items() if name in mine}
    for name, array in known.items():
        if array.shape != mine[name].shape or array.dtype != mine[name].dtype:
            here = f"{mine[name].dtype} {mine[name].shape}"
            problems.append(f"{name} is {array.dtype} {array.shape}, in this network {here}")
    if problems:
        raise ValueError(f"tree does not fit this network: {'; '.join(problems)}")
    for name, array in known.items():
        mine[name][...] = array
    return keys


def _leaves(net: nn.Module, naming: str) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """The path of each parameter and running statistic in a tree, and a view of its values."""
    if naming not in ("sequential", "compact", "fastnn"):
        raise ValueError(f"naming must be 'sequential', 'compact' or 'fastnn', got {naming!r:.40}")
    counts: Counter[str] = Counter()
    for name, layer in net.named_modules():
        if not layer.state_shapes():
            continue
        kind = CLASSES.get(type(layer), type(layer).__name__)
        path = _path(name, naming) if naming != "compact" else (f"{kind}_{counts[kind]}",)
        counts[kind] += 1
        names = VALUES.get(type(layer), {})
        for key in layer.parameter_shapes():
            collection, own = names.get(key, ("params", key))
            yield (collection, *path, own), layer[key]
        for key in layer.buffers():
            if key in names:  # not the number of batches, which Flax does not have
                collection, own = names[key]
                yield (collection, *path, own), layer.buffer(key)


def _path(name: str, naming: str) -> tuple[str, ...]:
    parts = name.split(".") if name else []
    return tuple(f"layers_{part}" if part.isdecimal() and naming == "sequential" else part for part in parts)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree, by their paths, joined by "/"."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", value
