"""Test vectors: files that another language can read, and a training run by hand."""

import hashlib
import json

import numpy as np
import pytest

from fastnn import reference
from fastnn.cli import main
from fastnn.testing import trajectory, write_vectors


def value_of(entry, arrays):
    if isinstance(entry, str):
        return arrays[entry]
    value = entry["value"]
    return float(value) if value in ("inf", "-inf", "nan") else value


def test_files_have_the_calls_and_the_truth(tmp_path, capsys):
    assert main(["vectors", str(tmp_path), "--ops", "leaky_relu", "mse_loss", "adam_step"]) == 0
    assert "5 files" in capsys.readouterr().out
    index = json.loads((tmp_path / "index.json").read_text())
    assert (index["format"], index["version"]) == ("fastnn-vectors", 1)
    for name, operation in index["operations"].items():
        arrays = np.load(tmp_path / operation["file"])
        assert len(operation["cases"]) > 20
        for case in operation["cases"]:
            args = [value_of(entry, arrays) for entry in case["arguments"]]
            keywords = {key: value_of(entry, arrays) for key, entry in case["keywords"].items()}
            args = [a.astype("float64") if isinstance(a, np.ndarray) else a for a in args]
            with np.errstate(all="ignore"):
                if case["kind"] == "update":
                    for step in (1, 2, 3):
                        reference.adam_step(*args, step=step, **keywords)
                    found = [a for a in args if isinstance(a, np.ndarray)]
                else:
                    found = [getattr(reference, name)(*args, **keywords)]
            for a, b in zip(found, case["results"], strict=True):
                np.testing.assert_allclose(a, arrays[b], rtol=1e-6, atol=1e-12)


def test_the_trajectory_is_that_of_numpy_by_hand():
    run, a = trajectory(3)
    w1, b1, w2, b2 = (a[f"float64/initial/{n}"].copy() for n in ("0.weight", "0.bias", "2.weight", "2.bias"))
    values, losses = [w1, b1, w2, b2], []
    m, v = ([np.zeros_like(p) for p in values] for _ in range(2))
    step = 0
    for order in a["order"]:
        for i in range(0, len(order), 16):
            x, y = a["x"][order[i : i + 16]], a["y"][order[i : i + 16]]
            h = np.tanh(x @ values[0] + values[1])
            z = h @ values[2] + values[3]
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            losses.append(-np.log(p[np.arange(16), y]).mean())
            g = (p - np.eye(2)[y]) / 16
            gh = g @ values[2].T * (1 - h**2)
            gradients = [x.T @ gh, gh.sum(0), h.T @ g, g.sum(0)]
            step += 1
            for j, gradient in enumerate(gradients):
                m[j] = 0.9 * m[j] + 0.1 * gradient
                v[j] = 0.999 * v[j] + 0.001 * gradient**2
                root = np.sqrt(v[j] / (1 - 0.999**step)) + 1e-8
                values[j] = values[j] - 0.01 * m[j] / (1 - 0.9**step) / root
    np.testing.assert_allclose(a["float64/losses"], losses, rtol=1e-12)
    np.testing.assert_allclose(a["float32/losses"], losses, rtol=1e-5)
    final = [a[f"float64/final/{n}"] for n in ("0.weight", "0.bias", "2.weight", "2.bias")]
    for value, own in zip(final, values, strict=True):
        np.testing.assert_allclose(value, own, rtol=1e-9, atol=1e-12)
    data = b"".join(value.astype("<f8").tobytes() for value in final)
    assert run["sha256"]["float64"] == hashlib.sha256(data).hexdigest()


def test_an_unknown_operation_is_an_error(tmp_path, capsys):
    assert main(["vectors", str(tmp_path), "--ops", "rellu"]) == 1
    assert "there is no operation 'rellu'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="seed"):
        write_vectors(tmp_path, ops=["relu"], seed=-1)
