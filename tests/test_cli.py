"""The command line and the examples, as a person meets them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn
from fastnn import cli

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_demo_trains_and_shows(backend, capsys):
    assert cli.main(["demo", "--backend", backend, "--epochs", "3", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert f"{backend} backend" in out
    assert "64, out_features=128" in out
    accuracy = float(re.search(r"^test accuracy (0\.\d\d)$", out, flags=re.M).group(1))
    assert accuracy > 0.85
    assert re.search(r"a training step of 32 digits: \d+ us compiled, \d+ us with the NumPy reference", out)
    assert fastnn.get_backend() == "native"


def test_demo_by_default_reaches_96_percent(capsys):
    assert cli.main(["demo"]) == 0
    assert float(re.search(r"test accuracy (\S+)", capsys.readouterr().out).group(1)) >= 0.96


def test_info(capsys):
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    for expected in (fastnn.__version__, fastnn.get_isa(), "threads", "OpenMP", "NumPy"):
        assert expected in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: command"),
        (["dance"], "invalid choice: 'dance'"),
        (["demo", "--epochs", "0"], "--epochs: must be an integer of at least 1, got '0'"),
        (["demo", "--seed", "-1"], "--seed: .*"),
        (["demo", "--seed", "x"], "--seed: must be an integer in .*, got 'x'"),
        (["demo", "--backend", "gpu"], "invalid choice: 'gpu'"),
        (["bench", "--threads", "0"], "--threads: must be an integer of at least 1, got '0'"),
        (["bench", "--seconds", "-1"], "--seconds: must be a positive number, got '-1'"),
        (["bench", "--seconds", "inf"], "--seconds: must be a positive number, got 'inf'"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize("words", [(), ("fit was interrupted in epoch 1 of 10",)])
def test_interrupted_demo(capsys, monkeypatch, words):
    def interrupted(*_, **__):
        raise KeyboardInterrupt(*words)

    monkeypatch.setattr(fastnn.Trainer, "fit", interrupted)
    assert cli.main(["demo"]) == 130
    assert capsys.readouterr().err.strip() == (words or ("interrupted",))[0]


@pytest.mark.parametrize("command", [["-m", "fastnn", "--version"], ["-c", "import fastnn.__main__"]])
def test_as_a_module(command):
    result = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    if command[0] == "-m":
        assert (result.returncode, result.stdout.strip()) == (0, f"fastnn {fastnn.__version__}")
    else:
        assert result.returncode == 2


def test_the_first_example_runs():
    result = subprocess.run([sys.executable, str(EXAMPLES / "digits.py")], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_the_script_of_the_readme_is_the_example():
    readme = (EXAMPLES.parent / "README.md").read_text()
    script = re.search(r"```python\n(import fastnn.*?)```", readme, flags=re.S).group(1)
    assert script.strip() in (EXAMPLES / "digits.py").read_text()
