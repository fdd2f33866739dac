"""Messages of a page are JSON objects of a known type, not too large and not too many."""

import json

import pytest

from fastnn.playground import messages
from fastnn.playground.refusal import Refusal


def test_a_message():
    assert messages.read('{"type": "play", "speed": 0}') == {"type": "play", "speed": 0}


@pytest.mark.parametrize(
    "text",
    ["", "play", "[]", "3", "null", "{}", '{"type": 3}', '{"type": ["play"]}', '{"type": "run"}', '{"type": "play"',
     "[" * 100_000, '{"type": "play", "x": ' + "9" * 5000 + "}"],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_other_texts_are_refused(text):
    with pytest.raises(Refusal) as refused:
        messages.read(text)
    assert refused.value.code == "bad_json"


def test_the_size_is_counted_in_bytes():
    text = json.dumps({"type": "csv", "text": "가" * (messages.LIMIT // 3)}, ensure_ascii=False)
    assert len(text) < messages.LIMIT
    with pytest.raises(Refusal) as refused:
        messages.read(text)
    assert refused.value.code == "too_large"


def test_the_rate(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(messages.time, "monotonic", lambda: now[0])
    rate = messages.Rate()
    for _ in range(messages.BURST):
        rate.check()
    with pytest.raises(Refusal) as refused:
        rate.check()
    assert refused.value.code == "too_fast" and not rate.exhausted
    now[0] += 0.105
    for _ in range(messages.RATE // 10):
        rate.check()
    for _ in range(messages.PATIENCE):
        with pytest.raises(Refusal):
            rate.check()
    assert rate.exhausted
