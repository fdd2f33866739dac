"""Every refusal is said in every language; all texts are in all languages, and all that are used are there."""

import json
import re
import string
from pathlib import Path

import pytest

from fastnn import playground
from fastnn.playground import choices
from fastnn.playground.presets import PRESETS
from fastnn.playground.refusal import MESSAGES, Refusal

STATIC = Path(playground.__file__).parent / "static"
TEXTS = json.loads((STATIC / "texts.js").read_text(encoding="utf-8").split("texts =", 1)[1].strip().rstrip(";"))
CODE = {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js") if path.name != "texts.js"}
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_a_refusal_is_json():
    refusal = Refusal("csv_number", line=3, value="'x'")
    assert refusal.to_json() == {
        "type": "error", "code": "csv_number", "values": {"line": 3, "value": "'x'"},
        "message": "line 3: 'x' is not a finite number",
    }  # fmt: skip


def test_languages_have_the_same_keys_in_the_same_order():
    assert list(TEXTS["en"]) == list(TEXTS["ko"])
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())


@pytest.mark.parametrize("key", TEXTS["en"])
def test_a_translation_has_the_values_of_the_text(key):
    extra = {"where"} if key == "error_exploded_at" else set()  # a message of the core, which is in English
    assert fields(TEXTS["ko"][key]) == fields(TEXTS["en"][key]) - extra


def test_korean_is_korean():
    latin = {"l1", "l2", "data_xor"}
    assert {key for key, text in TEXTS["ko"].items() if not re.search("[가-힣]", text)} == latin


@pytest.mark.parametrize("code", MESSAGES)
def test_every_refusal_has_a_text_with_its_values(code):
    for texts in TEXTS.values():
        assert fields(texts[f"error_{code}"]) <= fields(MESSAGES[code])


def test_every_text_that_is_used_is_there_and_the_other_way_round():
    used = set(re.findall(r'data-(?:text|label)="(\w+)"', PAGE))
    for code in CODE.values():
        used |= set(re.findall(r'\bt\("(\w+)"', code)) | set(re.findall(r'\bsay\("(\w+)"', code))
        used |= {f"error_{name}" for name in re.findall(r'complain\("(\w+)"', code)}
        used |= set(re.findall(r'"(\w+)"', code)) & set(TEXTS["en"])  # in tables and conditions
    numbers = {*choices.DATA_NUMBERS, *choices.LAYER_NUMBERS, *choices.NUMBERS}
    used |= numbers & set(TEXTS["en"])
    used |= {
        f"number_{name}" for of in (choices.OPTIMIZERS, choices.SCHEDULES) for spec in of.values() for name in spec
    }
    used |= {f"data_{name}" for name in choices.DATA} | {f"loss_{name}" for name in choices.LOSSES}
    used |= {f"{kind}_{name}" for name in PRESETS for kind in ("preset", "preset_note")}
    used |= {f"error_{code}" for code in MESSAGES}
    optional = {"activation_Identity", "norm_none", "schedule_constant"} | {f"init_{name}" for name in choices.INITS}
    assert used <= set(TEXTS["en"])
    assert set(TEXTS["en"]) - used <= optional


def test_the_page_loads_nothing_from_elsewhere():
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    for text in (PAGE, style, *CODE.values()):
        assert not re.search(r"https?://|@import|url\(", text)
    assert "style=" not in PAGE and "onclick" not in PAGE  # the policy of the page forbids them
