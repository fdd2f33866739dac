"""The server: only this machine and its own page, twenty pages at once, no thread that outlives its page."""

import json
import threading
import time
from contextlib import ExitStack

import pytest

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fastnn.playground import messages
from fastnn.playground import server as servers
from fastnn.playground.server import STATIC, make_app

from .test_views import unpacked

HERE = "127.0.0.1:8765"
OWN = {"host": HERE, "origin": f"http://{HERE}"}


def workers():
    return [thread for thread in threading.enumerate() if thread.name == "fastnn-playground"]


@pytest.fixture
def client():
    before = workers()
    with TestClient(make_app(), base_url=f"http://{HERE}") as client:
        yield client
    assert workers() == before


def receive(socket, kind, **values):
    """The next message of a type with these values; frames on the way are drawn."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        message = socket.receive()
        if message["type"] == "websocket.close":
            raise WebSocketDisconnect(message["code"])
        header = json.loads(message["text"]) if message.get("text") else unpacked(message["bytes"])[0]
        if header["type"] == "frame":
            socket.send_json({"type": "drawn"})
        if header["type"] == kind and values.items() <= header.items():
            return header
    raise AssertionError(f"no {kind} came")


def test_the_page_and_its_files(client):
    page = client.get("/")
    assert page.status_code == 200 and "fastnn" in page.text
    for file in STATIC.iterdir():
        answer = client.get(f"/static/{file.name}")
        assert answer.status_code == 200 and answer.content == file.read_bytes()
    for name, value in servers.HEADERS.items():
        assert page.headers[name] == value and answer.headers[name] == value
    assert "access-control-allow-origin" not in page.headers


def test_modules_have_the_type_that_browsers_want(client):
    assert client.get("/static/main.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/server.py", "/static/", "/docs"]
)
def test_other_paths_are_not_there(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("host", ["example.org", "example.org:8765", "127.0.0.1.example.org", "10.0.0.1:8765", ""])
def test_other_hosts_are_refused(client, host):
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1"])
def test_names_of_this_machine(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200
    with client.websocket_connect("/session", headers={"host": host, "origin": f"http://{host}"}) as socket:
        receive(socket, "hello")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": HERE},  # no origin
        {"host": HERE, "origin": ""},
        {"host": HERE, "origin": "null"},
        {"host": HERE, "origin": "http://example.org"},
        {"host": HERE, "origin": "http://127.0.0.1:9999"},
        {"host": HERE, "origin": f"https://{HERE}"},
        {"host": HERE, "origin": f"http://{HERE}.example.org"},
        {"host": HERE, "origin": f"http://{HERE}@example.org"},
        {"host": "example.org", "origin": "http://example.org"},  # a name that was made to lead here
    ],
    ids=str,
)
def test_other_pages_get_no_session(client, headers):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/session", headers=headers):
        pass
    assert not workers()


def test_a_conversation(client):
    with client.websocket_connect("/session", headers=OWN) as socket:
        receive(socket, "hello")
        socket.send_json({"type": "step", "epochs": 5})
        receive(socket, "frame", epoch=5)
        socket.send_json({"type": "export", "format": "python"})
        assert receive(socket, "file")["name"] == "playground.py"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"type": "sudo"}', "x" * (messages.LIMIT + 1), "\ud7ff\0"], ids=lambda t: t[:9]
)
def test_bad_messages_are_answered_and_survived(client, text):
    with client.websocket_connect("/session", headers=OWN) as socket:
        socket.send_text(text)
        assert receive(socket, "error")["code"] in ("bad_json", "too_large")
        socket.send_bytes(b"\xff\xfe")
        assert receive(socket, "error")["code"] == "bad_json"
        socket.send_json({"type": "step"})
        receive(socket, "frame", epoch=1)


def test_a_flood_ends_the_connection(client):
    with client.websocket_connect("/session", headers=OWN) as socket:
        for _ in range(messages.BURST + messages.PATIENCE + 2000):
            socket.send_text("{}")
        with pytest.raises(WebSocketDisconnect) as closed:
            receive(socket, "never")
        assert closed.value.code == servers.POLICY


def test_twenty_pages_at_once(client):
    with ExitStack() as stack:
        sockets = [stack.enter_context(client.websocket_connect("/session", headers=OWN)) for _ in range(20)]
        for i, socket in enumerate(sockets):
            socket.send_json({"type": "settings", "settings": {"seed": i}})
            socket.send_json({"type": "play", "speed": 20})
        for i, socket in enumerate(sockets):
            assert receive(socket, "settings", began=True)["settings"]["seed"] == 0
            if i:
                assert receive(socket, "settings", began=True)["settings"]["seed"] == i
        for socket in sockets:
            while receive(socket, "frame")["epoch"] < 3:
                pass
        assert len(workers()) == 20
    gone = time.monotonic() + 10
    while workers() and time.monotonic() < gone:
        time.sleep(0.05)
    assert not workers()


def test_too_many_pages_are_told_so(client, monkeypatch):
    monkeypatch.setattr(servers, "MAX_CLIENTS", 1)
    with client.websocket_connect("/session", headers=OWN) as first:
        receive(first, "hello")
        with client.websocket_connect("/session", headers=OWN) as second:
            assert receive(second, "error")["code"] == "too_many_clients"
            with pytest.raises(WebSocketDisconnect) as closed:
                receive(second, "hello")
            assert closed.value.code == servers.BUSY
        first.send_json({"type": "step"})
        receive(first, "frame", epoch=1)
    with client.websocket_connect("/session", headers=OWN) as third:
        receive(third, "hello")


def test_a_page_that_vanishes_while_it_trains_leaves_no_thread(client):
    with client.websocket_connect("/session", headers=OWN) as socket:
        socket.send_json({"type": "play"})
        receive(socket, "playing", playing=True)
        assert len(workers()) == 1
    gone = time.monotonic() + 10
    while workers() and time.monotonic() < gone:
        time.sleep(0.02)
    assert not workers()
    assert client.app.state.connections.open == 0
