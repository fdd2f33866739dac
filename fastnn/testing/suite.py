"""The suite of a plugged backend: a test for each operation that it has."""

from __future__ import annotations

from typing import Any

import pytest

from .. import _plugged
from .backend import check_backend
from .cases.ops import OPS


def pytest_generate_tests(metafunc: Any) -> None:
    """A test for each operation that the backend has."""
    module = _plugged.load(metafunc.config.getoption("--fastnn-backend"))
    names = list(dict.fromkeys(op.name for op in OPS if hasattr(module, op.name)))
    metafunc.parametrize("name", names)


def test_operation(name: str, request: pytest.FixtureRequest) -> None:
    """The operation agrees with the reference in all cases."""
    report = check_backend(_plugged.load(request.config.getoption("--fastnn-backend")), ops=[name])
    assert report.passed, f"{report}\n\n{report.failures[0].failure.snippet}"  # type: ignore[union-attr]
