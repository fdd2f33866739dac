"""The server: the page, and a WebSocket for each page that is open. Only for this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from . import messages
from .refusal import Refusal
from .worker import Worker

STATIC = Path(__file__).parent / "static"
HOSTS = ["127.0.0.1", "localhost"]
MAX_CLIENTS = 32
POLICY, BUSY = 1008, 1013  # close codes of RFC 6455 and its registry
JOIN = 10.0  # seconds that a thread has to end
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}

Message = MutableMapping[str, Any]


class Headers:
    """An ASGI middleware that adds `HEADERS` to each response."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    *((k.encode(), v.encode()) for k, v in HEADERS.items()),
                ]
            await send(message)

        await self.app(scope, receive, with_headers)


class Connections:
    """The pages that are open, one thread each."""

    def __init__(self) -> None:
        self.open = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve a page until it leaves; its thread has ended then."""
        if not from_own_page(socket):
            await socket.close(POLICY)  # before it is accepted: the answer is 403
            return
        await socket.accept()
        if self.open >= MAX_CLIENTS:
            await socket.send_json(Refusal("too_many_clients", limit=MAX_CLIENTS).to_json())
            await socket.close(BUSY)
            return
        self.open += 1
        try:
            await _converse(socket)
        finally:
            self.open -= 1


def from_own_page(socket: WebSocket) -> bool:
    """Whether the Origin of a request is the host that it goes to: other pages of the browser have theirs."""
    origin = urlsplit(socket.headers.get("origin", ""))
    return origin.scheme == "http" and bool(origin.netloc) and origin.netloc == socket.headers.get("host")


async def _converse(socket: WebSocket) -> None:
    """Pass messages between a page and its thread."""
    loop, outgoing = asyncio.get_running_loop(), asyncio.Queue[str | bytes]()

    def send(message: str | bytes) -> None:
        with suppress(RuntimeError):  # the loop is closed when the server has ended
            loop.call_soon_threadsafe(outgoing.put_nowait, message)

    worker = Worker(send)
    worker.start()
    sender = asyncio.create_task(_send_all(socket, outgoing))
    try:
        await _receive_all(socket, worker, send)
    finally:
        worker.stop()
        sender.cancel()
        with suppress(asyncio.CancelledError):
            await sender
        await asyncio.shield(asyncio.to_thread(worker.join, JOIN))


async def _send_all(socket: WebSocket, outgoing: asyncio.Queue[str | bytes]) -> None:
    with suppress(WebSocketDisconnect, RuntimeError, OSError):  # the page left: the receiver ends the conversation
        while True:
            message = await outgoing.get()
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))


async def _receive_all(socket: WebSocket, worker: Worker, send: Callable[[str], None]) -> None:
    """Hand the page's messages to its thread; bad ones are answered."""
    rate = messages.Rate()
    with suppress(WebSocketDisconnect):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                rate.check()
                worker.post(messages.read(message.get("text") or ""))
            except Refusal as refusal:
                if rate.exhausted:
                    await socket.close(POLICY)
                    return
                if rate.refused < 2 or refusal.code != "too_fast" or rate.refused % messages.RATE == 0:
                    send(json.dumps(refusal.to_json()))


async def page(request: Request) -> FileResponse:
    """The page itself."""
    return FileResponse(STATIC / "index.html")


def make_app() -> Starlette:
    """The application: `/`, its files in `/static`, and the WebSocket `/session`."""
    connections = Connections()
    routes = [
        Route("/", page),
        Mount("/static", StaticFiles(directory=STATIC)),
        WebSocketRoute("/session", connections.serve),
    ]
    guards = [Middleware(Headers), Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)]
    app = Starlette(routes=routes, middleware=guards)
    app.state.connections = connections
    return app
