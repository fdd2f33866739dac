"""Chromium for the tests of the page. Where it is not installed they are skipped."""

import shutil

import pytest


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
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("Chromium is not installed: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en"):
        options.add_argument(argument)
    preferences = {"download.default_directory": str(downloads), "safebrowsing.enabled": True}
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
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
    problems = [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    page.script("localStorage.clear()")
    assert not problems
