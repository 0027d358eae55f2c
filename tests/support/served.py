"""An ASGI app behind a real server on a free loopback port, in a thread, and a client of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import httpx
import uvicorn
from fastapi import FastAPI

PATIENCE_S = 20.0


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """A client whose base address is the running app; the server is stopped at the end."""
    server = _Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="error", ws="none", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, name="served")
    thread.start()
    try:
        assert server.listening.wait(PATIENCE_S), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
