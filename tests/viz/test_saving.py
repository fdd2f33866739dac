"""Files of pictures: each format, the same bytes twice, and messages."""

import subprocess
import sys

import pytest

pytest.importorskip("matplotlib")

import numpy as np
from PIL import Image

from fastnn import viz


def picture():
    return viz.softmax_temperature([2.0, 1.0, 0.0], (1.0,))


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "jpg", "html"])
def test_formats(ending, tmp_path):
    viz.save(picture(), tmp_path / f"a.{ending}")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "jpg": b"\xff\xd8", "html": b"<!DOCTYPE html>"}[ending]
    assert (tmp_path / f"a.{ending}").read_bytes().startswith(start)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_bytes_again(ending, tmp_path):
    for name in ("a", "b"):
        viz.save(picture(), f"{tmp_path}/{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_size_and_background(tmp_path):
    with viz.style("dark"):
        drawn = picture()
    viz.save((drawn, {}), tmp_path / "a.png", dpi=100)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == tuple((drawn.figure.get_size_inches() * 100).astype(int))
        assert image.convert("RGB").getpixel((1, 1)) == (0x14, 0x17, 0x1C)
        assert len(np.unique(np.asarray(image.convert("L")))) > 20


def test_a_page_has_a_title_and_no_link(tmp_path):
    viz.save(picture(), tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    assert "<title>T = 1: entropy 0.832</title>" in text and "<svg" in text and "<script" not in text


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match=r"path must end with .png, .svg, .pdf, .jpg, .html for a figure, got"):
        viz.save(picture(), tmp_path / "a.gif")
    with pytest.raises(TypeError, match="picture must be an Axes, a Figure or an animation, got list"):
        viz.save([], tmp_path / "a.png")
    with pytest.raises(FileNotFoundError):
        viz.save(picture(), tmp_path / "missing" / "a.png")


def test_message_without_matplotlib():
    code = "import sys; sys.modules['matplotlib'] = None\nimport fastnn\nfastnn.viz"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'fastnn.viz needs matplotlib, which is not installed: pip install "fastnn-core[viz]"' in ended.stderr


def test_import_is_lazy():
    code = "import sys, fastnn, fastnn.nn\nassert 'matplotlib' not in sys.modules\nfastnn.viz\n"
    code += "assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
