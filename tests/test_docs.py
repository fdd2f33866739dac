"""The Python in the documentation runs, block after block."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn.functional.accuracy import MAX_ULP

DOCS = Path(__file__).parent.parent / "docs"
GENERATED = {"generated", "gallery"}  # by `make docs`
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if page.relative_to(DOCS).parts[0] not in GENERATED]
WITHOUT_CODE = {"pytorch_names", "releasing", "changelog", "benchmarks/measuring", "benchmarks/results", "api/index"}


def name_of(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_of_a_page_run(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where pages write files
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


def test_blocks_of_the_readme_run(capsys, tmp_path, monkeypatch):
    """Those after the first one speak of arrays that are not made there."""
    monkeypatch.chdir(tmp_path)
    first, tour, *others = re.findall(r"```python\n(.*?)```", (DOCS.parent / "README.md").read_text(), flags=re.S)
    assert len(first.strip().splitlines()) == 11 and len(others) == 2
    namespace = {"np": np}
    exec(first, namespace)
    x = np.random.default_rng(0).normal(size=(40, 2))
    np.save("x.npy", np.ones((40, 3)))
    namespace |= {"x": x, "y": x[:, :1], "logits": x, "grad_output": x, "weight": x[:2], "bias": x[2]}
    namespace |= {name: np.zeros((40, 1)) for name in ("param", "exp_avg", "exp_avg_sq")}  # as the gradient there
    namespace |= {"labels": np.arange(40) % 2, "optimizer": namespace["trainer"].optimizer}
    for block in (tour, *others):
        exec(block, namespace)


@pytest.mark.parametrize("page", ["reliability", "numerical_contract"])
def test_every_test_and_target_that_the_promises_name_exists(page):
    text, here = (DOCS / f"{page}.md").read_text(), Path(__file__).parent
    named = re.findall(r"`tests/([\w/]+\.py)::(\w+)`", text)
    assert len(named) > 20
    for file, name in named:
        assert re.search(rf"^(def {name}\(|class {name}\b|{name} = )", (here / file).read_text(), flags=re.M), name
    makefile = (here.parent / "Makefile").read_text()
    for target in set(re.findall(r"`make ([\w-]+)`", text)):
        assert re.search(rf"^{target}:", makefile, flags=re.M), target


def rows_of(text):
    """The cells of each row of a page's tables."""
    return [
        tuple(cell.strip() for cell in line.strip("| ").split("|")) for line in re.findall(r"^ *\|.*\|$", text, re.M)
    ]


@pytest.mark.parametrize("page", ["docs/performance.md", "README.md"])
def test_times_are_those_of_the_last_measurement(page):
    """A row that names measured work has cells of that row in benchmarks/RESULTS.md, and no others."""
    measured = {}
    for name, *cells in rows_of((DOCS.parent / "benchmarks" / "RESULTS.md").read_text()):
        measured.setdefault(name, []).append({cell.removesuffix(" **missed**") for cell in cells})
    shown = [row for row in rows_of((DOCS.parent / page).read_text()) if row[0] in measured and row[0].strip("-: ")]
    assert len(shown) >= 4
    for name, *cells in shown:
        assert any(cells_there.issuperset(cells) for cells_there in measured[name]), name


def test_the_bounds_of_functions_are_those_of_the_tests():
    rows = {row[0]: row[1:3] for row in rows_of((DOCS / "numerical_contract.md").read_text())}
    assert {name: tuple(map(float, rows[name])) for name in MAX_ULP} == MAX_ULP


def test_the_citation_is_of_this_version():
    text = (DOCS / "citing.md").read_text()
    title = re.search(r'^title: "(.*)"$', (DOCS.parent / "CITATION.cff").read_text(), flags=re.M)[1]
    assert text.count(title) == 2
    assert re.findall(r"(?:Version |version = \{)(\d+\.\d+\.\d+)", text) == [fastnn.__version__] * 2


def test_every_page_is_in_the_contents():
    index = (DOCS / "index.md").read_text()
    listed = [
        line for block in re.findall(r"```\{toctree\}\n(.*?)```", index, flags=re.S) for line in block.split("\n")
    ]
    assert {name_of(page) for page in PAGES} - {"index"} <= set(listed)


@pytest.mark.parametrize("page", [*PAGES, DOCS.parent / "README.md"], ids=lambda page: page.stem)
def test_links_of_a_page_are_files_of_the_repository(page):
    """So that pages can be read where the repository is; `make docs-test` follows links of the site."""
    links = re.findall(r"\]\(([^)\s:#]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.S))
    assert [link for link in links if not (page.parent / link).exists()] == []
