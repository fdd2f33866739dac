"""The Python in the documentation runs, block after block."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
GENERATED = {"generated", "gallery"}  # by `make docs`
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if page.relative_to(DOCS).parts[0] not in GENERATED]
WITHOUT_CODE = {"pytorch_names", "releasing", "changelog", "benchmarks/measuring", "benchmarks/results", "api/index"}


def name_of(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_of_a_page_run(page, capsys):
    if page.stem in ("onnx", "coming_from_sklearn"):
        pytest.importorskip("onnx.helper", exc_type=ImportError)
    if page.stem == "viz":
        pytest.importorskip("matplotlib")
    if page.stem in ("onnx", "coming_from_sklearn", "tabular"):
        pytest.importorskip("sklearn", minversion="1.9")
    if page.stem in ("onnx", "tabular"):
        pytest.importorskip("pandas")
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.S)
    assert blocks or name_of(page) in WITHOUT_CODE
    namespace = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), namespace)


def test_every_test_and_target_that_the_promises_name_exists():
    text, here = (DOCS / "reliability.md").read_text(), Path(__file__).parent
    named = re.findall(r"`tests/([\w/]+\.py)::(\w+)`", text)
    assert len(named) > 20
    for file, name in named:
        assert re.search(rf"^(def {name}\(|class {name}\b|{name} = )", (here / file).read_text(), flags=re.M), name
    makefile = (here.parent / "Makefile").read_text()
    for target in set(re.findall(r"`make ([\w-]+)`", text)):
        assert re.search(rf"^{target}:", makefile, flags=re.M), target
