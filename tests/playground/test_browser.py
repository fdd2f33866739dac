"""The page in headless Chromium, as a person uses it: training, settings, files, code, links."""

import base64
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from support.png import read_png

from .chromium import CLASSES, NOTHING, By, Keys, Page, Server, faded, near  # skips without selenium

GOOD = "width,height,kind\n" + "\n".join(
    f"{i % 8},{i // 8},{['apple', '배', '<b>x</b>'][i % 8 // 3]}" for i in range(64)
)
BROKEN = {
    "text.csv": (GOOD + "\n1,two,apple", "Line 66: 'two' is not a finite number."),
    "columns.csv": (GOOD + "\n1,2", "Line 66 has 2 columns"),
    "picture.csv": ("\x89PNG\r\n\0\0\0", "The file is not text in UTF-8."),
    "large.csv": ("1,2,a\n" * 40_000, "The file has more than 200000 bytes."),
}


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preset", "classes"), [("spirals", 2), ("three_spirals", 3), ("blobs", 4)])
def test_it_trains_to_a_boundary(page, preset, classes):
    page.choose("preset", preset)
    page.press("play")
    page.until(lambda: page.number("epoch") > 300 and page.number("test-accuracy") > 0.9)
    page.press("play")
    page.settled()
    picture = page.canvas("boundary")
    assert picture.shape[:2] == (576, 576)
    for color in CLASSES[:classes]:
        assert near(picture, color).sum() > 500  # points
        assert near(picture, faded(color)).mean() > 0.03  # a region
    for color in CLASSES[classes:]:
        assert near(picture, color).sum() == 0


def test_thousands_of_updates_a_second(page):
    page.press("play")
    page.until(lambda: page.number("epoch") > 1000)
    assert page.until(lambda: page.number("pace") > 3000)
    page.press("play")


def test_every_picture_is_drawn(page):
    page.train_to(50)
    for name in ("boundary", "loss-curve", "accuracy-curve", "links"):
        assert page.canvas(name).reshape(-1, 4).std(axis=0).max() > 5, name
    empty = page.script("""return [...document.querySelectorAll(".units canvas, .warp")].filter((canvas) => {
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size < 3;
    }).length""")
    assert empty == 0
    health = page.script("return [...document.querySelectorAll('.health dd')].map((e) => e.textContent)")
    assert len(health) == 6 and all(text == NOTHING or re.fullmatch(r"[\d.e+-]+%?", text) for text in health)


def test_a_step_is_an_epoch(page):
    page.press("step")
    page.until(lambda: page.text("epoch") == "1")
    assert page.text("updates") == "18"


def test_settings_change_while_it_trains(page):
    page.press("play")
    page.until(lambda: page.number("epoch") > 200)
    page.put("optimizer-lr", 0.001)
    page.until(lambda: page.text("rate") == "0.001")
    assert page.number("epoch") > 200 and page.text("play") == "Pause"
    page.choose("activation-0", "ReLU")
    page.put("units-1", 3)
    page.until(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, ".layer:nth-of-type(3) .units canvas")) == 3)
    page.until(lambda: page.number("epoch") > 5)
    assert page.text("play") == "Pause"
    page.press("add-layer")
    page.until(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, ".layer[role=group]")) == 3)
    page.press("remove-0")
    page.until(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, ".layer[role=group]")) == 2)
    page.choose("data-kind", "hills")
    page.until(lambda: not page["accuracy-curve"].is_displayed())
    assert page["loss"].get_attribute("value") == "MSELoss"
    page.press("play")
    page.until(lambda: page.text("play") == "Train")


def test_an_explosion_does_not_break_the_page(page):
    page.preset("explodes")
    page.press("play")
    page.until(lambda: page["alert"].is_displayed())
    assert "exploded in epoch" in page.text("alert") and page.text("play") == "Train"
    page.put("optimizer-lr", 0.4)
    page.until(lambda: page.text("epoch") == "0" and not page["alert"].is_displayed())
    page.press("play")
    page.until(lambda: page.number("epoch") > 100)
    page.press("play")
    assert page.number("train-loss") < 0.1


def test_the_temperature_blurs_the_regions(page):
    page.preset("blobs")
    page.choose("speed", "100")  # weights that have not grown too large for a temperature of 100
    epoch, weights = page.train_to(60)
    before = page.canvas("boundary").astype(int)
    page["temperature-input"].send_keys(Keys.END)
    page.until(lambda: "100" in page["temperature"].text)
    page.until(lambda: np.abs(page.canvas("boundary").astype(int) - before).mean() > 10)
    assert page.settled() == (epoch, weights)


