"""PyTorch's public names, recorded by recorded/make_torch_names.py, and docs/pytorch_names.md, which has ours."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from support import RECORDED

PAGE = Path(__file__).parent.parent / "docs" / "pytorch_names.md"
NAMES = json.loads((RECORDED / "torch_names.json").read_text())
MODULES = [key for key in NAMES if key != "torch"]
OURS = {"nn.functional": "functional"}


def section(key):
    """The names of a section of the page: those that are there, and the rows (names, reason) of those that are not."""
    text = re.split(r"^## torch\.", PAGE.read_text(), flags=re.M)
    body = next(part for part in text if part.startswith(f"{key}\n"))
    listed, _, table = body.partition("| not there |")
    there = re.findall(r"`(\w+)`", listed.partition(":\n")[2])
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    return there, [(re.findall(r"`(\w+)`", names), reason.strip()) for names, reason in rows]


def ours(key):
    return import_module(f"fastnn.{OURS.get(key, key)}")


@pytest.mark.parametrize("key", MODULES)
def test_every_name_of_torch_is_on_the_page_once(key):
    there, rows = section(key)
    listed = [*there, *(name for names, _ in rows for name in names)]
    assert sorted(listed) == NAMES[key]
    assert all(len(reason) > 10 for _, reason in rows)


@pytest.mark.parametrize("key", MODULES)
def test_names_that_are_there_are_there(key):
    there, _ = section(key)
    assert not [name for name in there if name not in ours(key).__all__]


@pytest.mark.parametrize("key", MODULES)
def test_no_name_that_is_there_is_listed_as_missing(key):
    _, rows = section(key)
    assert not [name for names, _ in rows for name in names if name in ours(key).__all__]


@pytest.mark.parametrize("key", MODULES)
def test_the_page_counts_right(key):
    there, _ = section(key)
    assert f"{len(there)} of {len(NAMES[key])}:" in PAGE.read_text()


def test_the_page_says_which_torch():
    assert f"PyTorch {NAMES['torch'].rpartition('.')[0]}" in PAGE.read_text()
