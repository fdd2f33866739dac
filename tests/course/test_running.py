"""Running a chapter: its pictures as files, its prose, and what is left alone."""

import pytest

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from PIL import Image

from fastnn.course import Chapter, run

SCRIPT = """\
# %% [markdown]
# # 1. A title
#
# A paragraph that is
# two lines.
#
#     y = 2 x

# %%
import matplotlib.pyplot as plt

plt.figure()
plt.plot([1, 2])
plt.figure()
numbers = {"a": 1}
"""


@pytest.fixture
def chapter(tmp_path):
    path = tmp_path / "c01_title.py"
    path.write_text(SCRIPT)
    return Chapter(1, "title", path)


def test_pictures_are_written_and_closed(chapter, tmp_path, capsys):
    own = pyplot.figure()
    assert run(chapter, folder=tmp_path / "new") == {"a": 1}
    assert pyplot.get_fignums() == [own.number]
    pyplot.close(own)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["c01_title_1.png", "c01_title_2.png"]
    with Image.open(tmp_path / "new" / "c01_title_1.png") as image:
        assert image.format == "PNG"
    out = capsys.readouterr().out
    assert "# 1. A title\n\nA paragraph that is two lines.\n\n    y = 2 x\n" in out and out.count("wrote ") == 2


def test_without_a_display_it_says_how_to_have_them(chapter, capsys):
    run(chapter, prose=False)
    assert capsys.readouterr().out == "2 pictures were drawn: `fastnn course 1 --save FOLDER` writes them\n"


def test_an_error_closes_the_pictures(chapter):
    chapter.path.write_text(SCRIPT + "raise ValueError('of the script')\n")
    with pytest.raises(ValueError, match="of the script"):
        run(chapter, prose=False)
    assert not pyplot.get_fignums()
