"""The gateway over a log in memory: answers, refusals, bounds, idempotency. No network."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from sensors.gateway.app import Gateway, GatewayParts, create_app, running
from sensors.gateway.directory import compile_directory
from sensors.gateway.settings import GatewaySettings, is_loopback
from streams.catalog import Area, Registry, Sensor
from streams.catalog import Gateway as GatewayEntry
from streams.contracts.codec import decode
from streams.contracts.domain import Domain, Point, Property, Title
from streams.contracts.frame import Frame
from streams.contracts.reason import Origin
from streams.errors import Unavailable
from streams.log import Entry
from streams.log.memory import MemoryLog

NOW_MS = 1_782_864_000_000


def toy_domains() -> dict[str, Domain]:
    from decimal import Decimal

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
    """A `RegistrySource` that a test sets."""

    registry: Registry | None

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
        self.appends = 0
        if open:
            self.gate.set()

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        if not self.gate.wait(30):
            raise Unavailable("the gate stayed shut")
        if self.failures:
            self.failures -= 1
            raise Unavailable("the log is away")
        self.appends += 1
        return super().append(partition, entries)


@dataclass
class Bench:
    app: FastAPI
    gateway: Gateway
    log: GatedLog
    registry: FakeRegistry
    client: httpx.AsyncClient

    async def post(self, *readings: object, **more: object) -> httpx.Response:
        body = {"gateway": "gw", "readings": list(readings)} | more
        return await self.client.post("/v1/readings", json=body)

    def frames(self) -> list[Frame]:
        found = [decode(record) for part in (0, 1) for record in self.log.read(part, 0)]
        assert all(isinstance(one, Frame) for one in found)
        return [one for one in found if isinstance(one, Frame)]


@asynccontextmanager
async def bench(
    log: GatedLog | None = None, registry: Registry | None = None, **settings: Any
) -> AsyncIterator[Bench]:
    own = GatewaySettings(**({"linger_ms": 0, "registry_s": 1000} | settings))
    log = log or GatedLog()
    source = FakeRegistry(registry or toy_registry())
    parts = GatewayParts(log, source, toy_domains(), own, lambda: NOW_MS, "boot")
    app = create_app(parts)
    gateway: Gateway = app.state.gateway
    transport = httpx.ASGITransport(app)
    async with (
        running(gateway),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        try:
            yield Bench(app, gateway, log, source, client)
        finally:
            log.gate.set()


def play(story: Callable[[], Awaitable[None]]) -> None:
    """Runs the story to its end."""

    async def whole() -> None:
        await story()

    asyncio.run(whole())


def reading(sensor: str = "s1", value: object = 0.31, **more: object) -> dict[str, object]:
    return {"sensor": sensor, "property": "depth", "time": NOW_MS, "value": value} | more


def test_readings_become_frames_by_area_and_domain() -> None:
    async def story() -> None:
        async with bench() as b:
            answer = await b.post(
                reading("s1", 0.1),
                reading("s2", 0.2, time="2026-07-01T08:00:00+08:00", unit="m"),
                reading("s1", 21.5, property="heat", flag=3),
                reading("s1", 0.3, time=NOW_MS + 1),
            )
            assert answer.status_code == 200
            assert answer.json() == {"accepted": 4, "refused": []}
            frames = {(f.area, f.domain): f for f in b.frames()}
            assert set(frames) == {("330106", "water"), ("330108", "water"), ("330106", "weather")}
            water = frames["330106", "water"]
            assert water.value.tolist() == [0.1, 0.3]
            assert water.time_ms.tolist() == [NOW_MS, NOW_MS + 1]
            assert (water.source, water.origin, water.ingest_ms) == ("gw", Origin.LIVE, NOW_MS)
            assert not water.backfill
            assert water.flag is None
            heat = frames["330106", "weather"].flag
            assert heat is not None
            assert heat.tolist() == [3]
            assert frames["330108", "water"].time_ms.tolist() == [1_782_864_000_000]

    play(story)


REFUSALS = [
    (reading("nobody"), "unknown_sensor"),
    (reading("foreign"), "unknown_sensor"),
    (reading("s1", property="speed"), "unknown_property"),
    (reading("s2", property="heat"), "unknown_property"),
    (reading("s1", unit="cm"), "unknown_unit"),
    (reading("s1", None), "not_finite"),
    (reading("s1", "0.31"), "wrong_type"),
    (reading("s1", True), "wrong_type"),
    (reading("s1", time="2026-07-01 08:00"), "bad_time"),
    (reading("s1", time="2026-02-30T00:00:00Z"), "bad_time"),
    (reading("s1", time=1_782_864_000), "bad_time"),
    (reading("s1", time=2**70), "bad_time"),
    (reading("s1", time=None), "wrong_type"),
    (reading("s1", flag=7), "wrong_type"),
    (reading("s1", colour="red"), "wrong_type"),
    ({"sensor": "s1", "value": 1}, "wrong_type"),
    ("s1", "wrong_type"),
    (None, "wrong_type"),
]


@pytest.mark.parametrize(("bad", "reason"), REFUSALS)
def test_a_bad_reading_is_refused_with_its_reason_and_costs_no_other(
    bad: object, reason: str
) -> None:
    async def story() -> None:
        async with bench() as b:
            answer = await b.post(reading("s2"), bad, reading("s1"))
            assert answer.status_code == 200
            content = answer.json()
            assert content["accepted"] == 2
            (refused,) = content["refused"]
            assert (refused["index"], refused["reason"]) == (1, reason)
            assert refused["detail"]
            assert sum(map(len, b.frames())) == 2

    play(story)


def test_when_everything_is_refused_the_answer_is_422_with_every_reason() -> None:
    async def story() -> None:
        async with bench() as b:
            answer = await b.post(reading("a"), reading("b"))
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            content = answer.json()
            assert content["accepted"] == 0
            assert [one["sensor"] for one in content["refused"]] == ["a", "b"]
            assert b.frames() == []

    play(story)


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b"{", {}, 400, "not-a-batch"),
        (b"[]", {}, 400, "not-a-batch"),
        (b'{"gateway":"gw"}', {}, 400, "not-a-batch"),
        (b'{"gateway":"","readings":[]}', {}, 400, "not-a-batch"),
        (b'{"gateway":"gw","readings":[],"id":""}', {}, 400, "not-a-batch"),
        (b"\xff\xfe", {}, 400, "not-a-batch"),
        (b'{"gateway":"gw","readings":' + b"[" * 2000, {}, 400, "not-a-batch"),
        (b'{"gateway":"gw","readings":[' + b"{}," * 60 + b"{}]}", {}, 400, "not-a-batch"),
        (b'{"gateway":"stranger","readings":[]}', {}, 422, "unknown-gateway"),
        (b"{}", {"content-type": "text/csv"}, 415, "wrong-media-type"),
        (b" " * 3000, {}, 413, "too-large"),
    ],
)
def test_what_is_no_batch_is_a_problem(
    body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    async def story() -> None:
        async with bench(request_bytes=2500, request_readings=50) as b:
            answer = await b.client.post("/v1/readings", content=body, headers=headers)
            assert answer.status_code == status
            assert answer.json()["type"] == kind
            assert b.frames() == []

    play(story)


def test_a_body_that_states_no_length_is_cut_off_while_reading() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000:
            sent += 1000
            yield b" " * 1000

    async def story() -> None:
        async with bench(request_bytes=2500) as b:
            answer = await b.client.post("/v1/readings", content=endless())
            assert answer.status_code == 413
            assert b.gateway.metrics.reading._value.get() == 0

    play(story)


def test_the_answer_waits_for_the_log() -> None:
    async def story() -> None:
        async with bench(GatedLog(open=False)) as b:
            waiting = asyncio.create_task(b.post(reading()))
            await turns()
            assert not waiting.done()
            b.log.gate.set()
            assert (await waiting).status_code == 200
            assert sum(map(len, b.frames())) == 1

    play(story)


def test_a_log_that_fails_for_a_moment_is_tried_again() -> None:
    async def story() -> None:
        async with bench() as b:
            b.log.failures = 2
            assert (await b.post(reading())).status_code == 200
            assert b.gateway.collector.failing is None

    play(story)


def test_a_log_that_keeps_failing_is_503_and_shows_in_health() -> None:
    async def story() -> None:
        async with bench(append_timeout_s=0.01) as b:
            b.log.failures = 1
            answer = await b.post(reading())
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "2"
            assert (await b.client.get("/health")).status_code == 503
            assert (await b.post(reading())).status_code == 200
            health = await b.client.get("/health")
            assert (health.status_code, health.json()["waiting_rows"]) == (200, 0)

    play(story)


def test_a_retried_request_makes_the_same_frames() -> None:
    async def story() -> None:
        async with bench(frame_rows=2) as b:
            batch = [reading("s1", i, time=NOW_MS + i) for i in range(5)]
            for _ in range(2):
                assert (await b.post(*batch, id="batch-1")).json()["accepted"] == 5
            ids = [frame.id for frame in b.frames()]
            assert len(ids) == 6
            assert ids[:3] == ids[3:]
            assert len(set(ids)) == 3

    play(story)


def test_a_retry_of_which_more_is_accepted_is_not_mistaken_for_the_first() -> None:
    async def story() -> None:
        async with bench() as b:
            batch = [reading("s1"), reading("new")]
            assert (await b.post(*batch, id="batch-1")).json()["accepted"] == 1
            b.registry.registry = toy_registry(extra=["new"])
            await b.gateway.watch.refresh()
            assert (await b.post(*batch, id="batch-1")).json()["accepted"] == 2
            first, second = b.frames()
            assert first.id != second.id

    play(story)


def test_requests_without_an_id_share_frames_and_ids_never_repeat() -> None:
    async def story() -> None:
        async with bench(GatedLog(open=False)) as b:
            first = asyncio.create_task(b.post(reading("s1", 0)))
            await turns()
            others = [asyncio.create_task(b.post(reading("s1", i))) for i in range(1, 6)]
            await turns()
            b.log.gate.set()
            answers = await asyncio.gather(first, *others)
            assert {answer.status_code for answer in answers} == {200}
            assert [len(frame) for frame in b.frames()] == [1, 5]
            assert len({frame.id for frame in b.frames()}) == 2

    play(story)


def test_names_that_the_wire_does_not_carry_are_unknown() -> None:
    registry = toy_registry(extra=["bad\x00name", "x" * 201])
    odd = replace(
        registry, gateways={"gw": GatewayEntry("gw", "330106"), "网关 1": registry.gateways["gw"]}
    )
    directory = compile_directory(odd, toy_domains())
    assert directory.gateways == {"gw"}
    assert set(directory.devices) == {"s1", "s2", "foreign"}


def test_no_registry_is_503_until_there_is_one() -> None:
    async def story() -> None:
        async with bench() as b:
            b.gateway.watch.directory = None
            answer = await b.post(reading())
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
            assert (await b.client.get("/health")).status_code == 503
            await b.gateway.watch.refresh()
            assert (await b.post(reading())).status_code == 200

    play(story)


def test_overload_is_refused_and_memory_stays_bounded() -> None:
    """A log that takes nothing, 400 clients at once: what is held never passes its bounds."""

    async def story() -> None:
        limits: dict[str, Any] = {
            "waiting_rows": 300,
            "source_rows": 200,
            "request_readings": 10,
            "requests": 64,
        }
        async with bench(GatedLog(open=False), **limits) as b:
            most = 0

            async def client(number: int) -> tuple[int, int]:
                nonlocal most
                sensor, gateway = (("foreign", "other"), ("s1", "gw"), ("s1", "gw"))[number % 3]
                rows = [reading(sensor, number, time=NOW_MS + 10 * number + i) for i in range(10)]
                answer = await b.post(*rows, gateway=gateway)
                most = max(most, b.gateway.collector.rows)
                return answer.status_code, answer.json().get("accepted", 0)

            clients = [asyncio.create_task(client(number)) for number in range(400)]
            async with asyncio.timeout(20):
                while sum(task.done() for task in clients) < 400 - 30:
                    await asyncio.sleep(0)
            assert b.gateway.collector.rows == 300
            b.log.gate.set()
            answers = await asyncio.gather(*clients)
            statuses = [status for status, _ in answers]
            assert set(statuses) == {200, 429, 503}
            assert most <= 300
            assert statuses.count(200) == 30
            assert sum(map(len, b.frames())) == sum(accepted for _, accepted in answers) == 300
            assert b.gateway.collector.rows == 0
            metrics = (await b.client.get("/metrics")).text
            assert "citybrain_gateway_waiting_rows 0.0" in metrics
            assert "citybrain_gateway_accepted_total 300.0" in metrics

    play(story)


def test_one_gateway_cannot_take_the_room_of_all() -> None:
    async def story() -> None:
        limits: dict[str, Any] = {"waiting_rows": 20, "source_rows": 10, "request_readings": 10}
        async with bench(GatedLog(open=False), **limits) as b:
            first = asyncio.create_task(b.post(*[reading("s1")] * 10))
            await turns()
            too_many = await b.post(reading("s1"))
            assert (too_many.status_code, too_many.headers["retry-after"]) == (429, "2")
            other = asyncio.create_task(b.post(reading("foreign"), gateway="other"))
            await turns()
            assert not other.done()
            b.log.gate.set()
            assert {(await first).status_code, (await other).status_code} == {200}

    play(story)


def test_what_waits_is_appended_before_the_gateway_ends() -> None:
    async def story() -> None:
        log = GatedLog(open=False)
        async with bench(log) as b:
            waiting = asyncio.create_task(b.post(reading()))
            await turns()
        assert (await waiting).status_code == 200
        assert sum(map(len, b.frames())) == 1

    play(story)


def test_the_batch_is_described_as_it_is_read() -> None:
    app = create_app(
        GatewayParts(MemoryLog(2), FakeRegistry(None), toy_domains(), GatewaySettings())
    )
    route = app.openapi()["paths"]["/v1/readings"]["post"]
    assert route["summary"]
    assert {"200", "413", "422", "429", "503"} <= set(route["responses"])
    body = route["requestBody"]["content"]["application/json"]
    assert json.dumps(body["example"])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("", False),
        ("::", False),
        ("10.0.0.1", False),
        ("gateway.example", False),
    ],
)
def test_only_loopback_needs_no_word_of_the_operator(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert bool(GatewaySettings(host=host).mistakes()) is not expected
    assert GatewaySettings(host=host, expose=True).mistakes() == []


def test_settings_that_contradict_each_other_are_all_named() -> None:
    wrong = GatewaySettings(host="0.0.0.0", request_readings=10, source_rows=5, waiting_rows=4)
    assert len(wrong.mistakes()) == 3


async def turns() -> None:
    """Lets everything that can run without the log run."""
    for _ in range(50):
        await asyncio.sleep(0)
