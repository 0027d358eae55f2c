"""A gateway in process, for tests: a toy registry, a log with a gate, a client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
from fastapi import FastAPI

from sensors.gateway.app import Gateway, GatewayParts, create_app, running
from sensors.gateway.keys import Key
from sensors.gateway.settings import GatewaySettings, KeyRule
from streams.catalog import Area, Registry, Sensor
from streams.catalog import Gateway as GatewayEntry
from streams.contracts.codec import decode
from streams.contracts.domain import Domain, Point, Property, Title
from streams.contracts.frame import Frame
from streams.errors import Unavailable
from streams.log import Entry
from streams.log.memory import MemoryLog

NOW_MS = 1_782_864_000_000


def toy_domains() -> dict[str, Domain]:
    depth = Property("depth", "m", 3, Title("深", "Depth"), Decimal(0), Decimal(3))
    rain = Property("rain", "mm", 1, Title("雨", "Rain"), Decimal(0), Decimal(300))
    heat = Property("heat", "°C", 1, Title("温", "Heat"), Decimal(-60), Decimal(60))
    return {
        "water": Domain("water", Title("水", "Water"), (depth, rain), ()),
        "weather": Domain("weather", Title("天", "Weather"), (heat,), ()),
    }


def toy_registry(extra: Sequence[str] = ()) -> Registry:
    areas = ("330106", "330108")
    sensors = {
        "s1": Sensor(1, "s1", "p0", "gw", ("depth", "heat")),
        "s2": Sensor(2, "s2", "p1", "gw", ("depth",)),
        "foreign": Sensor(3, "foreign", "p0", "other", ("depth",)),
    }
    sensors |= {name: Sensor(9, name, "p0", "gw", ("depth",)) for name in extra}
    return Registry(
        areas={code: Area(code, "county", "330100", code, code) for code in areas},
        points={
            f"p{i}": Point(f"p{i}", "x", area, "", None, None, {}) for i, area in enumerate(areas)
        },
        sensors=sensors,
        gateways={name: GatewayEntry(name, "330106") for name in ("gw", "other")},
        partitions={area: i for i, area in enumerate(areas)},
        partition_count=2,
    )


@dataclass
class FakeRegistry:
    """A `RegistrySource` and a `KeySource` that a test sets."""

    registry: Registry | None
    known: list[Key] = field(default_factory=list)
    away: bool = False

    def stored_keys(self) -> list[Key]:
        if self.away:
            raise Unavailable("the store is away")
        return list(self.known)

    def active(self) -> str | None:
        return None if self.registry is None else self.registry.version

    def load(self, version: str) -> Registry:
        assert self.registry is not None
        assert version == self.registry.version
        return self.registry


class GatedLog(MemoryLog):
    """Takes nothing until the gate is opened; fails as often as it is told to."""

    def __init__(self, *, open: bool = True) -> None:
        super().__init__(2)
        self.gate = threading.Event()
        self.failures = 0
        self.bug: Exception | None = None
        self.appends = 0
        if open:
            self.gate.set()

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        if not self.gate.wait(30):
            raise Unavailable("the gate stayed shut")
        if self.bug:
            raise self.bug
        if self.failures:
            self.failures -= 1
            raise Unavailable("the log is away")
        self.appends += 1
        return super().append(partition, entries)


@dataclass
class Clocks:
    """The time that the gateway sees; a test moves it."""

    now_ms: int = NOW_MS
    monotonic_s: float = 0.0

    def pass_s(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)
        self.monotonic_s += seconds


@dataclass
class Bench:
    app: FastAPI
    gateway: Gateway
    log: GatedLog
    registry: FakeRegistry
    client: httpx.AsyncClient
    bugs: list[str]
    clocks: Clocks

    async def post(self, *readings: object, **more: object) -> httpx.Response:
        body = {"gateway": "gw", "readings": list(readings)} | more
        return await self.client.post("/v1/readings", json=body)

    def frames(self) -> list[Frame]:
        found = [decode(record) for part in (0, 1) for record in self.log.read(part, 0)]
        assert all(isinstance(one, Frame) for one in found)
        return [one for one in found if isinstance(one, Frame)]


@asynccontextmanager
async def bench(
    log: GatedLog | None = None,
    registry: Registry | None = None,
    keys: Sequence[Key] = (),
    **settings: Any,
) -> AsyncIterator[Bench]:
    rule = KeyRule.REQUIRED if keys else KeyRule.OPTIONAL
    usual: dict[str, Any] = {"linger_ms": 0, "registry_s": 1000, "keys": rule}
    own = GatewaySettings(**(usual | settings))
    log = log or GatedLog()
    source = FakeRegistry(registry or toy_registry())
    bugs: list[str] = []
    clocks = Clocks()
    source.known = list(keys)
    parts = GatewayParts(
        log,
        source,
        toy_domains(),
        own,
        lambda: clocks.now_ms,
        "boot",
        lambda: bugs.append("bug"),
        keys=source,
        monotonic_s=lambda: clocks.monotonic_s,
    )
    app = create_app(parts)
    gateway: Gateway = app.state.gateway
    transport = httpx.ASGITransport(app)
    async with (
        running(gateway),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        try:
            yield Bench(app, gateway, log, source, client, bugs, clocks)
        finally:
            log.gate.set()


def play(story: Callable[[], Awaitable[None]]) -> None:
    """Runs the story to its end."""

    async def whole() -> None:
        await story()

    asyncio.run(whole())


def reading(sensor: str = "s1", value: object = 0.31, **more: object) -> dict[str, object]:
    return {"sensor": sensor, "property": "depth", "time": NOW_MS, "value": value} | more


async def turns() -> None:
    """Lets everything that can run without the log run."""
    for _ in range(50):
        await asyncio.sleep(0)
