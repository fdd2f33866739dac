"""A playground in headless Chromium: its server, the page by the ids of its parts, and colours in its pictures."""

import base64
import re
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("selenium", reason="selenium is not installed: make playground-test")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from support.png import read_png

SECONDS = 30
NOTHING = "\N{EN DASH}"  # where there is no number
CLASSES = [(0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167)]  # static/colors.js


class Server:
    """A playground on a port, in a process of its own."""

    def __init__(self, port=0):
        command = [sys.executable, "-m", "fastnn", "playground", "--no-browser", "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = re.search(r"http://127\.0\.0\.1:\d+/", self.process.stdout.readline())[0]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Page:
    """The page, by the ids of its parts."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address

    def __getitem__(self, name):
        return self.browser.find_element(By.ID, name)

    def open(self, fragment=""):
        self.browser.get("about:blank")
        self.browser.get(self.address + fragment)
        self.until(lambda: self["epoch"].text == "0" and self.text("hash") != NOTHING)

    def until(self, holds):
        end = time.monotonic() + SECONDS
        while not (result := holds()):
            assert time.monotonic() < end, "it did not come"
            time.sleep(0.05)
        return result

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def text(self, name):
        return self.script("return document.getElementById(arguments[0]).textContent", name)

    def number(self, name):
        return float(self.text(name).replace(",", "").replace(NOTHING, "nan"))

    def choose(self, name, value):
        Select(self[name]).select_by_value(value)

    def put(self, name, value):
        self[name].clear()
        self[name].send_keys(str(value), Keys.TAB)

    def press(self, name):
        self.script("arguments[0].scrollIntoView({block: 'center'})", self[name])
        self[name].click()

    def preset(self, name):
        before = self.text("hash")
        self.choose("preset", name)
        self.until(lambda: self.text("hash") != before and self.text("epoch") == "0")

    def train_to(self, epoch):
        self.press("play")
        self.until(lambda: self.number("epoch") >= epoch)
        self.press("play")
        return self.settled()

    def settled(self):
        """The epoch and the hash when nothing changes any more."""
        while (seen := (self.number("epoch"), self.text("hash"))) != (time.sleep(0.3), seen)[1] or seen != (
            self.number("epoch"), self.text("hash")
        ):  # fmt: skip
            pass
        return seen

    def size(self, width, height=900):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def scheme(self, name):
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def canvas(self, name):
        """The pixels of a canvas."""
        address = self.script("return document.getElementById(arguments[0]).toDataURL('image/png')", name)
        return read_png(base64.b64decode(address.split(",")[1]))

    def screenshot(self):
        return read_png(self.browser.get_screenshot_as_png())


def near(pixels, color, within=6):
    return np.abs(pixels[..., :3].astype(int) - color).max(axis=-1) <= within


def faded(color):
    """The colour of a class that is certain, in the picture (static/boundary.js)."""
    return [255 + (v - 255) * 0.55 for v in color]
