"""The pages in headless Chromium, wide and on a telephone: nothing in the console, nothing wider than the screen."""

import time

import pytest

from support import headless

PAGES = [
    "index", "quickstart", "user_guide", "training", "numerical_contract", "performance", "reliability", "teaching",
    "coming_from_sklearn", "from_pytorch", "pytorch_names", "from_keras", "tabular", "viz", "onnx", "programs",
    "testing", "distributed", "playground", "architecture", "adding", "benchmarks/results", "benchmarks/measuring",
    "changelog", "citing", "releasing", "api/index", "generated/api/fastnn", "generated/api/fastnn.nn.LayerNorm",
    "generated/api/fastnn.optim.functional.adam_step", "generated/api/fastnn.Trainer", "generated/api/fastnn.Ensemble",
    "gallery/examples/index", "gallery/examples/digits", "gallery/course/index",
    "gallery/course/c03_activations", "search",
]  # fmt: skip
SECONDS = 30


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_and_has_no_problems(page, width, browser, address):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    headless.problems(browser)
    browser.get(f"{address}/{page}.html")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    # On a telephone the theme lets the text be scrolled by itself; only blocks of code and tables should be.
    hidden = "const text = document.querySelector('.content'); return text.scrollWidth - text.clientWidth"
    assert browser.execute_script(hidden) <= 0
    assert browser.execute_script("return document.title")
    assert headless.problems(browser) == []


@pytest.mark.parametrize("served", [True, False])
def test_the_search_finds_a_layer(served, browser, site, address):
    """By an index that is part of the site, so also where its pages are opened as files."""
    browser.get(f"{address if served else site.resolve().as_uri()}/search.html?q=LayerNorm")
    end = time.monotonic() + SECONDS
    links = "return [...document.querySelectorAll('#search-results li a')].map(a => a.href)"
    while not any("fastnn.nn.LayerNorm.html" in link for link in browser.execute_script(links)):
        assert time.monotonic() < end, "it was not found"
        time.sleep(0.1)
    # A page that is a file may not read others, of which the search would show an excerpt.
    assert headless.problems(browser) == [] or not served
