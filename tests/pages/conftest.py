"""The documentation as `make docs` builds it, served on this machine. Without it the tests are skipped."""

import functools
import http.server
import os
import threading
from pathlib import Path

import pytest

from support import headless


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    named = os.environ.get("FASTNN_TESTS_SITE")
    if not named:
        pytest.skip("FASTNN_TESTS_SITE names no built site: make docs-test")
    folder = Path(named)
    assert (folder / "index.html").is_file(), f"{folder} has no built site: make docs"
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Writes no log."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address(site):
    """Where it is served."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser(site, tmp_path_factory):
    browser = headless.start(tmp_path_factory.mktemp("downloads"))
    yield browser
    browser.quit()
