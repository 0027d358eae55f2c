"""Who may come in: bounded requests and bytes, and a body read only as far as it may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.requests import Request

from sensors.gateway.collector import Busy
from sensors.gateway.metrics import GatewayMetrics
from sensors.gateway.settings import GatewaySettings


class TooLarge(Exception):
    """The body is larger than one request may be."""


class TooSlow(Exception):
    """The body did not arrive in time."""


class Admission:
    """Counts what is held for all clients together; both counts have a bound."""

    def __init__(self, settings: GatewaySettings, metrics: GatewayMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._requests = 0
        self._bytes = 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """One request in progress; `Busy` when there are too many."""
        if self._requests >= self._settings.requests:
            raise Busy(f"{self._requests} requests are in progress", own=False)
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The body, counted while it is held. Raises `TooLarge`, `TooSlow` or `Busy`.

        Nothing is believed of `Content-Length` but that it can refuse early: the bound is
        enforced on what arrives.
        """
        limit = self._settings.request_bytes
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated[:20]) > limit:
            raise TooLarge(f"{stated[:20]} bytes; at most {limit} are taken")
        chunks: list[bytes] = []
        try:
            try:
                async with asyncio.timeout(self._settings.body_timeout_s):
                    await self._receive(request, chunks, limit)
            except TimeoutError as error:
                raise TooSlow(f"no whole body in {self._settings.body_timeout_s} s") from error
            yield b"".join(chunks)
        finally:
            self._hold(-sum(map(len, chunks)))

    async def _receive(self, request: Request, chunks: list[bytes], limit: int) -> None:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"more than {limit} bytes")
            if self._bytes + len(chunk) > self._settings.reading_bytes:
                raise Busy(f"{self._bytes} bytes of requests are being read", own=False)
            self._hold(len(chunk))
            chunks.append(chunk)

    def _hold(self, size: int) -> None:
        self._bytes += size
        self._metrics.reading.set(self._bytes)

    def _count(self, change: int) -> None:
        self._requests += change
        self._metrics.in_progress.set(self._requests)
