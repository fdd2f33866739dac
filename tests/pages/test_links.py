"""No link of any page leads to a page, a file or a place that is not there."""

import urllib.parse
from html.parser import HTMLParser


class Reader(HTMLParser):
    """The links of a page, and the places that links can lead to."""

    def __init__(self):
        super().__init__()
        self.links, self.places = set(), {"", "top"}

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.places.add(value)
            elif name in ("href", "src") and value is not None:
                self.links.add(value)


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def broken(folder):
    """(page, link) of each that leads nowhere."""
    pages = {path.resolve(): read(path) for path in folder.rglob("*.html")}
    for path, reader in pages.items():
        for link in sorted(reader.links):
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            place = urllib.parse.unquote(parts.fragment)
            if not target.is_file() or (target in pages and place not in pages[target].places):
                yield path.relative_to(folder.resolve()).as_posix(), link


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#here"></a><a href="b.html#gone"></a><a href="https://x.org/">')
    (tmp_path / "b.html").write_text('<p id="here"></p><img src="c.png"><a href="a.html">a</a><a href="#">top</a>')
    assert sorted(broken(tmp_path)) == [("a.html", "b.html#gone"), ("b.html", "c.png")]


def test_no_link_of_any_page_is_broken(site):
    assert len(list(site.rglob("*.html"))) > 500
    assert list(broken(site)) == []
