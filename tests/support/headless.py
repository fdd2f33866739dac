"""Headless Chromium for tests of pages. Where it, or selenium, is not installed, they are skipped."""

import shutil

import pytest

ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


def start(downloads):
    """A browser that puts files into a folder and keeps the messages of its console."""
    pytest.importorskip("selenium", reason='selenium is not installed: pip install "selenium>=4.20"')
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("Chromium is not installed: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ARGUMENTS:
        options.add_argument(argument)
    preferences = {"download.default_directory": str(downloads), "safebrowsing.enabled": True}
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def problems(browser):
    """What is in the console that should not be there; reading empties it."""
    return [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
