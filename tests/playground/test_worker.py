"""The thread of a page: it does what messages say, answers the bad ones, and ends."""

import json
import queue
import threading
import time
from contextlib import suppress

import pytest

from fastnn.playground import worker as workers
from fastnn.playground.refusal import Refusal
from fastnn.playground.session import Session
from fastnn.playground.settings import Settings
from fastnn.playground.worker import Worker

from .test_views import unpacked

CSV = "w,h,kind\n" + "\n".join(f"{i},{i * i % 7},{'abc'[i % 3]}" for i in range(40))


class Client:
    """A page that speaks with a worker: what it was sent, by type."""

    def __init__(self):
        self.inbox = queue.Queue()
        self.worker = Worker(self.inbox.put)
        self.worker.start()

    def send(self, kind, **more):
        self.worker.post({"type": kind, **more})

    def receive(self, kind, **values):
        """The next message of a type with these values; frames on the way are drawn."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            message = self.inbox.get(timeout=30)
            header, arrays = unpacked(message) if isinstance(message, bytes) else (json.loads(message), {})
            if header["type"] == "frame":
                self.send("drawn")
            if header["type"] == kind and values.items() <= header.items():
                return {**header, "arrays": arrays}
        raise AssertionError(f"no {kind} came")

    def frame_of(self, epoch):
        while (frame := self.receive("frame"))["epoch"] < epoch:
            pass
        return frame


@pytest.fixture
def client():
    client = Client()
    yield client
    client.worker.stop()
    client.worker.join(10)
    assert not client.worker.is_alive()


def test_it_greets_with_choices_settings_points_and_a_frame(client):
    assert {"choices", "presets", "onnx"} <= set(client.receive("hello"))
    assert client.receive("settings")["settings"] == json.loads(json.dumps(Settings().to_json()))
    assert client.receive("points")["train"] == 280
    assert client.receive("frame")["epoch"] == 0


def test_step_trains_so_many_epochs(client):
    client.send("step", epochs=7)
    expected = Session(Settings())
    expected.train(7)
    assert client.frame_of(7)["hash"] == expected.hash()


def test_play_and_pause(client):
    client.send("play")
    assert client.receive("playing")["playing"]
    client.frame_of(200)
    client.send("pause")
    client.receive("playing", playing=False)
    client.send("step")
    frame = client.receive("frame")
    epochs = frame["epoch"]
    expected = Session(Settings())
    expected.train(epochs)
    assert frame["hash"] == expected.hash()
    time.sleep(0.2)
    client.send("export", format="safetensors")
    client.receive("file")
    assert client.worker.session.epoch in (epochs, epochs + 1)


def test_thousands_of_updates_a_second(client):
    client.send("play")
    client.frame_of(200)
    started, first = time.monotonic(), client.worker.session.epoch
    client.frame_of(first + 500)
    rate = (client.worker.session.epoch - first) * 18 / (time.monotonic() - started)
    assert rate > 3000  # 120,000 on an idle processor


def test_a_speed_is_kept(client):
    client.receive("frame")
    client.send("play", speed=50)
    client.receive("playing")
    started = time.monotonic()
    client.frame_of(40)
    assert time.monotonic() - started > 0.5
    client.send("pause")
    client.receive("playing", playing=False)
    assert client.worker.session.epoch < 200


def test_settings_change_while_it_plays(client):
    client.send("play")
    client.frame_of(50)
    given = client.worker.session.settings.to_json()
    given["optimizer"]["numbers"]["lr"] = 0.001
    client.send("settings", settings=given)
    assert not client.receive("settings", began=False)["began"]
    epoch = client.receive("frame")["epoch"]
    client.frame_of(epoch + 10)
    client.send("settings", settings={**given, "seed": 1})
    assert client.receive("settings", began=True)["settings"]["seed"] == 1


def test_a_file_becomes_the_data(client):
    client.send("csv", text=CSV)
    settings = client.receive("settings", began=True)  # of the greeting
    settings = client.receive("settings", began=True)["settings"]
    assert settings["data"]["kind"] == "own" and len(settings["data"]["table"]["rows"]) == 40
    assert client.receive("points", columns=["w", "h", "kind"])["classes"] == ["a", "b", "c"]
    client.send("csv", text="w,h,y\n" + "\n".join(f"{i},{i * i % 7},{i / 3}" for i in range(40)))
    assert client.receive("settings", began=True)["settings"]["loss"] == "MSELoss"
    client.send("step", epochs=3)
    assert client.frame_of(3)["scores"]["train"].keys() == {"loss"}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "settings"}, "wrong_type"),
        ({"type": "settings", "settings": {"seed": "x"}}, "wrong_type"),
        ({"type": "step", "epochs": 0}, "out_of_range"),
        ({"type": "step", "epochs": 10**9}, "out_of_range"),
        ({"type": "step", "epochs": "1"}, "wrong_type"),
        ({"type": "play", "speed": -1}, "out_of_range"),
        ({"type": "play", "speed": float("nan")}, "out_of_range"),
        ({"type": "csv"}, "wrong_type"),
        ({"type": "csv", "text": "1,2"}, "csv_columns"),
        ({"type": "export"}, "unknown_choice"),
    ],
    ids=str,
)
def test_bad_messages_are_answered_and_survived(client, message, code):
    client.worker.post(message)
    assert client.receive("error")["code"] == code
    client.send("step")
    assert client.frame_of(1)["epoch"] == 1


def test_what_goes_wrong_inside_is_told(client, monkeypatch):
    client.frame_of(0)
    monkeypatch.setattr(Session, "train", lambda self, epochs: 1 / 0)
    client.send("play")
    assert "division by zero" in client.receive("error", code="internal")["values"]["reason"]
    monkeypatch.undo()
    client.send("step")
    assert client.frame_of(1)["epoch"] == 1


def test_an_explosion_pauses(client):
    given = {"data": {"kind": "plane"}, "loss": "MSELoss", "layers": [], "batch_size": 0}
    client.send("settings", settings={**given, "optimizer": {"kind": "SGD", "numbers": {"lr": 1.2}}})
    client.send("play")
    client.receive("playing", playing=True)
    client.receive("playing", playing=False)
    assert "not finite" in client.receive("frame")["exploded"]
    client.send("play")
    client.receive("error", code="exploded")
    client.send("reset")
    client.send("step")
    assert client.frame_of(1)["exploded"] == ""


def test_a_page_that_does_not_draw_is_not_trained_for(client, monkeypatch):
    monkeypatch.setattr(workers, "UNSEEN", 0.1)
    client.send("play")
    client.receive("playing", playing=True)
    time.sleep(1.0)
    epoch = client.worker.session.epoch
    time.sleep(0.3)
    assert client.worker.session.epoch == epoch > 0
    assert sum(isinstance(message, bytes) for message in client.inbox.queue) <= 2  # one frame, and the points
    client.send("drawn")
    client.frame_of(epoch + 1)


def test_messages_that_wait_are_bounded(client, monkeypatch):
    held = threading.Event()
    client.receive("frame")
    monkeypatch.setattr(Session, "train", lambda self, epochs: held.wait(20))
    client.send("step")
    for _ in range(workers.WAITING + 1):  # the first may still be waiting itself
        with suppress(Refusal):
            client.send("pause")
    with pytest.raises(Refusal, match="too many"):
        client.send("pause")
    held.set()


def test_stop_ends_it_while_it_plays(client):
    client.send("play")
    client.frame_of(20)
    started = time.monotonic()
    client.worker.stop()
    client.worker.join(5)
    assert not client.worker.is_alive() and time.monotonic() - started < 2
