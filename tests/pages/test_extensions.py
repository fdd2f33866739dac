"""What the site makes of docstrings, of cells of the course and of links (docs/_ext)."""

import sys
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(EXTENSIONS)
    yield
    for path in EXTENSIONS.glob("*.py"):
        sys.modules.pop(path.stem, None)


def docstring(text):
    from plain_docstrings import on_docstring

    lines = text.split("\n")
    on_docstring(None, "function", "f", None, None, lines)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The mean of |x| * y.", r"The mean of \|x\| \* y."),
        ("Names like he_ and x_1, and `he_ * |x|`.", r"Names like he\_ and x_1, and `he_ * |x|`."),
        ("A.\n\n    y = |x|\n    z = y * 2\n\nB.", "A.\n\n::\n\n        y = |x|\n        z = y * 2\n\nB."),
        ("A.\n\ny = x * tanh(|x|)", "A.\n\n::\n\n    y = x * tanh(|x|)"),
        ("A.\n\n>>> 2 * abs(x_)\n4", "A.\n\n>>> 2 * abs(x_)\n4"),
        (
            "A.\n\nParameters\n----------\nx_ : array, shape (*s,)\n    Of |x|.\n\n    More * text.",
            "A.\n\nParameters\n----------\nx_ : array, shape (\\*s,)\n    Of \\|x\\|.\n\n    More \\* text.",
        ),
    ],
)
def test_docstrings(text, expected):
    assert docstring(text) == expected


def test_attributes_are_no_links():
    from plain_docstrings import on_fields

    lines = ["    :obj:`weight <.weight>` : ndarray", "see :obj:`weight <fastnn.nn.Linear.weight>`"]
    on_fields(None, "class", "C", None, None, lines)
    assert lines == ["    **weight** : ndarray", "see :obj:`weight <fastnn.nn.Linear.weight>`"]


def test_cells_of_the_course():
    from scripts import titled

    script = (
        "# %% [markdown]\n# # 3. Title\n#\n# | a | b |\n# |---|---|\n# | x * y | z |\n#\n# Of |x|.\n\n# %%\nprint(1)\n"
    )
    assert titled(script, "c03").split("\n") == [
        '"""', "3. Title", "========", '"""', "# %%", "# .. list-table::", "#    :header-rows: 1", "#", "#    * - a",
        "#      - b", r"#    * - x \* y", "#      - z", "#", r"# Of \|x\|.", "", "# %%", "print(1)", "",
    ]  # fmt: skip


def test_examples_get_a_title():
    from scripts import titled

    assert titled('"""Two spirals: a text.\n\nMore."""\nx = 1\n', "spiral").startswith(
        '"""\nTwo spirals\n===========\n\nA text.\n\nMore.\n"""'
    )
    assert titled('"""A long sentence without it."""\nx = 1\n', "policy_gradient").startswith(
        '"""\nPolicy gradient\n==============='
    )


@pytest.mark.parametrize(
    ("folder", "link", "expected"),
    [
        ("docs", "[a](../examples/digits.py)", "[a](/gallery/examples/digits.rst)"),
        ("docs", "[a](../benchmarks/RESULTS.md#prediction)", "[a](/benchmarks/results.md#prediction)"),
        ("docs", "[a](viz.md) [b](https://x.org) [c](#here)", "[a](viz.md) [b](https://x.org) [c](#here)"),
    ],
)
def test_links_of_a_page(folder, link, expected):
    from repository_links import rewrite

    assert rewrite(folder, link) == expected


def test_links_of_an_included_page():
    from repository_links import on_include

    source = ["[a](README.md) ![b](../docs/step.svg) [c](../docs/viz.md)"]
    on_include(None, Path("../benchmarks/RESULTS.md"), "results", source)
    assert source == ["[a](/benchmarks/measuring.md) ![b](/step.svg) [c](/viz.md)"]
