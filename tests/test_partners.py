"""Rooms that need another library: nothing imports it before they are used, and without it they say what to install."""

import subprocess
import sys

import pytest

PARTNERS = ("torch", "keras", "jax", "thinc")


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_fastnn_imports_no_partner():
    code = f"""
import sys, fastnn, fastnn.nn, fastnn.optim, fastnn.training, fastnn.callbacks, fastnn.metrics, fastnn.data
print(sorted(set(sys.modules) & set({PARTNERS!r})))
"""
    assert run(code).stdout == "[]\n"


@pytest.mark.parametrize("name", PARTNERS)
@pytest.mark.parametrize("how", ["import fastnn.{0}", "import fastnn; fastnn.{0}"])
def test_without_it_the_extra_is_named(name, how):
    done = run(f"import sys; sys.modules[{name!r}] = None; " + how.format(name))
    assert done.returncode == 1 and f'pip install "fastnn-core[{name}]"' in done.stderr.splitlines()[-1]
