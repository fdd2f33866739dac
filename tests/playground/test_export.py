"""What is taken away: code that gives the same weights, and files that give the same outputs."""

import re
import subprocess
import sys

import numpy as np
import pytest

import fastnn
from fastnn.playground.choices import ACTIVATIONS, LOSSES, NORMS, OPTIMIZERS, SCHEDULES
from fastnn.playground.export import FORMATS, export, python
from fastnn.playground.presets import PRESETS
from fastnn.playground.refusal import Refusal
from fastnn.playground.session import Session
from fastnn.playground.settings import from_json

SMALL = {"data": {"points": 60}, "layers": [{"units": 4}, {"units": 3}]}
NUMBERS = {"data": {"kind": "hills", "points": 60}, "layers": [{"units": 4}]}


def hash_of(code, capsys):
    exec(compile(code, "playground.py", "exec"), {"__name__": "__main__"})
    return re.search(r"^weights: (\w+)$", capsys.readouterr().out, flags=re.M).group(1)


def check(settings, capsys, epochs=4):
    session = Session(settings)
    session.train(epochs)
    assert hash_of(python(session), capsys) == session.hash()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_code_of_every_optimizer(kind, capsys):
    check(from_json({**SMALL, "optimizer": {"kind": kind}}), capsys)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_code_of_every_schedule(kind, capsys):
    check(from_json({**SMALL, "schedule": {"kind": kind}}), capsys)


@pytest.mark.parametrize("loss", LOSSES)
def test_code_of_every_loss(loss, capsys):
    check(from_json({**(SMALL if LOSSES[loss] == "classification" else NUMBERS), "loss": loss, "l1": 0.01}), capsys)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_code_of_every_activation(activation, capsys):
    check(from_json({**SMALL, "layers": [{"units": 4, "activation": activation, "dropout": 0.25}]}), capsys)


@pytest.mark.parametrize("norm", NORMS)
def test_code_of_every_norm(norm, capsys):
    check(from_json({**SMALL, "layers": [{"units": 4, "norm": norm}, {"units": 4, "norm": norm}], "l2": 0.1}), capsys)


@pytest.mark.parametrize("preset", PRESETS)
def test_code_of_every_preset(preset, capsys):
    check(from_json(PRESETS[preset]), capsys, epochs=150 if preset == "explodes" else 4)


def test_code_of_changes_while_training(capsys):
    session = Session(from_json(SMALL))
    adam = {"kind": "Adam", "numbers": {"lr": 0.05}}
    changes = [
        {}, {"optimizer": adam}, {"optimizer": adam, "batch_size": 0}, {"optimizer": {"kind": "SGD"}}, {},
        {"optimizer": adam, "schedule": {"kind": "StepLR"}}, {"l2": 0.1}, {"loss": "SoftmaxFocalLoss", "l2": 0.1},
    ]  # fmt: skip
    for change in changes:
        session.change(from_json({**SMALL, **change}))
        session.train(2)
    assert session.epoch == 2 * len(changes)
    session.change(from_json({**SMALL, "batch_size": 5}))  # not trained with
    code = python(session)
    assert code.count("trainer.fit(") == len(changes) and "optimizer.lr = 0.05" in code
    assert hash_of(code, capsys) == session.hash()


def test_code_before_training(capsys):
    session = Session(from_json(SMALL))
    assert hash_of(python(session), capsys) == session.hash()


def own(labels):
    rows = [[i / 3, i * i % 7, label] for i, label in zip(range(40), labels * 40, strict=False)]
    return {
        "data": {"kind": "own", "table": {"columns": ["w\n", 'h"""', "x = 1"], "rows": rows}},
        "layers": [{"units": 3}],
    }


# Names in a file are data: none of them may become code.
HOSTILE = ["a", '"""', "\n__import__('os').abort()", "'); raise SystemExit #"]


@pytest.mark.parametrize(
    "given",
    [SMALL, own(HOSTILE), {**own([i / 7 for i in range(40)]), "loss": "HuberLoss"}],
    ids=["spirals", "own", "numbers"],
)
def test_the_file_runs_as_a_program(given, tmp_path):
    session = Session(from_json(given))
    session.train(5)
    path = tmp_path / "playground.py"
    path.write_bytes(export(session, "python").content)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120, check=True)
    assert f"weights: {session.hash()}\n" in done.stdout
    assert not done.stderr


@pytest.fixture
def session():
    session = Session(from_json({**SMALL, "layers": [{"units": 4, "norm": "BatchNorm1d", "activation": "ReLU"}]}))
    session.train(5)
    return session


def test_safetensors(session):
    file = export(session, "safetensors")
    X = session.points.X_test
    assert np.array_equal(fastnn.load(file.content).predict(X), session.net.predict(X))


def test_onnx(session):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    X = session.points.X_test
    model = runtime.InferenceSession(export(session, "onnx").content)
    (found,) = model.run(None, {model.get_inputs()[0].name: X})
    assert np.allclose(found, session.net.predict(X), atol=1e-5)


def test_onnx_without_its_package(session, monkeypatch):
    monkeypatch.setattr("fastnn.playground.export.has_onnx", lambda: False)
    with pytest.raises(Refusal, match=r'pip install "fastnn-core\[onnx\]"'):
        export(session, "onnx")


def test_c(session, tmp_path):
    (tmp_path / "playground.c").write_bytes(export(session, "c").content)
    command = ["cc", "-std=c99", "-DPLAYGROUND_SELF_TEST", "playground.c", "-o", "test", "-lm"]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=60)
    assert subprocess.run([tmp_path / "test"], timeout=60).returncode == 0


@pytest.mark.parametrize("what", ["exe", "", None, 3, ["c"]])
def test_other_formats_are_refused(session, what):
    with pytest.raises(Refusal, match="format must be one of python, safetensors, onnx, c"):
        export(session, what)
    assert list(FORMATS) == ["python", "safetensors", "onnx", "c"]