def test_a_number_out_of_range_is_not_taken(page):
    page.put("batch_size", 5000)
    assert page.script("return document.getElementById('batch_size').validity.rangeOverflow")
    assert json.loads(fragment(page))["batch_size"] == 16


# -- data of one's own -------------------------------------------------------------------------------------------------


def test_files(page, tmp_path):
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    page["file"].send_keys(str(tmp_path / "good.csv"))
    page.until(lambda: "배" in page.text("classes"))
    assert "<b>x</b>" in page.text("classes")  # as text
    assert "64 rows of width, height, kind" in page["settings"].text
    page.press("play")
    page.until(lambda: page.number("test-accuracy") > 0.9)
    for name, (text, message) in BROKEN.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        page["file"].send_keys(str(tmp_path / name))
        page.until(lambda message=message: message in page.text("alert"))
        epoch = page.number("epoch")
        page.until(lambda epoch=epoch: page.number("epoch") > epoch)  # what was there goes on
    page.press("play")


# -- what is taken away ------------------------------------------------------------------------------------------------


def downloaded(page, downloads, name, action):
    path = downloads / name
    path.unlink(missing_ok=True)
    action()
    page.until(path.exists)
    return path.read_bytes()


def export(page, downloads, kind, name):
    return downloaded(page, downloads, name, page.browser.find_element(By.CSS_SELECTOR, f"[data-export={kind}]").click)


def test_the_code_gives_the_weights_that_the_page_shows(page, downloads, tmp_path):
    page.train_to(100)
    page.put("optimizer-lr", 0.05)
    _, weights = page.train_to(200)
    page.browser.find_element(By.CSS_SELECTOR, "[data-export=python]").click()
    page.until(lambda: page.text("code-hash") == weights)
    content = downloaded(page, downloads, "playground.py", lambda: page.press("save-code"))
    assert page.text("code") == content.decode()
    (tmp_path / "exported.py").write_bytes(content)
    done = subprocess.run([sys.executable, tmp_path / "exported.py"], capture_output=True, text=True, check=True)
    assert f"weights: {weights}\n" in done.stdout


def test_models_and_the_picture(page, downloads):
    page.train_to(20)
    assert b"__metadata__" in export(page, downloads, "safetensors", "playground.safetensors")
    assert b"void playground_predict(" in export(page, downloads, "c", "playground.c")
    if page.script("return !document.querySelector('[data-export=onnx]').disabled"):
        assert export(page, downloads, "onnx", "playground.onnx")
    picture = read_png(downloaded(page, downloads, "playground.png", lambda: page.press("picture")))
    assert np.array_equal(picture, page.canvas("boundary"))


def fragment(page):
    coded = page.script("return location.hash").removeprefix("#s=")
    return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()


def test_a_link_shares_the_settings(page):
    page.preset("dropout")
    page.put("seed", 7)
    page.until(lambda: '"seed":7' in fragment(page))
    for _ in range(3):
        page.press("step")
    epoch, weights = page.settled()
    link = page["link"].get_attribute("value")
    assert epoch == 3
    page.open()
    page.open(link.removeprefix(page.address))
    page.until(lambda: page["seed"].get_attribute("value") == "7")
    for _ in range(3):
        page.press("step")
    assert page.settled() == (epoch, weights)


@pytest.mark.parametrize("broken", ["#s=%%%", "#s=bm8", "#s=eyJzZWVkIjotMX0"])  # no base64, no JSON, a seed of -1
def test_a_broken_link_is_said_to_be(page, broken):
    page.open(broken)
    page.until(lambda: page["alert"].is_displayed())
    page.press("step")
    page.until(lambda: page.text("epoch") == "1")


def test_it_connects_again(browser):
    server = Server()
    page = Page(browser, server.address)
    try:
        page.open()
        page.put("seed", 5)
        page.until(lambda: '"seed":5' in fragment(page))
        server.end()
        page.until(lambda: "does not answer" in page.text("status"))
        server = Server(server.address.rstrip("/").rsplit(":", 1)[1])
        page.until(lambda: "does not answer" not in page.text("status"))
        page.press("step")
        page.until(lambda: page.text("epoch") == "1")
        assert page["seed"].get_attribute("value") == "5"
    finally:
        browser.get("about:blank")
        browser.get_log("browser")
        server.end()
