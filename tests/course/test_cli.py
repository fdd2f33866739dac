"""The command `fastnn course`."""

import json
import sys

import pytest

pytest.importorskip("matplotlib")

from fastnn import cli
from fastnn.course import chapters


def test_list(capsys):
    assert cli.main(["course"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["1", "linear_layers", "Linear", "layers", "stay", "linear"]
    assert len([line for line in out if line[:3].strip().isdigit()]) == len(chapters())


def test_a_chapter_by_its_number(tmp_path, capsys):
    assert cli.main(["course", "3", "--save", str(tmp_path), "--dark"]) == 0
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["c03_activations_1.png", "c03_activations_2.png"]
    assert "sigmoid      steepest slope 0.25" in capsys.readouterr().out


def test_notebooks(tmp_path):
    assert cli.main(["course", "--notebooks", str(tmp_path / "books")]) == 0
    books = sorted((tmp_path / "books").iterdir())
    assert len(books) == len(chapters())
    assert json.loads(books[0].read_text())["cells"][0]["cell_type"] == "markdown"
    assert cli.main(["course", "width", "--notebooks", str(tmp_path / "one")]) == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["c02_width.ipynb"]


def test_wrong_use(capsys, monkeypatch):
    assert cli.main(["course", "99"]) == 1
    assert "fastnn: there is no chapter '99'" in capsys.readouterr().err


def test_without_matplotlib(capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("fastnn.viz")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delattr("fastnn.viz", raising=False)
    assert cli.main(["course", "1"]) == 1
    assert 'pip install "fastnn-core[viz]"' in capsys.readouterr().err
