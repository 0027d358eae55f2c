"""The gateway over a log in memory: answers, refusals, bounds, idempotency. No network."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from sensors.gateway.app import GatewayParts, create_app
from sensors.gateway.decoding import CONTENT_TYPES, decode
from sensors.gateway.directory import compile_directory
from sensors.gateway.document import EXAMPLES
from sensors.gateway.reading import Reading
from sensors.gateway.settings import GatewaySettings
from streams.catalog import Gateway as GatewayEntry
from streams.contracts.reason import Origin
from streams.log.memory import MemoryLog
from tests.support.gateway_bench import (
    NOW_MS,
    FakeRegistry,
    GatedLog,
    bench,
    play,
    reading,
    toy_domains,
    toy_registry,
    turns,
)


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


def test_the_batch_is_described_as_it_is_read() -> None:
    app = create_app(
        GatewayParts(MemoryLog(2), FakeRegistry(None), toy_domains(), GatewaySettings())
    )
    route = app.openapi()["paths"]["/v1/readings"]["post"]
    assert route["summary"]
    assert {"200", "413", "422", "429", "503"} <= set(route["responses"])
    assert {"401", "403"} <= set(route["responses"])
    body = route["requestBody"]["content"]
    assert set(body) == set(CONTENT_TYPES)
    assert app.openapi()["paths"]["/v1/status"].keys() == {"get", "post"}


@pytest.mark.parametrize("kind", CONTENT_TYPES)
def test_the_examples_of_the_description_are_read(kind: str) -> None:
    example = EXAMPLES[kind]
    body = example.encode() if isinstance(example, str) else json.dumps(example).encode()
    request = decode(kind, {}, body, most=10, now_ms=NOW_MS, gateway="gw-330106-1")
    assert request.readings
    assert all(isinstance(one, Reading) for one in request.readings)
