"""PyTorch's and JAX's functions agree with the reference, but for differences that are explained."""

import pytest

from fastnn.testing import check_backend, jax_functions, torch_functions
from fastnn.testing.adapters import EXPLAINED


def assert_agrees(functions, explained, least):
    report = check_backend(functions, explained=explained)
    assert report.passed, str(report)
    assert len(report.results) >= least
    stale = [result.operation for result in report.results if result.explained and not result.failed]
    assert not stale, f"{stale} agree: they need no explanation"


@pytest.mark.filterwarnings("ignore:reduction")
def test_torch():
    pytest.importorskip("torch")
    assert_agrees(torch_functions(), EXPLAINED["torch"], 40)


def test_jax():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        assert_agrees(jax_functions(), EXPLAINED["jax"], 24)
    finally:
        jax.config.update("jax_enable_x64", before)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ImportError, match="torch_functions needs PyTorch, which is not installed"):
        torch_functions()
