"""Backends of other packages: found by entry points, used by `use_backend`, and tested by the plug-in of pytest."""

import os
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn
from fastnn.optim import functional as optim


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a backend, as pip would install it."""
    (tmp_path / "toy.py").write_text(
        textwrap.dedent(
            """
            import numpy as np

            calls = []

            def relu(x, **_):
                calls.append("relu")
                return np.where(x > 0, x, np.where(np.isnan(x), x, 0)).astype(x.dtype)

            def tanh(x):
                return np.tanh(x) + np.float32(1e-3)

            def sgd_step(param, grad, buf=None, **options):
                calls.append("sgd_step")
                param -= options["lr"] * grad
            """
        )
    )
    info = tmp_path / "toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fastnn.backends]\ntoy = toy\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("toy", None)


def test_operations_go_to_the_plugged_module(package):
    x = np.array([-1.0, 2.0, np.nan], "float32")
    with fastnn.use_backend("toy"):
        assert fastnn.get_backend() == "toy"
        np.testing.assert_array_equal(F.relu(x), [0, 2, np.nan])
        param = np.ones(3)
        optim.sgd_step(param, np.ones(3), lr=0.5)
        np.testing.assert_array_equal(param, [0.5] * 3)
        with pytest.raises(NotImplementedError, match="the backend 'toy' has no function 'gelu'"):
            F.gelu(x)
        with fastnn.use_backend("reference"):
            assert fastnn.get_backend() == "reference" and F.gelu(x).shape == (3,)
        net = nn.Sequential(nn.Linear(3, 1), nn.GELU(), seed=0)
        assert net.predict(np.ones((1, 3), "float32")).shape == (1, 1)  # programs: the reference
        assert fastnn.get_backend() == "toy"
    assert fastnn.get_backend() == "native" and F.gelu(x).shape == (3,)
    assert __import__("toy").calls == ["relu", "sgd_step"]


def test_an_unknown_backend_is_named(package):
    with pytest.raises(ValueError, match="backend must be one of 'native', 'reference', 'toy', got 'tox'"):
        fastnn.use_backend("tox")
    assert fastnn.get_backend() == "native"


def test_the_plug_in_runs_a_test_for_each_operation(package, tmp_path):
    code = "import sys, pytest; sys.path.insert(0, sys.argv[1]); sys.exit(pytest.main(sys.argv[2:]))"
    plugin = ["-p", "fastnn._pytest_plugin"]
    installed = any(point.name == "fastnn" for point in entry_points(group="pytest11"))
    more = [] if installed else plugin
    path = os.pathsep.join([str(Path(fastnn.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code, str(package), *more, "--fastnn-backend", "toy", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert "2 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "test_operation[tanh]" in done.stdout and "ULP off" in done.stdout
