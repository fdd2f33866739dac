"""The recipes in docs/adding.md name the files that their examples are in, and no other files have code of them."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "adding.md"
RECIPES = re.split(r"^## ", PAGE.read_text(), flags=re.M)[1:]
# Where recipes may say less than there is: other libraries beside which an operation is measured, estimators that
# and a page that choose among what there is, and recorded numbers.
ASIDE = (
    "fastnn/bench/contenders/", "fastnn/testing/adapters.py", "fastnn/sklearn/", "fastnn/playground/",
    "tests/recorded/",
)  # fmt: skip


def words_of(path):
    """The names and the strings of one word in a file's code, comments and docstrings aside."""
    text = path.read_text()
    if path.suffix != ".py":
        code = re.sub(r"/\*.*?\*/|#.*?$" if path.suffix != ".h" else r"/\*.*?\*/", "", text, flags=re.S | re.M)
        return set(re.findall(r"\w+", code))
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            found.add(token.string)
        elif token.type == tokenize.STRING and token.string[0] in "\"'":
            found.add(str(ast.literal_eval(token.string)))
    return found


FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("fastnn", "src_c", "benchmarks", "tests/support")
    for kind in ("py", "h", "def")
    for path in (ROOT / folder).rglob(f"*.{kind}")
)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.split(":")[0])
def test_a_recipe_names_the_files_of_its_example(recipe):
    title, body = recipe.split("\n", 1)
    names = set(re.findall(r"`(\w+)`", title))
    rows = [line for line in body.splitlines() if line.startswith("| `")]
    listed = {file for row in rows for file in re.findall(r"`([\w/]+\.\w+)`", row.split("|")[1])}
    assert names and listed
    found = {file for file in FILES if names & words_of(ROOT / file) and not file.startswith(ASIDE)}
    found |= {file for file in listed if file.endswith(".c") and names & words_of(ROOT / file)}
    assert found == listed
