"""Test vectors for other languages: the cases of operations, and a training run, as files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn, optim
from .._validation import Array, check_seed
from ..data import make_moons
from ..training import Trainer
from .backend import DTYPES
from .runs import Case, cases_of, operations, truth_of

FORMAT, VERSION = "fastnn-vectors", 1
EPOCHS, BATCH, SAMPLES = 3, 16, 64


def write_vectors(folder: str | os.PathLike[str], ops: Iterable[str] | None = None, seed: int = 0) -> list[Path]:
    """Write the cases of operations as one .npz file each, with an index.json that describes them.

    Parameters
    ----------
    folder : str or path-like
        Is made if it is not there; files of the same names are overwritten.
    ops : iterable of str, optional
        Names of operations, by default all.
    seed : int, default 0
        Of the arguments.

    Returns
    -------
    paths : list of Path

    Raises
    ------
    ValueError
        If there is no operation of a name.
    OSError
        If a file cannot be written.

    Notes
    -----
    `docs/testing.md` has the schema. Options that are functions of Python are left out.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from fastnn.testing import write_vectors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = write_vectors(folder, ops=["relu"])
    ...     index = json.loads(pathlib.Path(folder, "index.json").read_text())
    >>> [path.name for path in paths], index["operations"]["relu"]["cases"][1]["arguments"]
    (['relu.npz', 'trajectory.npz', 'index.json'], ['1/arg0'])
    """
    chosen, target = operations(ops, lambda name: True), Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    index: dict[str, Any] = {"format": FORMAT, "version": VERSION, "seed": check_seed(seed), "operations": {}}
    paths: list[Path] = []
    for name in dict.fromkeys(op.name for op in chosen):
        arrays: dict[str, Array] = {}
        cases: list[dict[str, Any]] = []
        for op in chosen:
            if op.name == name:
                for case in cases_of(op, DTYPES, seed):
                    _add(case, cases, arrays)
        path = target / f"{name}.npz"
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
        index["operations"][name] = {"file": path.name, "cases": cases}
        paths.append(path)
    run, values = trajectory(seed)
    np.savez_compressed(target / "trajectory.npz", **values)  # type: ignore[arg-type]
    index["trajectory"] = run | {"file": "trajectory.npz"}
    (target / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    return [*paths, target / "trajectory.npz", target / "index.json"]


def _add(case: Case, cases: list[dict[str, Any]], arrays: dict[str, Array]) -> None:
    """Add a case; its arrays are named by the number of the case."""
    call = case.call
    if any(callable(value) for value in (*call.args, *call.kwargs.values())):
        return
    number = len(cases)
    entry: dict[str, Any] = {
        "dtype": case.dtype, "variant": case.variant, "kind": case.op.kind, "arguments": [], "keywords": {},
        "results": [], "allowed_ulp": case.op.tolerance[np.dtype(case.dtype)],
    }  # fmt: skip
    for i, value in enumerate(call.args):
        entry["arguments"].append(_stored(value, f"{number}/arg{i}", arrays))
    for name, value in call.kwargs.items():
        entry["keywords"][name] = _stored(value, f"{number}/{name}", arrays)
    for i, (value, _) in enumerate(truth_of(case.op, call)):
        plain = np.asarray(value, "float64" if value.dtype.kind == "f" else value.dtype)
        entry["results"].append(_stored(plain, f"{number}/result{i}", arrays))
    cases.append(entry)


def _stored(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """What stands for a value in the index: the name of an array, or the value itself as {"value": ...}."""
    if isinstance(value, np.ndarray):
        arrays[name] = np.ascontiguousarray(value)
        return name
    value = value.item() if isinstance(value, np.generic) else value
    finite = not isinstance(value, float) or np.isfinite(value)
    return {"value": value if finite else str(value)}


def trajectory(seed: int = 0) -> tuple[dict[str, Any], dict[str, Array]]:
    """A whole training run as a test vector.

    2-8-2 with tanh and CrossEntropyLoss, Adam with lr 0.01 (PyTorch's arithmetic), 3 epochs of 4 batches of 16 rows of
    two moons, in a stored order; in float64 and in float32.

    Parameters
    ----------
    seed : int, default 0

    Returns
    -------
    run : dict
        Architecture, settings, and for each dtype the SHA-256 of all weights at the end, in the order of the names, as
        little-endian bytes.
    arrays : dict of ndarray
        x, y, order (one row an epoch); by dtype initial and final weights, and the loss of each step.

    Examples
    --------
    >>> from fastnn.testing import trajectory
    >>> run, arrays = trajectory()
    >>> run["layers"], arrays["float64/losses"].shape
    (['Linear(2, 8)', 'Tanh', 'Linear(8, 2)'], (12,))
    """
    seed = check_seed(seed)
    x, y = make_moons(SAMPLES, noise=0.1, seed=seed)
    x, rng = np.asarray(x, "float64"), np.random.default_rng(seed)
    order = np.stack([rng.permutation(SAMPLES) for _ in range(EPOCHS)])
    arrays: dict[str, Array] = {"x": x, "y": y, "order": order}
    hashes: dict[str, str] = {}
    for dtype in DTYPES:
        net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=seed, dtype=dtype)
        trainer = Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01))
        arrays |= {f"{dtype}/initial/{name}": value for name, value in net.state_dict().items()}
        batches = [rows[i : i + BATCH] for rows in order for i in range(0, SAMPLES, BATCH)]
        losses = [trainer.step(x[rows].astype(dtype), y[rows]) for rows in batches]
        arrays[f"{dtype}/losses"] = np.array(losses)
        arrays |= {f"{dtype}/final/{name}": value for name, value in net.state_dict().items()}
        data = b"".join(value.astype(value.dtype.newbyteorder("<")).tobytes() for value in net.state_dict().values())
        hashes[dtype] = hashlib.sha256(data).hexdigest()
    run = {
        "layers": ["Linear(2, 8)", "Tanh", "Linear(8, 2)"], "loss": "CrossEntropyLoss", "seed": seed,
        "optimizer": {"name": "Adam", "lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8}, "batch_size": BATCH,
        "epochs": EPOCHS, "sha256": hashes,
    }  # fmt: skip
    return run, arrays
