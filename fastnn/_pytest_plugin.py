"""The plug-in of pytest: `pytest --fastnn-backend NAME` runs the cases of all operations against a plugged backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SUITE = Path(__file__).parent / "testing" / "suite.py"


def pytest_addoption(parser: Any) -> None:
    """Add the option."""
    text = "check a backend of the entry points fastnn.backends"
    parser.getgroup("fastnn").addoption("--fastnn-backend", metavar="NAME", default=None, help=text)


def pytest_configure(config: Any) -> None:
    """With the option, and no paths given, collect the suite of backends instead of the tests of the folder."""
    if config.getoption("--fastnn-backend") is not None:
        config.args[:] = [str(SUITE)]
