"""Messages of a page: what they may be, and how many."""

from __future__ import annotations

import json
import time
from typing import Any

from .refusal import Refusal
from .table import MAX_BYTES

LIMIT = 2 * MAX_BYTES  # bytes: a file, with its characters escaped
TYPES = frozenset(("settings", "reset", "play", "pause", "step", "csv", "export", "drawn"))
RATE = 100  # messages a second, of which a page that draws sends 30
BURST = 200
PATIENCE = 500  # messages beyond the rate, after which the connection ends


def read(text: str) -> dict[str, Any]:
    """A message: a JSON object with a known `type`.

    Raises
    ------
    Refusal
        If it is something else, or too large.

    Examples
    --------
    >>> from fastnn.playground.messages import read
    >>> read('{"type": "step", "epochs": 1}')
    {'type': 'step', 'epochs': 1}
    """
    size = len(text.encode(errors="replace"))
    if size > LIMIT:
        raise Refusal("too_large", size=size, limit=LIMIT)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str) or message["type"] not in TYPES:
        raise Refusal("bad_json", limit=LIMIT)
    return message


class Rate:
    """Lets `RATE` messages through a second, and `BURST` at once."""

    def __init__(self) -> None:
        self.left, self.at, self.refused = float(BURST), time.monotonic(), 0

    def check(self) -> None:
        """Count one message.

        Raises
        ------
        Refusal
            If there were too many.
        """
        now = time.monotonic()
        self.left = min(float(BURST), self.left + (now - self.at) * RATE)
        self.at = now
        if self.left < 1:
            self.refused += 1
            raise Refusal("too_fast", limit=RATE)
        self.left -= 1

    @property
    def exhausted(self) -> bool:
        """Whether so many came too fast that it is no page."""
        return self.refused > PATIENCE
