"""Kernels, steps of training and calls take no more instructions than they did.

How they are counted is said in support/instructions.py. Counts repeat within 1 %; GCC 12, 13 and 14 differ by up to 6 %
in kernels and 3 % in steps, clang by a factor of 4.
"""

import json
import re
import shutil
import sys

import pytest

from fastnn._core import dispatch
from support import instructions

TOLERANCE = {"element": 0.10, "row": 0.10, "step": 0.05, "call": 0.05}
ALIKE = r"GCC 1[234]\."

BASELINE = json.loads(instructions.BASELINE.read_text())
CASES = instructions.cases()


@pytest.fixture(scope="module")
def counts():
    """Counted once for all cases, or not at all."""
    if shutil.which("valgrind") is None:
        pytest.skip("counting instructions takes valgrind")
    if instructions.ISA not in dispatch.available_isas():
        pytest.skip(f"instructions are counted for {instructions.ISA}, which is not available here")
    here, there = instructions.compiler(), BASELINE["compiler"]
    if here != there and not (re.match(ALIKE, here) and re.match(ALIKE, there)):
        pytest.skip(f"the kernels are compiled by {here}, those of the baseline by {there}")
    return instructions.count()


def test_the_baseline_is_of_these_cases():
    assert BASELINE["instructions"].keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_no_more_instructions_than_before(name, counts, capsys):
    unit = CASES[name].unit
    if unit == "call" and sys.version != BASELINE["python"]:
        pytest.skip(f"a call depends on the interpreter: this is {sys.version}, the baseline's {BASELINE['python']}")
    before, now, tolerance = BASELINE["instructions"][name], counts[name], TOLERANCE[unit]
    change = f"{name}: {now:g} instructions for each {unit}, {now / before - 1:+.0%} from {before:g}"
    assert now <= before * (1 + tolerance), f"{change}; if they are worth it, run make instructions"
    if now < before * (1 - tolerance):
        with capsys.disabled():
            print(f"\n{change}; run make instructions to keep it so")
