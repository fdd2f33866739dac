"""The examples run, and come to what they are there to show."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
RUN_AS_SCRIPTS = {"digits"}  # test_cli.py

# What `main` returns, by example: every one needs an expectation.
EXPECTED = {
    "policy_gradient": lambda r: r["first"] < 40 and r["last"] > 150,
    "spiral": lambda r: r["linear"] < 0.75 and r["deep"] > 0.97,
}


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_has_an_expectation():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(EXPECTED) | RUN_AS_SCRIPTS


@pytest.mark.parametrize("name", EXPECTED)
def test_example(name, capsys):
    result = load(name).main()
    assert EXPECTED[name](result), result
    assert capsys.readouterr().out
