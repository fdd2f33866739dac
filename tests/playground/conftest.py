"""Chromium for the tests of the page. Where it is not installed they are skipped."""

import pytest

from support import headless


@pytest.fixture(scope="session")
def address():
    """The address of a playground in a process of its own."""
    for package in ("starlette", "uvicorn", "websockets"):
        pytest.importorskip(package, reason=f"{package} is not installed: make playground-test")
    from .chromium import Server

    server = Server()
    yield server.address
    server.end()


@pytest.fixture(scope="session")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def browser(downloads):
    browser = headless.start(downloads)
    yield browser
    browser.quit()


@pytest.fixture
def page(browser, address):
    """The page, as one sees it first, in English; in the end nothing may be in the browser's console."""
    from .chromium import Page

    page = Page(browser, address)
    page.size(1280)
    page.scheme("light")
    page.open()
    browser.get_log("browser")
    yield page
    problems = headless.problems(browser)
    page.script("localStorage.clear()")
    assert not problems
