"""Healthy means: the loop turns, and what it needs answers. A small page for probes tells it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

TURN_S = 30.0  # a loop that has not turned for so long hangs
LOOPBACK = "127.0.0.1"


class Health:
    """What is known of a worker. Any thread writes, any thread reads."""

    def __init__(self, turn_s: float = TURN_S, now: Callable[[], float] = time.monotonic) -> None:
        self._turn_s = turn_s
        self._now = now
        self._turned = now()
        self._troubles: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()
        self.partitions: tuple[int, ...] = ()

    def turned(self) -> None:
        """The loop has turned."""
        self._turned = self._now()

    def trouble(self, what: str, why: str | None) -> None:
        """Something outside does not answer; None: it does again."""
        with self._lock:
            if why is None:
                self._troubles.pop(what, None)
            elif what not in self._troubles:
                self._troubles[what] = (self._now(), why)

    def reasons(self) -> list[str]:
        """Why the worker is not healthy; empty when it is."""
        now = self._now()
        with self._lock:
            found = [
                f"{what} away for {now - since:.0f} s: {why}"
                for what, (since, why) in sorted(self._troubles.items())
            ]
        silent = now - self._turned
        if silent > self._turn_s:
            found.append(f"the loop has not turned for {silent:.0f} s")
        return found


Start = Callable[[str, list[tuple[str, str]]], Any]


def serve(port: int, health: Health | None = None) -> int:
    """Serves `/metrics` and `/health` (200, or 503 with the reasons) on the loopback address, in a
    daemon thread; gives the port (0 = any)."""
    metrics = make_wsgi_app()

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/health":
            page: Iterable[bytes] = metrics(environ, start)
            return page
        reasons = health.reasons() if health is not None else []
        held = list(health.partitions) if health is not None else []
        start(
            "503 Service Unavailable" if reasons else "200 OK",
            [("Content-Type", "application/json")],
        )
        told = {"healthy": not reasons, "reasons": reasons, "partitions": held}
        return [json.dumps(told).encode()]

    server = make_server(LOOPBACK, port, answer, WSGIServer, _Silent)
    threading.Thread(target=server.serve_forever, name="probe", daemon=True).start()
    return int(server.server_port)


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A probe every few seconds is not worth a line."""
