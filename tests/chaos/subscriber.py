"""A subscriber that knows nothing but what a program is sent: heartbeats of a webhook, and of an
event stream that it reads again and again; judged by the function of the page."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.support.receiver import Receiver

PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"
AGAIN_S = 1.0
Condition = Callable[[str, Mapping[str, Any] | None, float], str]


def condition_of_the_page() -> Condition:
    """The example in docs/delivery.md, as it stands there."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(r"<!-- example: condition -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    held: dict[str, Any] = {}
    exec(compile(found[1], "delivery.md", "exec"), held)
    judged: Condition = held["condition"]
    return judged


class Subscriber:
    """The newest heartbeat of each way, and when it came."""

    def __init__(self, receiver: Receiver, stream: str) -> None:
        self._receiver = receiver
        self._seen = 0
        self._stream = stream
        self._newest: dict[str, tuple[float, dict[str, Any]]] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._listen, self._read)
        ]
        self.judge = condition_of_the_page()

    def __enter__(self) -> Subscriber:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30.0)

    def conditions(self, way: str, areas: tuple[str, ...]) -> dict[str, str]:
        """What it thinks of each area now, by "webhook" or by "stream"."""
        at, beat = self._newest.get(way, (0.0, None))
        return {area: self.judge(area, beat, time.monotonic() - at) for area in areas}

    def newest(self) -> dict[str, Any]:
        """For the day that the test fails."""
        return {way: beat for way, (_, beat) in self._newest.items()}

    def _listen(self) -> None:
        while not self._stop.wait(0.1):
            while self._seen < len(self._receiver.received):
                content = self._receiver.received[self._seen].content
                self._seen += 1
                if content["type"] == "citybrain.heartbeat.v1":
                    self._newest["webhook"] = time.monotonic(), content

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                with httpx.stream("GET", self._stream, timeout=15.0) as answer:
                    self._take(answer)
            except httpx.HTTPError:
                self._stop.wait(AGAIN_S)

    def _take(self, answer: httpx.Response) -> None:
        kind = ""
        for line in answer.iter_lines():
            if self._stop.is_set():
                return
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "heartbeat":
                self._newest["stream"] = time.monotonic(), json.loads(value)
