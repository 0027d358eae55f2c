"""Events as a stream over a real server: resumed by id, heartbeats, many followers, slow ones."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from psycopg import sql

from api.events import stream, tail
from api.events.cursor import Cursor, parse
from api.queries.database import Database
from streams.contracts.outcome import Transition
from tests.support.told import followed, life

if TYPE_CHECKING:
    from tests.support.event_bench import Bench

pytest_plugins = ["tests.support.event_bench"]
pytestmark = pytest.mark.integration

FOLLOWERS = 200
PATIENCE_S = 20.0
AT_FIRST = "1970-01-01T08:00:00+08:00"


@contextmanager
def following(bench: Bench, last: str | None = None, **given: str) -> Iterator[Iterator[Any]]:
    """The stream's messages, decoded; a comment is `{"comment": …}`."""
    headers = {} if last is None else {"last-event-id": last}
    with bench.client.stream("GET", "/v1/events/stream", params=given, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer.iter_lines())


def messages(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    fields: dict[str, Any] = {}
    for line in lines:
        if line.startswith(":"):
            yield {"comment": line[1:].strip()}
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = json.loads(value) if name == "data" else value
        elif fields:
            yield fields
            fields = {}


def alerts(stream: Iterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """So many events, heartbeats left out."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        one = next(stream)
        if one.get("event") == "alert":
            found.append(one)
    return found


def beat(stream: Iterator[dict[str, Any]]) -> dict[str, Any]:
    return next(one for one in stream if one.get("event") == "heartbeat")


def test_a_stream_begins_with_how_to_come_again_and_a_heartbeat(bench: Bench) -> None:
    bench.risk("330106", unknown=False, points=3, reporting=2)
    bench.risk("330203", unknown=True, points=1, reporting=0)
    with following(bench) as stream:
        assert next(stream) == {"retry": str(2_000)}
        first, second = beat(stream), beat(stream)
    assert first["data"]["next_sequence"] == 0
    assert first["data"]["trouble"] is None
    assert first["data"]["completeness"] == [
        {"area": "330106", "points": 3, "reporting": 2, "unknown": False, "as_of": AT_FIRST},
        {"area": "330203", "points": 1, "reporting": 0, "unknown": True, "as_of": AT_FIRST},
    ]
    assert second["data"]["sent_at"] > first["data"]["sent_at"]
    assert second["id"] == first["id"]


def test_a_follower_that_comes_again_misses_nothing(bench: Bench) -> None:
    lives = [life(number, 6) for number in range(4)]
    with following(bench) as stream:
        start = beat(stream)["id"]
        bench.write(*lives)
        bench.number()
        seen = alerts(stream, 10)
    assert [one["data"]["sequence"] for one in seen] == list(range(10))
    assert all(one["id"] == one["data"]["cursor"] for one in seen)
    with following(bench, last=seen[-1]["id"]) as stream:
        seen += alerts(stream, 14)
    assert [one["data"]["sequence"] for one in seen] == list(range(24))
    assert followed({}, [one["data"] for one in seen]) == bench.truth()
    with following(bench, after=start) as stream:
        assert alerts(stream, 24) == seen, "the same from the database"


def test_the_heartbeat_carries_the_way_on_past_what_is_not_wanted(bench: Bench) -> None:
    with following(bench, change="retired") as stream:
        before = beat(stream)["id"]
        bench.write(*[life(number, 3) for number in range(3)])
        bench.number()
        told = next(one for one in stream if one["data"]["next_sequence"] == 9)
    assert told["event"] == "heartbeat"
    assert (parse(before).next, parse(told["id"]).next) == (0, 9)
    with following(bench, last=told["id"]) as stream:
        assert beat(stream)["id"] == told["id"]


def test_a_stream_that_cannot_go_on_is_refused_before_it_begins(bench: Bench) -> None:
    log = parse(bench.events()["next"]).log
    for last, status in (("nonsense", 422), (Cursor(log, 5).text(), 410)):
        answer = bench.client.get("/v1/events/stream", headers={"last-event-id": last})
        assert answer.status_code == status
    assert answer.json()["snapshot"] == "/v1/alerts"
    assert bench.client.get("/v1/events/stream", params={"domain": "x"}).status_code == 422


def test_many_followers_share_one_look(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    reading = Database.reading

    def counted(self: Database, *given: Any) -> Any:
        nonlocal looks
        looks += 1
        return reading(self, *given)

    async def one(client: httpx.AsyncClient, ready: asyncio.Semaphore) -> list[int]:
        found: list[int] = []
        told = False
        async with client.stream("GET", "/v1/events/stream") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("event: heartbeat") and not told:
                    told = True
                    ready.release()
                if line.startswith("data: ") and '"alert":' in line:
                    found.append(json.loads(line[6:])["sequence"])
                    if len(found) == 12:
                        return found
        return found

    async def all_of_them() -> tuple[list[list[int]], int]:
        limits = httpx.Limits(max_connections=FOLLOWERS)
        base = str(bench.client.base_url)
        async with httpx.AsyncClient(base_url=base, limits=limits, timeout=PATIENCE_S) as client:
            ready = asyncio.Semaphore(0)
            tasks = [asyncio.create_task(one(client, ready)) for _ in range(FOLLOWERS)]
            for _ in tasks:
                await ready.acquire()
            assert bench.app.state.tails.watched() == {bench.namespace: FOLLOWERS}
            before = looks
            await asyncio.to_thread(bench.write, *[life(number, 3) for number in range(4)])
            await asyncio.to_thread(bench.number)
            found = await asyncio.gather(*tasks)
            return found, looks - before

    monkeypatch.setattr(Database, "reading", counted)
    found, asked = asyncio.run(asyncio.wait_for(all_of_them(), 3 * PATIENCE_S))
    assert found == [list(range(12))] * FOLLOWERS
    assert asked < FOLLOWERS / 2, "the database is asked once for all"
    until = time.monotonic() + PATIENCE_S
    while bench.app.state.tails.watched() and time.monotonic() < until:
        bench.client.get("/v1/namespaces")
    assert bench.app.state.tails.watched() == {}


def test_who_falls_behind_the_window_is_sent_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "WINDOW", 100)
    monkeypatch.setattr(tail, "AT_ONCE", 5)
    monkeypatch.setattr(stream, "AT_ONCE", 5)
    with deaf(bench) as slow, following(bench) as quick:
        beat(quick)
        bench.write(*[padded(life(number, 8), 20_000) for number in range(100)])
        bench.number()
        assert len(alerts(quick, 800)) == 800
        rest = read_until(slow, b"come again with Last-Event-ID")
    assert b"events behind; come again" in rest
    last = [line for line in rest.split(b"\n") if line.startswith(b"id: ")][-1]
    assert parse(last[4:].decode().strip()).next < 800 - 100
    again, _ = bench.follow(last[4:].decode().strip(), limit=1000)
    assert again[-1]["sequence"] == 799


def test_who_does_not_read_at_all_is_cut_off(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SEND_S", 0.3)
    with deaf(bench):
        bench.write(*[padded(life(number, 1), 400_000) for number in range(30)])
        bench.number()
        until = time.monotonic() + PATIENCE_S
        while bench.app.state.tails.watched() and time.monotonic() < until:
            time.sleep(0.05)
        assert bench.app.state.tails.watched() == {}


def padded(alert: list[Transition], size: int) -> list[Transition]:
    return [replace(one, evidence={"padding": "x" * size}) for one in alert]


@contextmanager
def deaf(bench: Bench) -> Iterator[socket.socket]:
    """A follower that has read the first heartbeat, and little of what comes after."""
    with socket.create_connection(("127.0.0.1", bench.client.base_url.port or 0)) as connected:
        connected.sendall(b"GET /v1/events/stream HTTP/1.1\r\nhost: x\r\n\r\n")
        read_until(connected, b"event: heartbeat")
        yield connected


def read_until(sock: socket.socket, mark: bytes) -> bytes:
    """What comes up to the mark, or to the end, or within the patience."""
    sock.settimeout(PATIENCE_S)
    found, until = bytearray(), time.monotonic() + PATIENCE_S
    while time.monotonic() < until and (more := sock.recv(1 << 20)):
        found += more
        if mark in found[-len(more) - len(mark) :]:
            break
    return bytes(found)


def test_a_namespace_that_goes_ends_its_streams(bench: Bench, database_url: str) -> None:
    with following(bench) as stream:
        beat(stream)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("drop schema {} cascade").format(sql.Identifier(bench.namespace))
            )
        last = next(one for one in stream if "comment" in one)
    assert "gone" in last["comment"]
