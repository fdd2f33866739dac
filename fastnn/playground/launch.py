"""The start of the playground: a port of this machine, the server, the browser."""

from __future__ import annotations

import socket
import threading
import webbrowser

from .. import _validation as check

DEFAULT_PORT = 8765
MISSING = 'fastnn.playground needs Starlette, uvicorn and websockets: pip install "fastnn-core[playground]"'


def serve(port: int = DEFAULT_PORT, *, browser: bool = True) -> None:
    """Serve the playground on http://127.0.0.1 until Ctrl-C.

    Parameters
    ----------
    port : int, default 8765
        From 1 to 65535; 0 takes one that is free.
    browser : bool, default True
        Whether to open the page in the browser.

    Raises
    ------
    ImportError
        If Starlette, uvicorn or websockets is not installed.
    OSError
        If the port is in use.
    """
    try:
        import uvicorn
        import websockets  # noqa: F401  (uvicorn refuses WebSockets without it, and does not say so)

        from .server import make_app
    except ImportError as error:
        raise ImportError(MISSING) from error
    from .messages import LIMIT

    with listening(port) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        print(f"the playground is at {address} (Ctrl-C ends it)", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        config = uvicorn.Config(
            make_app(), ws_max_size=LIMIT, ws_per_message_deflate=False, log_level="warning",
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[listener])


def listening(port: int) -> socket.socket:
    """A socket that listens on a port of this machine.

    Raises
    ------
    OSError
        If the port is in use.
    """
    port = check.check_integer("port", port, at_least=0, at_most=65535)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise OSError(f"port {port} cannot be used: {error.strerror}; --port 0 takes one that is free") from error
    return listener
