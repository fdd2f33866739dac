"""Links of pages to files of the repository, which GitHub resolves, lead to their pages of the site, or to GitHub."""

import posixpath
import re
from typing import Any

# Of what the site has under another name, from the root of the repository.
PAGES = {
    "examples": "gallery/examples/index.rst",
    "fastnn/course": "gallery/course/index.rst",
    "benchmarks/RESULTS.md": "benchmarks/results.md",
    "benchmarks/README.md": "benchmarks/measuring.md",
    "CHANGELOG.md": "changelog.md",
    "docs/step.svg": "step.svg",
    "docs/roofline.svg": "roofline.svg",
}


def rewrite(folder: str, text: str, included: bool = False) -> str:
    """The text of a page in a folder of the repository, with links that work on the site."""

    def link(match: re.Match[str]) -> str:
        path, _, anchor = match[1].partition("#")
        if not path or "://" in path:
            return match[0]
        target = posixpath.normpath(posixpath.join(folder, path))
        example = re.fullmatch(r"examples/(\w+)\.py", target)
        page = f"gallery/examples/{example[1]}.rst" if example else PAGES.get(target)
        if page is None and not (included and target.startswith("docs/")):
            return match[0]
        page = page or target.removeprefix("docs/")
        return f"](/{page}{'#' * bool(anchor)}{anchor})"

    return re.sub(r"\]\(([^)\s]+)\)", link, text)


def on_read(app: Any, name: str, source: list[str]) -> None:
    source[0] = rewrite(posixpath.join("docs", posixpath.dirname(name)), source[0])


def on_include(app: Any, path: Any, name: str, source: list[str]) -> None:
    """The links of an included file are relative to the place where it stands, which is given from docs/."""
    folder = posixpath.normpath(posixpath.join("docs", path.parent.as_posix()))
    source[0] = rewrite(folder.removeprefix("."), source[0], included=True)


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", on_read)
    app.connect("include-read", on_include)
    return {"parallel_read_safe": True}
