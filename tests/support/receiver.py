"""An HTTP receiver on loopback that records what it is sent and answers as it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

PATIENCE_S = 20.0
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    @property
    def is_alert(self) -> bool:
        return bool(self.content.get("type") == "citybrain.alert.v1")


@dataclass
class Receiver:
    """What came, in order; `answer` may be replaced at any time."""

    answer: Answer
    port: int = 0
    received: list[Received] = field(default_factory=list)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def alerts(self, path: str = "/hook") -> list[Received]:
        """The alert events that came to this path."""
        return [r for r in list(self.received) if r.path == path and r.is_alert]


async def accept(_: web.Request) -> web.StreamResponse:
    """204."""
    return web.Response(status=204)


def status(code: int, **headers: str) -> Answer:
    """Always this status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers)

    return answer


@contextmanager
def receiving(answer: Answer = accept) -> Iterator[Receiver]:
    """A receiver in a thread of its own."""
    receiver = Receiver(answer)
    loop = asyncio.new_event_loop()
    started, ended = threading.Event(), asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        receiver.received.append(Received(request.path, headers, body))
        return await receiver.answer(request)

    async def serve() -> None:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{any:.*}", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", receiver.port)
        await site.start()
        receiver.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        started.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="receiver")
    thread.start()
    try:
        assert started.wait(PATIENCE_S), "the receiver did not start"
        yield receiver
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(PATIENCE_S)
        loop.close()
