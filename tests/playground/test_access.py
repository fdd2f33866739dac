"""The page for everybody: by keyboard, in two languages, at any width, in light and dark, with a screen reader."""

import os
from pathlib import Path

import numpy as np
import pytest

from .chromium import CLASSES, By, Keys, faded, near  # skips without selenium

AXE = Path(os.environ.get("FASTNN_TESTS_AXE", "no axe-core"))


def test_with_the_keyboard_alone(page):
    active = page.browser.switch_to
    for _ in range(3):
        active.active_element.send_keys(Keys.TAB)
    assert active.active_element.get_attribute("id") == "play"
    assert page.script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    active.active_element.send_keys(Keys.ENTER)
    page.until(lambda: page.number("epoch") > 10)
    active.active_element.send_keys(Keys.SPACE)
    page.until(lambda: page.text("play") == "Train")
    page["boundary"].send_keys(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert "(0.11, 0.11)" in page.text("probe")
    page["units-0"].send_keys(Keys.ARROW_UP, Keys.TAB)  # focus stays in the form that is drawn anew
    page.until(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, ".units canvas")) == 2 + 9 + 8 + 2)
    assert active.active_element.get_attribute("id") == "activation-0"


def test_korean(page):
    page.choose("language", "ko")
    assert page.script("return document.documentElement.lang") == "ko"
    assert page.text("play") == "학습 시작" and page.browser.title == "fastnn 놀이터"
    page.press("step")
    page.until(lambda: "에포크 뒤" in page.text("status"))
    english = page.script("""return [...document.querySelectorAll("label, legend, h2, h3, button, caption, th, dt, p")]
        .filter((e) => e.offsetParent && !/[가-힣]/.test(e.textContent)).map((e) => e.textContent.trim())""")
    assert set(english) <= {"", "L1", "L2", "safetensors", "ONNX", "C", "\N{MULTIPLICATION SIGN}"}
    page.open()
    assert page["language"].get_attribute("value") == "ko"
    page.choose("language", "en")
    assert page.text("play") == "Train"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_fits_the_width(page, width, language):
    page.size(width)
    page.choose("language", language)
    page.preset("vanishing")  # six layers
    assert page.script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    clipped = page.script("""return [...document.querySelectorAll("button, select, dd, h2, h3, label, legend, td")]
        .filter((e) => e.offsetParent && !e.closest(".scroll, .file") && e.scrollWidth > e.clientWidth + 1
            && getComputedStyle(e).display !== "inline" && e.id !== "link")
        .map((e) => e.id || e.textContent)""")
    assert not clipped
    outside = page.script("""return [...document.querySelectorAll("body *")]
        .filter((e) => e.offsetParent && !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth + 1)
        .map((e) => e.id || e.className || e.tagName)""")
    assert not outside
    page.choose("language", "en")


@pytest.mark.parametrize("width", [390, 1280])
def test_light_and_dark(page, width):
    page.size(width)
    page.train_to(100)
    page.script("arguments[0].scrollIntoView()", page["boundary"])
    shots = {}
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        shots[scheme] = page.screenshot()
        assert shots[scheme].shape[:2] == (900, width)
        for color in CLASSES[:2]:
            assert near(shots[scheme], color).sum() > 100 and near(shots[scheme], faded(color)).sum() > 1000
    assert np.median(shots["light"][..., :3]) > 200 > 60 > np.median(shots["dark"][..., :3])


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_axe_finds_nothing(page, width, scheme, language):
    if not AXE.exists():
        pytest.skip("axe-core is not there: make playground-test gets it by npm")
    page.size(width)
    page.scheme(scheme)
    page.choose("language", language)
    page.preset("explodes")
    page.press("play")
    page.until(lambda: page["alert"].is_displayed())
    page.browser.find_element(By.CSS_SELECTOR, "[data-export=python]").click()
    page.until(lambda: page["code-box"].is_displayed())
    page.browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    page.script(AXE.read_text(encoding="utf-8"))
    found = page.browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    problems = {v["id"]: [node["html"] + node["failureSummary"] for node in v["nodes"]] for v in found["violations"]}
    assert not problems
