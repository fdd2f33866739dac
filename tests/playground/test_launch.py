"""The command: a real server on a port of this machine, which Ctrl-C ends."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from fastnn import cli
from fastnn.playground import launch


def test_listening_is_on_this_machine_only():
    with launch.listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_named():
    with launch.listening(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match=rf"port {port} cannot be used: .*; --port 0 takes one that is free"):
            launch.listening(port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_out_of_range(port):
    with pytest.raises(ValueError, match="port"):
        launch.listening(port)


def test_without_the_packages_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match=r'pip install "fastnn-core\[playground\]"'):
        launch.serve(0)
    assert cli.main(["playground", "--no-browser"]) == 1
    assert capsys.readouterr().err == f"fastnn: {launch.MISSING}\n"


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_wrong_usage(port, capsys):
    with pytest.raises(SystemExit):
        cli.main(["playground", "--port", port])
    assert "--port: must be an integer from 0 to 65535" in capsys.readouterr().err


@pytest.fixture
def server():
    pytest.importorskip("starlette")
    pytest.importorskip("uvicorn")
    pytest.importorskip("websockets")
    command = [sys.executable, "-W", "error", "-m", "fastnn", "playground", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        finally:
            process.kill()


def test_the_command_serves_until_ctrl_c(server):
    process, address = server
    with urllib.request.urlopen(address[0], timeout=20) as answer:
        assert b"fastnn" in answer.read()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    assert "Traceback" not in errors


def test_ctrl_c_ends_it_with_a_page_that_trains(server):
    from websockets.sync.client import connect

    process, address = server
    with connect(f"ws://127.0.0.1:{address[1]}/session", origin=address[0].rstrip("/"), max_size=None) as page:
        page.send('{"type": "play"}')
        while '"playing": true' not in str(page.recv(timeout=20)):
            pass
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert time.monotonic() - started < 15 and "Traceback" not in errors


def test_a_connection_that_breaks_off_leaves_the_server_up(server):
    _, address = server
    with socket.create_connection(("127.0.0.1", int(address[1])), timeout=20) as broken:
        broken.sendall(b"GET /session HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    with urllib.request.urlopen(address[0], timeout=20) as answer:
        assert answer.status == 200
