"""The thread of one page: it trains, does what messages say, and sends what there is to draw."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from . import choices, messages, settings, views
from .export import export, has_onnx
from .presets import PRESETS
from .refusal import Refusal
from .session import Session
from .settings import Settings
from .table import read_csv

FRAMES = 30  # a second, at most
SLICE = 0.02  # seconds of training between two looks at the messages
UNSEEN = 2.0  # seconds that are trained on while the page does not draw, in a tab in the background for example
FINE = 16  # a chunk of training is at most this part of the epochs before: curves are fine where they begin
MAX_STEP = 10_000  # epochs of one message "step"
MAX_SPEED = 100_000
WAITING = 100  # messages that wait for the thread
log = logging.getLogger("fastnn.playground")

Send = Callable[[str | bytes], None]


class Worker(threading.Thread):
    """A session in a thread of its own, which ends with `stop`.

    Parameters
    ----------
    send : function
        Given each message to the page: str is JSON, bytes are arrays. Called in the thread.
    """

    def __init__(self, send: Send) -> None:
        super().__init__(name="fastnn-playground", daemon=True)
        self._send, self._waiting = send, queue.Queue[dict[str, Any] | None]()
        self._ended = threading.Event()
        self._playing = False
        self._speed = 0.0  # epochs a second, 0 as many as possible
        self._due = 0.0  # epochs that a given speed has left to train
        self._chunk, self._trained_at = 1, 0.0
        self._changed = True  # since the last frame
        self._drawn, self._framed_at = True, 0.0

    def post(self, message: dict[str, Any]) -> None:
        """Hand in a message of the page; it is done in turn.

        Raises
        ------
        Refusal
            If too many wait already.
        """
        if self._waiting.qsize() >= WAITING:
            raise Refusal("too_fast", limit=messages.RATE)
        self._waiting.put(message)

    def stop(self) -> None:
        """Let the thread end, after at most what it is at."""
        self._ended.set()
        self._waiting.put(None)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Greet, then do what comes until `stop`."""
        self.session = Session(Settings())
        self._tell({"type": "hello", "choices": choices.catalogue(), "presets": PRESETS, "onnx": has_onnx()})
        self._announce()
        while not self._ended.is_set():
            self._guarded(self._once)

    def _once(self) -> None:
        message = self._next()
        if message is not None:
            getattr(self, f"_do_{message['type']}")(message)
        elif self._playing and not self._unseen() and not self._ended.is_set():
            self._train()
        if self._changed and self._drawn and time.monotonic() - self._framed_at >= 1 / FRAMES:
            self._frame()

    def _guarded(self, what: Callable[[], None]) -> None:
        """Do something; what goes wrong is told to the page, and the session stays as it is, paused."""
        try:
            what()
        except Refusal as refusal:
            self._tell(refusal.to_json())
        except Exception as error:  # the page shall hear of it, and go on
            log.exception("the playground could not do this")
            self._pause()
            self._changed = False
            self._tell(Refusal("internal", reason=f"{type(error).__name__}: {error}").to_json())

    def _next(self) -> dict[str, Any] | None:
        """The next message; None if there is none and something else to do."""
        wait: float | None = None
        if self._playing and not self._unseen():
            wait = self._pause_between()
        elif self._changed and self._drawn:
            wait = max(0.0, self._framed_at + 1 / FRAMES - time.monotonic())
        try:
            return self._waiting.get(wait is None or wait > 0, wait)
        except queue.Empty:
            return None

    def _unseen(self) -> bool:
        return not self._drawn and time.monotonic() - self._framed_at > UNSEEN

    def _pause_between(self) -> float:
        """Seconds to wait before there is an epoch to train at this speed."""
        if not self._speed:
            return 0.0
        return min(max(0.0, (1 - self._due) / self._speed - (time.monotonic() - self._trained_at)), 1 / FRAMES)

    # -- training ------------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        """Train for about `SLICE` seconds, or the epochs that the speed has due."""
        now = time.monotonic()
        epochs = self._chunk
        if self._speed:
            self._due += min(now - self._trained_at, 0.5) * self._speed
            epochs = min(int(self._due), self._chunk)
        self._trained_at = now
        if epochs < 1:
            return
        self._due = min(self._due - epochs, float(self._chunk)) if self._speed else 0.0
        self._advance(epochs)
        seconds = max(time.monotonic() - now, 1e-5)
        most = min(MAX_STEP, 1 + self.session.epoch // FINE)
        self._chunk = max(1, min(most, int(epochs * min(SLICE / seconds, 4.0))))

    def _advance(self, epochs: int) -> None:
        try:
            self.session.train(epochs)
            self.session.score()
            self._changed = True
        except Refusal:
            self._pause()
            raise
        if self.session.exploded:
            self._pause()

    def _pause(self) -> None:
        if self._playing:
            self._playing = False
            self._tell({"type": "playing", "playing": False})

    # -- messages from the page ----------------------------------------------------------------------------------------

    def _do_settings(self, message: dict[str, Any]) -> None:
        self._change(settings.from_json(message.get("settings")))

    def _change(self, to: Settings) -> None:
        began = self.session.change(to)
        self._changed = True
        self._chunk = 1
        self._announce() if began else self._tell_settings(False)

    def _do_reset(self, message: dict[str, Any]) -> None:
        self.session.begin(self.session.settings)
        self._changed = True
        self._announce()

    def _do_play(self, message: dict[str, Any]) -> None:
        speed = _number(message, "speed", 0.0, 0.0, MAX_SPEED)
        if self.session.exploded:
            raise Refusal("exploded")
        self._speed, self._due, self._trained_at, self._playing = speed, 0.0, time.monotonic(), True
        self._chunk = 1
        self._tell({"type": "playing", "playing": True})

    def _do_pause(self, message: dict[str, Any]) -> None:
        self._pause()

    def _do_step(self, message: dict[str, Any]) -> None:
        epochs = int(_number(message, "epochs", 1, 1, MAX_STEP))
        self._pause()
        self._advance(epochs)

    def _do_csv(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        if not isinstance(text, str):
            raise Refusal("wrong_type", field="text", expected="a text", value=repr(text)[:40])
        table = read_csv(text)
        given = self.session.settings.to_json()
        given["data"] |= {"kind": "own", "table": table.to_json()}
        task, classes = ("classification", len(table.labels)) if table.labels else ("regression", 1)
        if given["loss"] not in (fitting := choices.losses_for(task, classes)):
            given["loss"] = fitting[0]
        self._change(settings.from_json(given))

    def _do_export(self, message: dict[str, Any]) -> None:
        file = export(self.session, message.get("format"))
        header = {"type": "file", "name": file.name, "mime": file.mime, "hash": self.session.hash()}
        self._send(views.packed({**header, "size": len(file.content)}, {"content": views.as_bytes(file.content)}))

    def _do_drawn(self, message: dict[str, Any]) -> None:
        self._drawn = True

    # -- messages to the page ------------------------------------------------------------------------------------------

    def _tell(self, message: dict[str, Any]) -> None:
        self._send(json.dumps(message))

    def _tell_settings(self, began: bool) -> None:
        self._tell({"type": "settings", "settings": self.session.settings.to_json(), "began": began})

    def _announce(self) -> None:
        """The settings and the points of a session that begins."""
        self._tell_settings(True)
        self._send(views.packed(*views.points(self.session)))

    def _frame(self) -> None:
        self._send(views.packed(*views.frame(self.session)))
        self._changed, self._drawn, self._framed_at = False, False, time.monotonic()


def _number(message: dict[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A number of a message.

    Raises
    ------
    Refusal
        If it is something else or out of range.
    """
    value = message.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal("wrong_type", field=name, expected="a number", value=repr(value)[:40])
    if not low <= value <= high:
        raise Refusal("out_of_range", field=name, low=low, high=high, value=str(value)[:40])
    return float(value)
